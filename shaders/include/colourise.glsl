// The kernel around `under_at(pixel, channel)`, the picture's value 0..255 below a pixel. Blends in 8-bit steps.
void main() {
    const uint pixel = pc.first_pixel + gl_GlobalInvocationID.x +
                       gl_GlobalInvocationID.y * gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (pixel >= pc.pixels) return;
    const uint label = bitfieldExtract(labels[pixel >> 2], int(pixel & 3u) * 8, 8);
    uint colour = palette[pc.weights + (label >> 2)][label & 3u] | 0xff000000u;
    if (BLEND) {
        uint blended = 0xff000000u;
        [[unroll]] for (int c = 0; c < 3; ++c) {
            const int under = under_at(pixel, c);
            const int over = int(bitfieldExtract(colour, 8 * c, 8));
            blended |= uint(under + (((over - under) * int(pc.opacity) + 128) >> 8)) << (8 * c);
        }
        colour = blended;
    }
    if (pc.blue_first != 0u)
        colour = (colour & 0xff00ff00u) | bitfieldExtract(colour, 16, 8) | bitfieldExtract(colour, 0, 8) << 16;
    result[pixel] = colour;
}
