// Labels to 32-bit pixels by a palette of 256 colours, blended over the picture's bytes when opacity is below 256.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "colourise_head.glsl"
layout(set = 1, binding = 2, std430) readonly buffer Picture { uint picture[]; };

int under_at(uint pixel, int channel) {
    const uint i = pixel * pc.bytes_per_pixel + ((pc.order >> (8 * channel)) & 255u);
    return int(bitfieldExtract(picture[i >> 2], int(i & 3u) * 8, 8));
}

#include "colourise.glsl"
