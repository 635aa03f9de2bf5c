// variants: STORAGE=f32,f16 ACCESS=ssbo,bda ARITHMETIC=f32,f16
// A convolution and a pooling of one map, concatenated. The first pc.conv_blocks z blocks make PIXELS pixels of PLANES
// planes of the convolution, each further one a plane of the pooling. Packed weights of a block: see conv2d.comp; from
// pool_weights on, for each plane of the pooling, the epilogue's vectors.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { Down pc; };
#include "access.glsl"
#include "epilogue.glsl"
#include "products.glsl"
#include "pool.glsl"

layout(constant_id = 7) const int KERNEL_H = 1;
layout(constant_id = 8) const int KERNEL_W = 1;
layout(constant_id = 9) const int PIXELS = 1;
layout(constant_id = 10) const int POOL_MODE = 0;

void main() {
    const uvec2 in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size);
    const uvec2 stride = halves(pc.stride), dilation = halves(pc.dilation);
    const ivec2 origin = halves_signed(pc.origin);
    const uint x0 = gl_WorkGroupID.x * gl_WorkGroupSize.x * uint(PIXELS) + gl_LocalInvocationID.x;
    const uint y = gl_GlobalInvocationID.y;
    if (x0 >= out_size.x || y >= out_size.y) return;
    if (BLOCK >= pc.conv_blocks) {
        const uint plane = BLOCK - pc.conv_blocks;
        for (int p = 0; p < PIXELS; ++p) {
            const uvec2 pixel = uvec2(x0 + uint(p) * gl_WorkGroupSize.x, y);
            if (pixel.x >= out_size.x) continue;
            const PoolWindow window =
                pool_window(POOL_MODE, pixel, true, ivec2(in_size), ivec2(halves(pc.pool_kernel)),
                            halves(pc.pool_stride), ivec2(halves(pc.pool_padding)));
            const vec4 v = pool(POOL_MODE, window, pc.m.in_base + plane * pc.m.in_stride, in_size.x);
            store_out(pc.m.out_base + (pc.pool_first + plane) * pc.m.out_stride + pixel.y * out_size.x + pixel.x,
                      apply_epilogue(v, pc.pool_weights + plane * uint(EPILOGUE_VECTORS), 0, 1, 0u));
        }
        return;
    }

    uint w = BLOCK * pc.m.block_weights;
    const uint biases = w + uint(KERNEL_H * KERNEL_W * WEIGHT_ROWS * PLANES) * pc.in_planes;
    vec4 sum[PIXELS * PLANES];
    [[unroll]] for (int p = 0; p < PIXELS; ++p)
        [[unroll]] for (int o = 0; o < PLANES; ++o) sum[p * PLANES + o] = WEIGHT(biases + uint(o));
    for (int ky = 0; ky < KERNEL_H; ++ky) {
        const int iy = int(y * stride.y) + origin.y + ky * int(dilation.y);
        for (int kx = 0; kx < KERNEL_W; ++kx) {
            uint source[PIXELS];
            bool valid[PIXELS];
            [[unroll]] for (int p = 0; p < PIXELS; ++p) {
                const int ix = int((x0 + uint(p) * gl_WorkGroupSize.x) * stride.x) + origin.x + kx * int(dilation.x);
                valid[p] = uint(iy) < in_size.y && uint(ix) < in_size.x;
                source[p] = pc.m.in_base + uint(iy) * in_size.x + uint(ix);
            }
            for (uint i = 0u; i < pc.in_planes; ++i, w += uint(WEIGHT_ROWS * PLANES)) {
                FACTORS texel[PIXELS];
                [[unroll]] for (int p = 0; p < PIXELS; ++p)
                    texel[p] = LOAD_FACTORS0_OR_ZERO(valid[p], source[p] + i * pc.m.in_stride);
                ADD_PRODUCTS(sum, texel, w, PIXELS, PLANES)
            }
        }
    }
    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
        const uint x = x0 + uint(p) * gl_WorkGroupSize.x;
        [[unroll]] for (int o = 0; o < PLANES; ++o) {
            const uint plane = BLOCK * uint(PLANES) + uint(o);
            if (x >= out_size.x || plane >= pc.conv_planes) continue;
            store_out(pc.m.out_base + (pc.conv_first + plane) * pc.m.out_stride + y * out_size.x + x,
                      apply_epilogue(sum[p * PLANES + o], biases + uint(PLANES), o, 0u));
        }
    }
}
