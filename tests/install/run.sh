#!/usr/bin/env bash
# Installs the build tree given as $1 into a temporary prefix, looks at what the libraries export and need, and builds
# outside programs against them, twice. Trained weights are looked for in the folder $2.
set -euo pipefail
source=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

cmake --install "$1" --prefix "$work/prefix" >/dev/null
vkseg=$work/prefix/bin/vkseg
"$vkseg" --version
libraries=$(dirname "$(find "$work/prefix" -name libvkseg.so)")

# expect_library NAME NEEDED...: exports vkseg_* alone, and needs no other library than libc's and those named.
expect_library() {
    local library=$libraries/$1 foreign needed name
    shift
    foreign=$(nm -D --defined-only "$library" | awk '{print $3}' | grep -v '^vkseg_' || true)
    [ -z "$foreign" ] || fail "$library exports more than vkseg_*: $foreign"
    needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    for name in $needed; do
        case " libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 $* " in
            *" $name "*) ;;
            *) [[ $name == ld-linux* ]] || fail "$library needs $name" ;;
        esac
    done
    ! ldd "$library" | grep 'not found' || fail "$library does not find what it needs"
}
expect_library libvkseg.so
expect_library libvkseg_import.so libzip.so.4

cmake -S "$source" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/cmake" >/dev/null
"$work/cmake/host"
"$work/cmake/baker"

PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name vkseg.pc)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH=$libraries
# shellcheck disable=SC2046
cc $(pkg-config --cflags vkseg) "$source/host.c" -o "$work/host" $(pkg-config --libs vkseg)
# shellcheck disable=SC2046
cc $(pkg-config --cflags vkseg-import) "$source/baker.c" -o "$work/baker" $(pkg-config --libs vkseg-import)
"$work/host"
"$work/baker"

# What cannot be baked leaves no file behind.
cd "$work"
expect_refusal() {
    local sentence
    ! sentence=$("$vkseg" bake "$@" -o out/net.vkseg 2>&1) || fail "vkseg bake $* succeeds"
    [ "$(wc -l <<<"$sentence")" -eq 1 ] || fail "vkseg bake $*: $sentence"
    [ -z "$(ls -A out)" ] || fail "vkseg bake $* leaves files behind"
}
mkdir out
expect_refusal espnet
expect_refusal espnet --weights none.pth
expect_refusal espnet --weights host
expect_refusal 'no such network' --weights host
expect_refusal none.vkseg
expect_refusal ./host

weights=$2/espnet_p2_q8_cityscapes.pth
[ -f "$weights" ] || exit 0
expect_refusal espnet --weights "$weights" --classes camvid11
rmdir out
! "$vkseg" bake espnet --weights "$weights" -o out/net.vkseg 2>/dev/null || fail "a folder that is absent is made"
"$vkseg" bake espnet --weights "$weights" -o net.vkseg
./baker "$weights" imported.vkseg
cmp net.vkseg imported.vkseg
VKSEG_DEVICE=lavapipe ./host net.vkseg
head -c 1000000 net.vkseg >half.vkseg
(./host half.vkseg || true) | grep -q 'truncated or damaged' || fail "half a file is taken"
