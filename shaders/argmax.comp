// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// The class with the highest score, or (CONFIDENCE) its softmax probability times 255, at any size. One byte per pixel;
// an invocation writes four neighbours in memory order as one word, so no 8-bit storage is needed.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#include "push.h"
layout(push_constant) uniform Push { Argmax pc; };
#include "access.glsl"
layout(set = 1, binding = 0, std430) writeonly buffer Host { uint host[]; };

layout(constant_id = 3) const bool CONFIDENCE = false;
// 0 the score below the pixel's centre; as Resize does: 1 bilinear, 2 bilinear with aligned corners, 3 nearest.
layout(constant_id = 4) const int SAMPLING = 0;
const bool BILINEAR = SAMPLING == 1 || SAMPLING == 2;

const float LOWEST = -3.402823466e38;

vec4 scores(uint plane, uvec4 taps, vec2 f) {
    const uint base = pc.m.in_base + plane * pc.m.in_stride;
    vec4 v;
    if (SAMPLING != 0) {
        const vec4 top = mix(load_in0(base + taps.x), load_in0(base + taps.y), f.x);
        v = mix(top, mix(load_in0(base + taps.z), load_in0(base + taps.w), f.x), f.y);
    } else {
        v = load_in0(base + taps.x);
    }
    const uvec4 channel = uvec4(0u, 1u, 2u, 3u) + plane * 4u;
    return mix(vec4(LOWEST), v, lessThan(channel, uvec4(pc.channels)));
}

void main() {
    const uvec2 size = halves(pc.m.out_size), in_size = halves(pc.m.in_size);
    const uint first = (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y *
                        gl_NumWorkGroups.x * gl_WorkGroupSize.x) * 4u;
    if (first >= size.x * size.y) return;
    const uint planes = (pc.channels + 3u) / 4u;
    uint word = 0u;
    for (uint k = 0u; k < 4u && first + k < size.x * size.y; ++k) {
        const uvec2 pixel = uvec2((first + k) % size.x, (first + k) / size.x);
        uvec4 taps;
        vec2 f = vec2(0.0);
        if (BILINEAR) {
            const vec2 scale = vec2(pc.scale_x, pc.scale_y);
            const vec2 source = clamp(SAMPLING == 1 ? (vec2(pixel) + 0.5) * scale - 0.5 : vec2(pixel) * scale,
                                      vec2(0.0), vec2(in_size - 1u));
            const uvec2 low = uvec2(source), high = min(low + 1u, in_size - 1u);
            f = source - vec2(low);
            taps = uvec4(low.y * in_size.x + low.x, low.y * in_size.x + high.x, high.y * in_size.x + low.x,
                         high.y * in_size.x + high.x);
        } else {
            const uvec2 source = SAMPLING == 0 ? (2u * pixel + 1u) * in_size / (2u * size)
                                               : min(uvec2(vec2(pixel) * vec2(pc.scale_x, pc.scale_y)), in_size - 1u);
            taps = uvec4(source.y * in_size.x + source.x);
        }
        float best = LOWEST;
        uint label = 0u;
        for (uint plane = 0u; plane < planes; ++plane) {
            const vec4 v = scores(plane, taps, f);
            [[unroll]] for (uint lane = 0u; lane < 4u; ++lane)
                if (v[lane] > best) {
                    best = v[lane];
                    label = plane * 4u + lane;
                }
        }
        if (CONFIDENCE) {
            float total = 0.0;
            for (uint plane = 0u; plane < planes; ++plane) {
                const vec4 e = exp(scores(plane, taps, f) - best);
                total += e.x + e.y + e.z + e.w;
            }
            label = uint(255.0 / total + 0.5);
        }
        word |= label << (8u * k);
    }
    host[first >> 2] = word;
}
