// variants: STORAGE=f32,f16 ACCESS=ssbo,bda
// Efficient pyramid pooling: branches that bring a map to another size, run a depthwise 3x3 convolution there and bring
// it back; concatenated. Planes never mix, so z block b makes plane b % pc.planes of branch b / pc.planes. A workgroup
// makes a tile: first what its part of the branch's convolution reads, then the convolution, both in shared memory, as
// they would lie in memory; then each invocation its pixel.
// Packed weights of a block: 9 taps, the bias, the epilogue's vectors.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { ScalePyramid pc; };
#include "access.glsl"
#include "epilogue.glsl"

shared TEXEL scaled[SCALE_PYRAMID_SCALED_TEXELS];
shared TEXEL convolved[SCALE_PYRAMID_CONVOLVED_TEXELS];

// How a map comes to another size, four bits of pc.ways each.
const uint SAME = 0u, BILINEAR = 1u, ALIGNED = 2u, MEAN = 3u;

// Along one axis: the positions [begin, end) of `from` that position `at` of `to` reads; of two, how much the second
// counts.
uvec2 reach(uint way, uint at, uint from, uint to, out float fraction) {
    fraction = 0.0;
    if (way == SAME) return uvec2(at, at + 1u);
    if (way == MEAN) return uvec2(at * from / to, ((at + 1u) * from + to - 1u) / to);
    const float source = way == BILINEAR
                             ? max((float(at) + 0.5) * (float(from) / float(to)) - 0.5, 0.0)
                             : float(at) * (to > 1u ? float(from - 1u) / float(to - 1u) : 0.0);
    const uint low = min(uint(source), from - 1u);
    fraction = clamp(source - float(low), 0.0, 1.0);
    return uvec2(low, min(low + 2u, from));
}

vec4 load_map(uint plane_base, uint x, uint y) {
    return load_in0(plane_base + y * halves(pc.m.in_size).x + x);
}

void main() {
    const uint branch = BLOCK / pc.planes, plane = BLOCK % pc.planes;
    const uvec2 in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size), mid_size = halves(pc.sizes[branch]);
    const uint there = pc.ways >> (4u * branch) & 3u, back = pc.ways >> (4u * branch + 2u) & 3u;
    const uint threads = gl_WorkGroupSize.x * gl_WorkGroupSize.y, thread = gl_LocalInvocationIndex;
    const uvec2 first = gl_WorkGroupID.xy * gl_WorkGroupSize.xy;
    const uvec2 last = min(first + gl_WorkGroupSize.xy, out_size) - 1u;
    const uint map_base = pc.m.in_base + plane * pc.m.in_stride, weights = BLOCK * pc.m.block_weights;
    // The tile's part of the convolution's result.
    float unused;
    const uvec2 begin = uvec2(reach(back, first.x, mid_size.x, out_size.x, unused).x,
                              reach(back, first.y, mid_size.y, out_size.y, unused).x);
    const uvec2 end = uvec2(reach(back, last.x, mid_size.x, out_size.x, unused).y,
                            reach(back, last.y, mid_size.y, out_size.y, unused).y);
    const uvec2 extent = end - begin, padded = extent + 2u;

    for (uint i = thread; i < padded.x * padded.y; i += threads) {
        const ivec2 at = ivec2(begin) + ivec2(i % padded.x, i / padded.x) - 1;
        vec4 v = vec4(0.0);
        if (uint(at.x) < mid_size.x && uint(at.y) < mid_size.y) {
            vec2 f;
            const uvec2 columns = reach(there, uint(at.x), in_size.x, mid_size.x, f.x);
            const uvec2 rows = reach(there, uint(at.y), in_size.y, mid_size.y, f.y);
            if (there == MEAN) {
                for (uint y = rows.x; y < rows.y; ++y) {
                    vec4 row = vec4(0.0);
                    for (uint x = columns.x; x < columns.y; ++x) row += load_map(map_base, x, y);
                    v += row;
                }
                v /= float((columns.y - columns.x) * (rows.y - rows.x));
            } else {
                const vec4 a = load_map(map_base, columns.x, rows.x), b = load_map(map_base, columns.y - 1u, rows.x);
                const vec4 c = load_map(map_base, columns.x, rows.y - 1u),
                           d = load_map(map_base, columns.y - 1u, rows.y - 1u);
                v = (1.0 - f.y) * ((1.0 - f.x) * a + f.x * b) + f.y * ((1.0 - f.x) * c + f.x * d);
            }
        }
        scaled[i] = pack_texel(v);
    }
    barrier();

    for (uint i = thread; i < extent.x * extent.y; i += threads) {
        const uint corner = i / extent.x * padded.x + i % extent.x;
        vec4 sum = WEIGHT(weights + 9u);
        for (uint ky = 0u; ky < 3u; ++ky)
            for (uint kx = 0u; kx < 3u; ++kx)
                sum += unpack_texel(scaled[corner + ky * padded.x + kx]) * WEIGHT(weights + ky * 3u + kx);
        convolved[i] = pack_texel(sum);
    }
    barrier();

    const uvec2 pixel = first + gl_LocalInvocationID.xy;
    if (pixel.x >= out_size.x || pixel.y >= out_size.y) return;
    vec2 f;
    const uvec2 columns = reach(back, pixel.x, mid_size.x, out_size.x, f.x) - begin.x;
    const uvec2 rows = reach(back, pixel.y, mid_size.y, out_size.y, f.y) - begin.y;
    vec4 v = vec4(0.0);
    if (back == MEAN) {
        for (uint y = rows.x; y < rows.y; ++y) {
            vec4 row = vec4(0.0);
            for (uint x = columns.x; x < columns.y; ++x) row += unpack_texel(convolved[y * extent.x + x]);
            v += row;
        }
        v /= float((columns.y - columns.x) * (rows.y - rows.x));
    } else {
        const vec4 a = unpack_texel(convolved[rows.x * extent.x + columns.x]),
                   b = unpack_texel(convolved[rows.x * extent.x + columns.y - 1u]),
                   c = unpack_texel(convolved[(rows.y - 1u) * extent.x + columns.x]),
                   d = unpack_texel(convolved[(rows.y - 1u) * extent.x + columns.y - 1u]);
        v = (1.0 - f.y) * ((1.0 - f.x) * a + f.x * b) + f.y * ((1.0 - f.x) * c + f.x * d);
    }
    store_out(pc.m.out_base + BLOCK * pc.m.out_stride + pixel.y * out_size.x + pixel.x,
              apply_epilogue(v, weights + 10u, 0, 1, 0u));
}
