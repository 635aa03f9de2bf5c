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

void main() {
    const uvec2 size = halves(pc.m.out_size), picture = halves(pc.m.in_size);
    const uvec2 pixel = uvec2(gl_GlobalInvocationID.x, gl_GlobalInvocationID.y + pc.m.row_base);
    if (pixel.x >= size.x || pixel.y >= size.y) return;
    const vec2 source = clamp((vec2(pixel) + 0.5) * vec2(pc.scale_x, pc.scale_y) - 0.5, vec2(0.0), vec2(picture - 1u));
    const uvec2 low = uvec2(source), high = min(low + 1u, picture - 1u);
    const vec2 f = source - vec2(low);
    const vec4 top = mix(pixel_at(low.x, low.y, picture.x), pixel_at(high.x, low.y, picture.x), f.x);
    const vec4 bottom = mix(pixel_at(low.x, high.y, picture.x), pixel_at(high.x, high.y, picture.x), f.x);
    store_out(pc.m.out_base + pixel.y * size.x + pixel.x, (mix(top, bottom, f.y) - pc.subtract) * pc.multiply);
}
