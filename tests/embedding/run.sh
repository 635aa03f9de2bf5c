#!/usr/bin/env bash
# Installs the build tree given as $1 into a temporary prefix, builds the hosts against it with CMake and with make, and
# runs them on every device that is here, under the validation layer. $2 is the program that bakes made-up weights.
set -euo pipefail
source=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$1" --prefix "$work/prefix" >/dev/null
# One name of Mesa's CPU driver for the program, which asks for wider vectors, and for hosts, which do not.
export LP_NATIVE_VECTOR_WIDTH=256
export VK_ADD_DRIVER_FILES=${VKSEG_SWIFTSHADER_ICD:-/usr/lib/chromium/vk_swiftshader_icd.json}

cmake -S "$source" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$work/cmake" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name vkseg.pc)")
LD_LIBRARY_PATH=$(dirname "$(find "$work/prefix" -name libvkseg.so)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH
mkdir "$work/make"
make -C "$work/make" -f "$source/Makefile" >/dev/null

# The example of docs/embedding.md is the code that was just built.
example() { sed -n '/^\/\* \[example\] \*\/$/,/^\/\* \[end\] \*\/$/p' "$source/host.c" | sed '1d;$d'; }
shown() { sed -n '/^```c$/,/^```$/p' "$source/../../docs/embedding.md" | sed '1d;$d'; }
diff <(example) <(shown) || { echo "docs/embedding.md shows another example than tests/embedding/host.c" >&2; exit 1; }

# Made-up weights and bands of colour.
model=$work/espnet.vkseg
"$2" "$model" 160 96
{
    printf 'P6\n160 96\n255\n'
    for row in {0..95}; do
        # shellcheck disable=SC2059
        printf "$(printf '\\x%02x\\x%02x\\x%02x' $((row * 2)) 60 $((255 - row)) 90 $((row % 16 * 16)) 200)%.0s" {1..80}
    done
} >"$work/picture.ppm"

ran=0
while IFS= read -r device; do
    echo "--- $device"
    "$work/cmake/host" "$model" "$device" "$work/picture.ppm" "$work/overlay.ppm" "$work/labels.pgm"
    "$work/cmake/graphics_host" "$model" "$device" "$work/picture.ppm"
    "$work/cmake/volk_host" "$model" "$device" "$work/picture.ppm" "$work/volk_labels.pgm"
    cmp "$work/labels.pgm" "$work/volk_labels.pgm"
    ran=$((ran + 1))
done < <("$work/prefix/bin/vkseg" devices --json | sed -n 's/^ *"name": "\(.*\)",\?$/\1/p')
[ "$ran" -gt 0 ]

echo "--- built with make"
"$work/make/host" "$model" llvmpipe "$work/picture.ppm" "$work/make/overlay.ppm" "$work/make/labels.pgm"
"$work/make/graphics_host" "$model" llvmpipe "$work/picture.ppm"
"$work/make/volk_host" "$model" llvmpipe "$work/picture.ppm" "$work/make/volk_labels.pgm"
