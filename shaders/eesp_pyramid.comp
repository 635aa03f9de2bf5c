// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// K parallel dilated depthwise convolutions of one map, hierarchically summed and concatenated (EESP); see
// esp_pyramid.comp. An invocation makes one pixel of PLANES planes of every branch; z block b takes planes b * PLANES
// on. Packed weights of a block, for each branch: per tap a row of PLANES vec4s; PLANES biases; the epilogue's vectors.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { Pyramid pc; };
#include "access.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const int KERNEL_H = 3;
layout(constant_id = 8) const int KERNEL_W = 3;
layout(constant_id = 9) const int BRANCHES = 1;

#ifdef ACCESS_TEXEL
#define BRANCH_COUNT BRANCHES
#else
#define BRANCH_COUNT int(pc.branches)
#endif

void main() {
    const uvec2 in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size), stride = halves(pc.stride);
    const uvec2 pixel = gl_GlobalInvocationID.xy;
    const bool inside = pixel.x < out_size.x && pixel.y < out_size.y;
    const uint at = pixel.y * out_size.x + pixel.x;
    const uint first = BLOCK * uint(PLANES);

    vec4 sum[PLANES];
    uint w = BLOCK * pc.m.block_weights;
    UNROLL for (int branch = 0; branch < BRANCH_COUNT; ++branch) {
        const int dilation = int((pc.dilations[branch >> 1] >> (16 * (branch & 1))) & 0xffffu);
        const bool continues = (pc.continues >> branch & 1u) != 0u;
        const uint bias = w + uint(KERNEL_H * KERNEL_W * PLANES);
        [[unroll]] for (int o = 0; o < PLANES; ++o)
            sum[o] = WEIGHT(bias + uint(o)) + (continues ? sum[o] : vec4(0.0));
        UNROLL for (int ky = 0; ky < KERNEL_H; ++ky) {
            const int iy = int(pixel.y * stride.y) + (ky - KERNEL_H / 2) * dilation;
            UNROLL for (int kx = 0; kx < KERNEL_W; ++kx) {
                const int ix = int(pixel.x * stride.x) + (kx - KERNEL_W / 2) * dilation;
                const bool valid = uint(iy) < in_size.y && uint(ix) < in_size.x;
                const uint source = pc.m.in_base + first * pc.m.in_stride + uint(iy) * in_size.x + uint(ix);
                [[unroll]] for (int o = 0; o < PLANES; ++o)
                    sum[o] += LOAD_IN0_OR_ZERO(valid, source + uint(o) * pc.m.in_stride) *
                              WEIGHT(w + uint((ky * KERNEL_W + kx) * PLANES + o));
            }
        }
        vec4 result[PLANES];
        [[unroll]] for (int o = 0; o < PLANES; ++o) {
            const uint plane = uint(branch) * pc.planes + first + uint(o);
            const uint add_index = pc.m.add_base + plane * pc.m.add_stride + at * pc.m.add_pixel;
            result[o] = apply_epilogue(sum[o], bias + uint(PLANES), o, inside ? add_index : 0u);
        }
        if (inside) {
            [[unroll]] for (int o = 0; o < PLANES; ++o)
                store_out(pc.m.out_base + (uint(branch) * pc.planes + first + uint(o)) * pc.m.out_stride + at,
                          result[o]);
        }
        w = bias + uint((1 + EPILOGUE_VECTORS) * PLANES);
    }
}
