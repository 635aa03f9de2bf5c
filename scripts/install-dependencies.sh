#!/usr/bin/env bash
# Installs Debian 12 packages that are missing. Usage: scripts/install-dependencies.sh build|simulator|test
# Does nothing, and needs no root, when everything is there.
set -euo pipefail

build=(g++ cmake ninja-build pkg-config glslang-tools libvulkan-dev libvulkan1 mesa-vulkan-drivers libglm-dev libfmt-dev
       libzip-dev nlohmann-json3-dev libcli11-dev libvulkan-volk-dev libstb-dev libpng-dev libjpeg-dev zlib1g-dev libexif-dev)
# The window of vkseg-simulator.
simulator=(libsdl2-dev)
# A second Vulkan driver (SwiftShader comes with the browser), the validation layer, and the tools of the tests, among
# them what the training and the comparison need.
test=(libgtest-dev vulkan-validationlayers spirv-tools chromium ccache clang-format
      xvfb xauth python3-numpy python3-pil python3-torch)

case "${1:-}" in
    build) wanted=("${build[@]}") ;;
    simulator) wanted=("${build[@]}" "${simulator[@]}") ;;
    test) wanted=("${build[@]}" "${simulator[@]}" "${test[@]}") ;;
    *)
        echo "usage: $0 build|simulator|test" >&2
        exit 2
        ;;
esac

missing=()
for package in "${wanted[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "$0: these packages are missing, and neither root nor sudo is at hand: ${missing[*]}" >&2
        exit 1
    fi
    root=(sudo)
fi
echo "Installing ${missing[*]}"
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
