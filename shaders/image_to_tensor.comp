// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// 8-bit pixels to normalised features: bilinear at pixel centres, edges clamped, then (v - subtract) * multiply.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_OUT
#include "push.h"
layout(push_constant) uniform Push { Image pc; };
#include "access.glsl"
layout(set = 1, binding = 0, std430) readonly buffer Host { uint host[]; };

float byte_at(uint i) { return float(bitfieldExtract(host[i >> 2], int(i & 3u) * 8, 8)); }

vec4 pixel_at(uint x, uint y, uint width) {
    const uint first = (y * width + x) * pc.bytes_per_pixel;
    return vec4(byte_at(first + (pc.order & 255u)), byte_at(first + ((pc.order >> 8) & 255u)),
                byte_at(first + ((pc.order >> 16) & 255u)), 0.0);
}

#include "image_to_tensor.glsl"
