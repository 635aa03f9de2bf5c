#!/usr/bin/env bash
# Installs what is missing, builds, and segments a street picture on the best Vulkan device (the CPU driver where there
# is no GPU). Usage: ./demo.sh [IMAGE]     Environment: VKSEG_WEIGHTS=FILE, VKSEG_DEVICE=INDEX|NAME
set -euo pipefail
image=${1:+$(realpath "$1")}
cd "$(dirname "$0")"

scripts/install-dependencies.sh build
cmake --preset release -DVKSEG_BUILD_TESTS=OFF >/dev/null
cmake --build --preset release
vkseg=build/release/bin/vkseg

echo
"$vkseg" devices

golden=../shared/golden
weights=${VKSEG_WEIGHTS:-}
[ -z "$weights" ] && [ -f "$golden/weights/espnet_p2_q8_cityscapes.pth" ] &&
    weights=$golden/weights/espnet_p2_q8_cityscapes.pth
[ -z "$image" ] && [ -f "$golden/images/frankfurt_000000_000294_2048x1024.png" ] &&
    image=$golden/images/frankfurt_000000_000294_2048x1024.png

echo
if [ -z "$weights" ] || [ -z "$image" ]; then
    # Without trained weights there is nothing to see, but the device can prove that it computes the right numbers.
    "$vkseg" check
    echo
    echo "To segment a picture, pass it with ESPNet's Cityscapes weights, published with sacmehta/ESPNet on GitHub" \
         "(pretrained/decoder/espnet_p_2_q_8.pth): VKSEG_WEIGHTS=FILE ./demo.sh IMAGE"
    exit 0
fi
"$vkseg" segment "$image" --weights "$weights" --output demo-output
echo
echo "Look at demo-output/: $(cd demo-output && ls -1 | tr '\n' ' ')"
