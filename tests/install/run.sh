#!/usr/bin/env bash
# Installs the build tree given as $1 into a temporary prefix and builds an outside program against it, twice.
set -euo pipefail
source=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$1" --prefix "$work/prefix" >/dev/null
"$work/prefix/bin/vkseg" --version

cmake -S "$source" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/cmake" >/dev/null
"$work/cmake/outside"

PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name vkseg.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
cc $(pkg-config --cflags vkseg) "$source/host.c" -o "$work/outside" $(pkg-config --libs vkseg)
library=$(find "$work/prefix" -name libvkseg.so)
LD_LIBRARY_PATH=$(dirname "$library") "$work/outside"

foreign=$(nm -D --defined-only "$library" | awk '{print $3}' | grep -v '^vkseg_' || true)
if [ -n "$foreign" ]; then
    echo "libvkseg exports more than vkseg_*: $foreign" >&2
    exit 1
fi
