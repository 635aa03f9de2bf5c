// variants: STORAGE=f32,f16 ACCESS=ssbo,bda ARITHMETIC=f32,f16
// Two direct convolutions of one shape, each with a map, weights and a result of its own. The first pc.blocks z blocks
// are the first one's; the grid is that of the larger. Packed weights of a z block: see conv2d.comp.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { Twin pc; };
#include "access.glsl"
#include "epilogue.glsl"
#include "products.glsl"

layout(constant_id = 7) const int KERNEL_H = 1;
layout(constant_id = 8) const int KERNEL_W = 1;
layout(constant_id = 9) const int PIXELS = 1;

void main() {
    const bool second = BLOCK >= pc.blocks;
    const uint block = BLOCK - (second ? pc.blocks : 0u);
    const uvec2 in_size = halves(second ? pc.in_size2 : pc.m.in_size);
    const uvec2 out_size = halves(second ? pc.out_size2 : pc.m.out_size);
    const uint in_base = second ? pc.m.add_base : pc.m.in_base;
    const uint in_stride = second ? pc.m.add_stride : pc.m.in_stride;
    const uint out_stride = second ? pc.out2.stride : pc.m.out_stride;
    const uint out_base = (second ? pc.out2.base : pc.m.out_base) + block * uint(PLANES) * out_stride;
    const uvec2 stride = halves(pc.stride), dilation = halves(pc.dilation);
    const ivec2 origin = halves_signed(pc.origin);
    const uint x0 = gl_WorkGroupID.x * gl_WorkGroupSize.x * uint(PIXELS) + gl_LocalInvocationID.x;
    const uint y = gl_GlobalInvocationID.y;
    if (x0 >= out_size.x || y >= out_size.y) return;

    const uint biases = BLOCK * pc.m.block_weights + uint(KERNEL_H * KERNEL_W * WEIGHT_ROWS * PLANES) * pc.in_planes;
    vec4 sum[PIXELS * PLANES];
    [[unroll]] for (int p = 0; p < PIXELS; ++p)
        [[unroll]] for (int o = 0; o < PLANES; ++o) sum[p * PLANES + o] = WEIGHT(biases + uint(o));

    uint w = BLOCK * pc.m.block_weights;
    for (int ky = 0; ky < KERNEL_H; ++ky) {
        const int iy = int(y * stride.y) + origin.y + ky * int(dilation.y);
        for (int kx = 0; kx < KERNEL_W; ++kx) {
            uint source[PIXELS];
            bool valid[PIXELS];
            [[unroll]] for (int p = 0; p < PIXELS; ++p) {
                const int ix = int((x0 + uint(p) * gl_WorkGroupSize.x) * stride.x) + origin.x + kx * int(dilation.x);
                valid[p] = uint(iy) < in_size.y && uint(ix) < in_size.x;
                source[p] = in_base + uint(iy) * in_size.x + uint(ix);
            }
            for (uint i = 0u; i < pc.in_planes; ++i) {
                FACTORS texel[PIXELS];
                [[unroll]] for (int p = 0; p < PIXELS; ++p) {
                    const uint at = source[p] + i * in_stride;
                    texel[p] = FACTORS(0.0);
                    if (valid[p]) texel[p] = second ? load_factors1(at) : load_factors0(at);
                }
                ADD_PRODUCTS(sum, texel, w, PIXELS, PLANES)
                w += uint(WEIGHT_ROWS * PLANES);
            }
        }
    }

    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
        const uint x = x0 + uint(p) * gl_WorkGroupSize.x;
        if (x >= out_size.x) continue;
        [[unroll]] for (int o = 0; o < PLANES; ++o)
            store_out(out_base + uint(o) * out_stride + y * out_size.x + x,
                      apply_epilogue(sum[p * PLANES + o], biases + uint(PLANES), o, 0u));
    }
}
