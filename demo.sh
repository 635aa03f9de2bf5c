#!/usr/bin/env bash
# Installs what is missing, builds, has the simulator draw a street, and segments it and a photo on the best Vulkan device
# (the CPU driver where there is no GPU). No window and no download of weights is needed.
# Usage: ./demo.sh [IMAGE]     Environment: VKSEG_WEIGHTS=FILE for the photo, VKSEG_DEVICE=INDEX|NAME
set -euo pipefail
image=${1:+$(realpath "$1")}
weights=${VKSEG_WEIGHTS:+$(realpath "$VKSEG_WEIGHTS")}
cd "$(dirname "$0")"

scripts/install-dependencies.sh build
cmake --preset release -DVKSEG_BUILD_TESTS=OFF >/dev/null
cmake --build --preset release
vkseg=build/release/bin/vkseg

echo
"$vkseg" devices

echo
echo "A street of the simulator, with the weights that were trained on such streets:"
frames=$(mktemp -d)
trap 'rm -rf "$frames"' EXIT
build/release/bin/vkseg-simulator --dataset "$frames" --count 1 --seed 20 --size 1024x512 --split val
mkdir -p demo-output
cp "$frames"/leftImg8bit/val/*/*_leftImg8bit.png demo-output/street.png
"$vkseg" segment demo-output/street.png --side-by-side --output demo-output

golden=../shared/golden
[ -z "$image" ] && [ -f "$golden/images/frankfurt_000000_000294_2048x1024.png" ] &&
    image=$golden/images/frankfurt_000000_000294_2048x1024.png
[ -z "$weights" ] && [ -f "$golden/weights/espnet_p2_q8_cityscapes.pth" ] &&
    weights=$golden/weights/espnet_p2_q8_cityscapes.pth
echo
if [ -n "$image" ]; then
    echo "The photo, with ${weights:-the same weights}:"
    "$vkseg" segment "$image" ${weights:+--weights "$weights"} --side-by-side --output demo-output
else
    echo "A photo can be segmented too: ./demo.sh IMAGE"
fi
if [ -z "$weights" ]; then
    echo "For photos use ESPNet's Cityscapes weights, published with sacmehta/ESPNet on GitHub" \
         "(pretrained/decoder/espnet_p_2_q_8.pth): VKSEG_WEIGHTS=FILE ./demo.sh IMAGE"
fi
echo
echo "Look at demo-output/: $(cd demo-output && ls -1 | tr '\n' ' ')"
