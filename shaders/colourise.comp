// Labels to RGBA8 by a palette of 256 colours, blended over the picture in 8-bit steps when opacity is below 256.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "push.h"
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(push_constant) uniform Push { Colourise pc; };
layout(constant_id = 3) const bool BLEND = false;
layout(set = 0, binding = 3, std430) readonly buffer Palette { uvec4 palette[]; };
layout(set = 1, binding = 0, std430) readonly buffer Labels { uint labels[]; };
layout(set = 1, binding = 1, std430) writeonly buffer Result { uint result[]; };
layout(set = 1, binding = 2, std430) readonly buffer Picture { uint picture[]; };

uint byte_at(uint i) { return bitfieldExtract(picture[i >> 2], int(i & 3u) * 8, 8); }

void main() {
    const uint pixel = pc.first_pixel + gl_GlobalInvocationID.x +
                       gl_GlobalInvocationID.y * gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    if (pixel >= pc.pixels) return;
    const uint label = bitfieldExtract(labels[pixel >> 2], int(pixel & 3u) * 8, 8);
    uint colour = palette[pc.weights + (label >> 2)][label & 3u] | 0xff000000u;
    if (BLEND) {
        uint blended = 0xff000000u;
        [[unroll]] for (int c = 0; c < 3; ++c) {
            const int under = int(byte_at(pixel * pc.bytes_per_pixel + ((pc.order >> (8 * c)) & 255u)));
            const int over = int(bitfieldExtract(colour, 8 * c, 8));
            blended |= uint(under + (((over - under) * int(pc.opacity) + 128) >> 8)) << (8 * c);
        }
        colour = blended;
    }
    result[pixel] = colour;
}
