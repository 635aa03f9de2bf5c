// variants: STORAGE=f32,f16 ACCESS=ssbo,bda ARITHMETIC=f32,f16
// 1x1 convolution of a concatenation whose operands may be smaller than it: those are scaled where they are read, plane
// by plane, and never lie in memory at full size. The first operand is the first binding, all others the second one.
// An invocation computes PIXELS pixels of PLANES output planes. Groups and packed weights: see conv2d.comp.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { ResizeConv pc; };
#include "access.glsl"
#include "epilogue.glsl"
#include "products.glsl"

layout(constant_id = 7) const int PIXELS = 1;

/// Where one pixel of the result reads a plane of an operand.
struct Taps {
    uvec4 at;
    vec2 fraction;
};

// How an operand comes to the result's size.
const uint SAME = 0u, BILINEAR = 1u;

Taps taps_of(uint way, uvec2 pixel, uvec2 from, uvec2 to) {
    Taps taps;
    if (way == SAME) {
        taps.at = uvec4(pixel.y * from.x + pixel.x);
        taps.fraction = vec2(0.0);
        return taps;
    }
    const vec2 scale = way == BILINEAR ? vec2(from) / vec2(to) : vec2(from - 1u) / vec2(max(to, uvec2(2u)) - 1u);
    const vec2 source = way == BILINEAR ? max((vec2(pixel) + 0.5) * scale - 0.5, vec2(0.0)) : vec2(pixel) * scale;
    const uvec2 low = min(uvec2(source), from - 1u), high = min(low + 1u, from - 1u);
    taps.fraction = clamp(source - vec2(low), vec2(0.0), vec2(1.0));
    taps.at = uvec4(low.y, low.y, high.y, high.y) * from.x + uvec4(low.x, high.x, low.x, high.x);
    return taps;
}

vec4 load(bool first, uint i) { return first ? load_in0(i) : load_in1(i); }
FACTORS load_factors(bool first, uint i) { return first ? load_factors0(i) : load_factors1(i); }

void main() {
    const uvec2 size = halves(pc.m.out_size);
    const uint x0 = gl_WorkGroupID.x * gl_WorkGroupSize.x * uint(PIXELS) + gl_LocalInvocationID.x;
    const uint y = gl_GlobalInvocationID.y;
    if (x0 >= size.x || y >= size.y) return;

    uint w = BLOCK * pc.m.block_weights;
    const uint biases = w + pc.in_planes * uint(WEIGHT_ROWS * PLANES);
    vec4 sum[PIXELS * PLANES];
    [[unroll]] for (int p = 0; p < PIXELS; ++p)
        [[unroll]] for (int o = 0; o < PLANES; ++o) sum[p * PLANES + o] = WEIGHT(biases + uint(o));

    // The operand that plane `plane` of the concatenation is of, and its planes [begin, end).
    uint operand = 0u, begin = 0u, end = 0u, base = 0u, stride = 0u, way = SAME;
    Taps taps[PIXELS];
    for (uint i = 0u; i < pc.in_planes; ++i, w += uint(WEIGHT_ROWS * PLANES)) {
        const uint plane = pc.first_plane + BLOCK * pc.block_in + i * pc.plane_step;
        if (plane >= end) {
            do {
                begin = end;
                end += (operand < 4u ? pc.planes_of >> (8u * operand) : pc.planes_of_last) & 255u;
                ++operand;
            } while (plane >= end);
            const uvec2 from = halves(pc.sizes[operand - 1u]);
            way = pc.ways >> (2u * (operand - 1u)) & 3u;
            stride = (from.x * from.y + 63u) & ~63u;
            base = operand == 1u ? pc.m.in_base : operand == 2u ? pc.m.add_base : pc.bases[max(operand, 3u) - 3u];
            [[unroll]] for (int p = 0; p < PIXELS; ++p)
                taps[p] = taps_of(way, uvec2(min(x0 + uint(p) * gl_WorkGroupSize.x, size.x - 1u), y), from, size);
        }
        const uint at = base + (plane - begin) * stride;
        FACTORS texel[PIXELS];
        [[unroll]] for (int p = 0; p < PIXELS; ++p) {
            const bool first = operand == 1u;
            if (way == SAME) {
                texel[p] = load_factors(first, at + taps[p].at.x);
            } else {
                const vec4 a = load(first, at + taps[p].at.x), b = load(first, at + taps[p].at.y),
                           c = load(first, at + taps[p].at.z), d = load(first, at + taps[p].at.w);
                const vec2 f = taps[p].fraction;
                texel[p] = factors((1.0 - f.y) * ((1.0 - f.x) * a + f.x * b) + f.y * ((1.0 - f.x) * c + f.x * d));
            }
        }
        ADD_PRODUCTS(sum, texel, w, PIXELS, PLANES)
    }

    const uint out_base = pc.m.out_base + BLOCK * uint(PLANES) * pc.m.out_stride;
    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
        const uint x = x0 + uint(p) * gl_WorkGroupSize.x;
        if (x >= size.x) continue;
        [[unroll]] for (int o = 0; o < PLANES; ++o)
            store_out(out_base + uint(o) * pc.m.out_stride + y * size.x + x,
                      apply_epilogue(sum[p * PLANES + o], biases + uint(PLANES), o, 0u));
    }
}
