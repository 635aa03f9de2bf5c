// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel ARITHMETIC=f32,f16
// K parallel dilated convolutions of one map, hierarchically summed and concatenated (ESP). The sum is a prefix sum
// over the branches, so an invocation keeps its accumulators from branch to branch and stores them, through the
// epilogue, after each. Padding keeps the size. An invocation makes PIXELS pixels of PLANES planes of every branch; z
// block b takes planes b * PLANES on. Packed weights of a block, for each branch: per tap and input plane WEIGHT_ROWS
// rows of PLANES vectors (products.glsl); PLANES biases; the epilogue's vectors.
// CPU-shaped (ACCESS_TEXEL): one block, everything unrolled; branch 0 may have another width, FIRST_PLANES.
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
#include "products.glsl"

layout(constant_id = 7) const int KERNEL_H = 3;
layout(constant_id = 8) const int KERNEL_W = 3;
layout(constant_id = 9) const int PIXELS = 1;
layout(constant_id = 10) const int IN_PLANES = 1;
layout(constant_id = 11) const int BRANCHES = 1;
layout(constant_id = 12) const int FIRST_PLANES = 1;

#ifdef ACCESS_TEXEL
#define PLANE_COUNT IN_PLANES
#define BRANCH_COUNT BRANCHES
#define WIDTH(branch) ((branch) == 0 ? FIRST_PLANES : PLANES)
#else
#define PLANE_COUNT int(pc.in_planes)
#define BRANCH_COUNT int(pc.branches)
#define WIDTH(branch) PLANES
#endif

void main() {
    const uvec2 in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size), stride = halves(pc.stride);
    const uint x0 = gl_WorkGroupID.x * gl_WorkGroupSize.x * uint(PIXELS) + gl_LocalInvocationID.x;
    const uint y = gl_GlobalInvocationID.y;
    const uint first = BLOCK * uint(PLANES);  // of each branch's planes

    vec4 sum[PIXELS * (FIRST_PLANES + PLANES)];
    uint w = BLOCK * pc.m.block_weights;
    uint branch_plane = 0u;
    UNROLL for (int branch = 0; branch < BRANCH_COUNT; ++branch) {
        const uint rows = uint(KERNEL_H * KERNEL_W * PLANE_COUNT * WEIGHT_ROWS * WIDTH(branch));
        const uint width = branch == 0 ? pc.first_planes : pc.planes;
        const int dilation = int((pc.dilations[branch >> 1] >> (16 * (branch & 1))) & 0xffffu);
        // The same for all invocations of a block; there is one block where branches are unrolled.
#ifndef ACCESS_TEXEL
        if (first < width)
#endif
        {
            const bool continues = (pc.continues >> branch & 1u) != 0u;
            [[unroll]] for (int p = 0; p < PIXELS; ++p)
                [[unroll]] for (int o = 0; o < WIDTH(branch); ++o) {
                    const int at = p * WIDTH(branch) + o;
                    sum[at] = WEIGHT(w + rows + uint(o)) + (continues ? sum[at] : vec4(0.0));
                }

            uint row = w;
            UNROLL for (int ky = 0; ky < KERNEL_H; ++ky) {
                const int iy = int(y * stride.y) + (ky - KERNEL_H / 2) * dilation;
                const bool valid_y = uint(iy) < in_size.y;
                UNROLL for (int kx = 0; kx < KERNEL_W; ++kx) {
                    uint source[PIXELS];
                    bool valid[PIXELS];
                    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
                        const int ix = int((x0 + uint(p) * gl_WorkGroupSize.x) * stride.x) +
                                       (kx - KERNEL_W / 2) * dilation;
                        valid[p] = valid_y && uint(ix) < in_size.x;
                        source[p] = pc.m.in_base + uint(iy) * in_size.x + uint(ix);
                    }
                    UNROLL for (int i = 0; i < PLANE_COUNT; ++i) {
                        FACTORS texel[PIXELS];
                        [[unroll]] for (int p = 0; p < PIXELS; ++p)
                            texel[p] = LOAD_FACTORS0_OR_ZERO(valid[p], source[p] + uint(i) * pc.m.in_stride);
                        ADD_PRODUCTS(sum, texel, row, PIXELS, WIDTH(branch))
                        row += uint(WEIGHT_ROWS * WIDTH(branch));
                    }
                }
            }

            [[unroll]] for (int p = 0; p < PIXELS; ++p) {
                const uint x = x0 + uint(p) * gl_WorkGroupSize.x;
                const uint pixel = y * out_size.x + x;
                const bool inside = x < out_size.x && y < out_size.y;
                vec4 result[FIRST_PLANES + PLANES];
                [[unroll]] for (int o = 0; o < WIDTH(branch); ++o) {
                    const uint plane = branch_plane + first + uint(o);
                    const uint add_index = pc.m.add_base + plane * pc.m.add_stride + pixel * pc.m.add_pixel;
                    result[o] = apply_epilogue(sum[p * WIDTH(branch) + o], w + rows + uint(WIDTH(branch)), o,
                                               WIDTH(branch), inside && first + uint(o) < width ? add_index : 0u);
                }
                [[unroll]] for (int o = 0; o < WIDTH(branch); ++o)
                    if (inside && first + uint(o) < width)
                        store_out(pc.m.out_base + (branch_plane + first + uint(o)) * pc.m.out_stride + pixel,
                                  result[o]);
            }
        }
        w += rows + uint((1 + EPILOGUE_VECTORS) * WIDTH(branch));
        branch_plane += width;
    }
}
