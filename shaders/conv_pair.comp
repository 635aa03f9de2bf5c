// variants: STORAGE=f32,f16 ACCESS=ssbo,bda ARITHMETIC=f32,f16
// A convolution and a second one of one row (1 x KERNEL2) behind it, as in factorised units; or several such pairs that
// read one map and sum up. A workgroup makes a run of pixels of a row: its slots (z) make planes of what lies between
// the two, chunk by chunk, for all of the run, and meet in shared memory, where the second convolution reads; the ends
// of the run, pc.halo pixels each, are made by the neighbours.
// Packed weights, for each branch, chunk and slot: per tap and input plane WEIGHT_ROWS rows of PLANES vectors
// (products.glsl); PLANES biases; vectors of the epilogue between. From second_weights on, likewise: per tap and plane
// of the chunk WEIGHT_ROWS rows of OUT_PLANES vectors. From final_weights on, for each slot: OUT_PLANES biases of each
// branch, the epilogue's vectors.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { ConvPair pc; };
#include "access.glsl"
#include "epilogue.glsl"
#include "products.glsl"

layout(constant_id = 7) const int KERNEL_H = 1;
layout(constant_id = 8) const int KERNEL_W = 1;
layout(constant_id = 9) const int PIXELS = 1;
layout(constant_id = 10) const int KERNEL2 = 1;
layout(constant_id = 11) const int OUT_PLANES = 1;
layout(constant_id = 12) const bool MID_SCALE_SHIFT = false;
layout(constant_id = 13) const int MID_ACTIVATION = 0;
layout(constant_id = 14) const int STAGED_TEXELS = 1;

// As it would lie in memory: the results are those of two dispatches.
shared TEXEL staged[STAGED_TEXELS];

const int MID_VECTORS = (MID_SCALE_SHIFT ? 2 : 0) + (MID_ACTIVATION == 2 ? 1 : 0);

void main() {
    const uvec2 in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size), stride = halves(pc.stride);
    const uint slot = gl_LocalInvocationID.z, slots = gl_WorkGroupSize.z;
    const int run = int(gl_WorkGroupSize.x) * PIXELS, halo = int(pc.halo);
    const uint y = gl_WorkGroupID.y;
    int column[PIXELS], x[PIXELS];
    bool inside[PIXELS];
    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
        column[p] = int(gl_LocalInvocationID.x) + p * int(gl_WorkGroupSize.x);
        x[p] = int(gl_WorkGroupID.x) * (run - 2 * halo) + column[p] - halo;
        inside[p] = uint(x[p]) < out_size.x && y < out_size.y;
    }

    const uint final_base = pc.final_weights + slot * pc.final_block;
    vec4 sum[PIXELS * OUT_PLANES];
    [[unroll]] for (int i = 0; i < PIXELS * OUT_PLANES; ++i) sum[i] = vec4(0.0);
    for (uint branch = 0u; branch < pc.branches; ++branch) {
        const ivec2 dilation = ivec2(pc.dilations[branch] >> 8 & 0xffu, pc.dilations[branch] & 0xffu);
        const int dilation2 = int(pc.dilations[branch] >> 16 & 0xffu);
        [[unroll]] for (int o = 0; o < OUT_PLANES; ++o) {
            const vec4 bias = WEIGHT(final_base + branch * uint(OUT_PLANES) + uint(o));
            [[unroll]] for (int p = 0; p < PIXELS; ++p) sum[p * OUT_PLANES + o] += bias;
        }
        for (uint chunk = 0u; chunk < pc.chunks; ++chunk) {
            const uint section = (branch * pc.chunks + chunk) * slots + slot;
            const uint mid_left = pc.mid_planes - chunk * slots * uint(PLANES);
            uint w = section * pc.m.block_weights;
            const uint biases = w + uint(KERNEL_H * KERNEL_W * WEIGHT_ROWS * PLANES) * pc.in_planes;
            vec4 mid[PIXELS * PLANES];
            [[unroll]] for (int p = 0; p < PIXELS; ++p)
                [[unroll]] for (int o = 0; o < PLANES; ++o) mid[p * PLANES + o] = WEIGHT(biases + uint(o));
            for (int ky = 0; ky < KERNEL_H && slot * uint(PLANES) < mid_left; ++ky) {
                const int iy = int(y * stride.y) + (ky - KERNEL_H / 2) * dilation.y;
                for (int kx = 0; kx < KERNEL_W; ++kx) {
                    uint source[PIXELS];
                    bool valid[PIXELS];
                    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
                        const int ix = x[p] * int(stride.x) + (kx - KERNEL_W / 2) * dilation.x;
                        valid[p] = inside[p] && uint(iy) < in_size.y && uint(ix) < in_size.x;
                        source[p] = pc.m.in_base + uint(iy) * in_size.x + uint(ix);
                    }
                    for (uint i = 0u; i < pc.in_planes; ++i, w += uint(WEIGHT_ROWS * PLANES)) {
                        FACTORS texel[PIXELS];
                        [[unroll]] for (int p = 0; p < PIXELS; ++p)
                            texel[p] = LOAD_FACTORS0_OR_ZERO(valid[p], source[p] + i * pc.m.in_stride);
                        ADD_PRODUCTS(mid, texel, w, PIXELS, PLANES)
                    }
                }
            }
            [[unroll]] for (int p = 0; p < PIXELS; ++p)
                [[unroll]] for (int o = 0; o < PLANES; ++o) {
                    vec4 v = mid[p * PLANES + o];
                    const uint vectors = biases + uint(PLANES + o);
                    if (MID_SCALE_SHIFT) v = v * WEIGHT(vectors) + WEIGHT(vectors + uint(PLANES));
                    v = activate(v, MID_ACTIVATION, vectors + (MID_SCALE_SHIFT ? uint(2 * PLANES) : 0u));
                    // Beyond the border there are zeros between the two as well.
                    staged[(int(slot) * PLANES + o) * run + column[p]] = pack_texel(inside[p] ? v : vec4(0.0));
                }
            barrier();

            uint w2 = pc.second_weights + section * pc.second_block;
            for (int k = 0; k < KERNEL2; ++k) {
                int source[PIXELS];
                // Columns whose result nobody wants may want some beyond the run.
                [[unroll]] for (int p = 0; p < PIXELS; ++p)
                    source[p] = clamp(column[p] + (k - KERNEL2 / 2) * dilation2, 0, run - 1);
                uint row2 = w2;
                w2 += uint(WEIGHT_ROWS * OUT_PLANES * PLANES) * slots;
                const int chunk_planes = int(min(slots * uint(PLANES), mid_left));
                for (int i = 0; i < chunk_planes; ++i, row2 += uint(WEIGHT_ROWS * OUT_PLANES)) {
                    FACTORS texel[PIXELS];
                    [[unroll]] for (int p = 0; p < PIXELS; ++p) texel[p] = unpack_factors(staged[i * run + source[p]]);
                    ADD_PRODUCTS(sum, texel, row2, PIXELS, OUT_PLANES)
                }
            }
            // Before the next chunk overwrites what was staged.
            barrier();
        }
    }

    const uint vectors = final_base + pc.branches * uint(OUT_PLANES);
    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
        if (!inside[p] || column[p] < halo || column[p] >= run - halo) continue;
        const uint at = y * out_size.x + uint(x[p]);
        [[unroll]] for (int o = 0; o < OUT_PLANES; ++o) {
            const uint plane = slot * uint(OUT_PLANES) + uint(o);
            if (plane >= pc.out_planes) continue;
            const uint add_index = pc.m.add_base + plane * pc.m.add_stride + at * pc.m.add_pixel;
            store_out(pc.m.out_base + plane * pc.m.out_stride + at,
                      apply_epilogue(sum[p * OUT_PLANES + o], vectors, o, OUT_PLANES, add_index));
        }
    }
}
