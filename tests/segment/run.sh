#!/usr/bin/env bash
# `vkseg segment` without --weights, from the build tree $1 and from where it is installed: it takes the weights that come
# with it, and says for what they are good.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

# A grey picture of 64x32 pixels as BMP: two headers, then blue, green and red of every pixel.
{
    printf 'BM\x36\x18\0\0\0\0\0\0\x36\0\0\0'
    printf '\x28\0\0\0\x40\0\0\0\x20\0\0\0\x01\0\x18\0\0\0\0\0\0\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
    head -c $((64 * 32 * 3)) /dev/zero | tr '\0' '\200'
} >"$work/grey.bmp"
export VKSEG_DEVICE=${VKSEG_DEVICE:-lavapipe}

cmake --install "$1" --prefix "$work/prefix" >/dev/null
# Moved as a whole, it still finds them.
mv "$work/prefix" "$work/elsewhere"
for vkseg in "$1/bin/vkseg" "$work/elsewhere/bin/vkseg"; do
    said=$(cd "$work" && "$vkseg" segment grey.bmp -o out)
    [[ $(head -1 <<<"$said") == *"not on real streets"*"github.com/sacmehta/ESPNet"*"--weights"* ]] ||
        fail "$vkseg does not say what its weights are good for: $said"
    grep -q '512x256 (espnet-simulator.safetensors' <<<"$said" || fail "$vkseg does not name its weights: $said"
    for result in labels colour overlay; do
        [ -s "$work/out/grey_$result.png" ] || fail "$vkseg writes no grey_$result.png"
    done
    rm -r "$work/out"
done

# Width and height stand at byte 16 of a PNG.
"$1/bin/vkseg" segment "$work/grey.bmp" -o "$work/out" --side-by-side >/dev/null
width=$(od -An -tu1 -j18 -N2 "$work/out/grey_side_by_side.png")
[ "$(tr -s ' ' <<<"$width")" = " 0 128" ] || fail "the two pictures beside each other are$width wide"

# JSON names them, and standard output stays JSON; raw frames stay frames.
json=$("$1/bin/vkseg" segment "$work/grey.bmp" -o "$work/out" --json)
[[ $json == "{"*'"notice": "Weights trained on'*espnet-simulator.safetensors* ]] || fail "JSON is $json"
bytes=$(head -c $((2 * 64 * 32 * 3)) /dev/zero |
    "$1/bin/vkseg" segment - --raw 64x32:rgb24 --raw-output labels 2>"$work/said" | wc -c)
[ "$bytes" -eq $((2 * 64 * 32)) ] || fail "two raw frames give $bytes bytes"
grep -q 'not on real streets' "$work/said" || fail "with raw frames nothing is said: $(cat "$work/said")"

# What they do not fit asks for weights as ever, and so does a program that lost them.
for other in '--network espnet-c' '--network erfnet' '--config {"alpha3":3}'; do
    # shellcheck disable=SC2086
    ! said=$("$1/bin/vkseg" segment "$work/grey.bmp" -o "$work/none" $other 2>&1) || fail "segment $other succeeds"
    [[ $said == *"needs trained weights: --weights FILE"* ]] || fail "segment $other: $said"
done
rm "$work/elsewhere/share/vkseg/weights/espnet-simulator.safetensors"
! said=$("$work/elsewhere/bin/vkseg" segment "$work/grey.bmp" -o "$work/none" 2>&1) || fail "segment has lost its weights, and succeeds"
[[ $said == *"needs trained weights: --weights FILE"* ]] || fail "without its weights: $said"
[ ! -e "$work/none" ] || fail "a failure leaves a folder behind"
