// variants: STORAGE=f32,f16 ACCESS=ssbo,bda ARITHMETIC=f32,f16
// A pyramid (esp_pyramid.comp, eesp_pyramid.comp) and the 1x1 convolutions behind it, "mix" and "rider". A workgroup
// makes all planes of a run of pixels: slot z makes PLANES planes of every branch, and they meet in shared memory.
//   STORE_PYRAMID   the pyramid is the first result, the mix of all its branches the second
//   else            the mix is the first result, the rider, if any, the second
// MIX and RIDER: 1 each branch makes outputs of its own (groups), 2 all branches sum up.
// Packed weights of a slot: see esp_pyramid.comp; then, from mix_weights on, for each slot and branch: per input plane
// WEIGHT_ROWS rows of MIX_PLANES vectors; behind each branch's (1) or the last one's rows (2) MIX_PLANES biases and the
// epilogue's vectors. From rider_weights on the same of the rider.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { PyramidUnit pc; };
#include "access.glsl"
#include "epilogue.glsl"
#include "products.glsl"

layout(constant_id = 7) const int KERNEL_H = 3;
layout(constant_id = 8) const int KERNEL_W = 3;
layout(constant_id = 9) const int PIXELS = 1;
layout(constant_id = 10) const bool DEPTHWISE = false;
layout(constant_id = 11) const bool STORE_PYRAMID = false;
layout(constant_id = 12) const int MIX = 2;
layout(constant_id = 13) const int MIX_PLANES = 1;
layout(constant_id = 14) const int MIX_WIDTH = 1;  // planes of the mix, of each branch (1) or in all (2)
layout(constant_id = 15) const bool MIX_ADD = false;
layout(constant_id = 16) const bool MIX_SCALE_SHIFT = false;
layout(constant_id = 17) const int MIX_ACTIVATION = 0;
layout(constant_id = 18) const int RIDER = 0;
layout(constant_id = 19) const int RIDER_PLANES = 1;
layout(constant_id = 20) const int RIDER_WIDTH = 1;
layout(constant_id = 21) const bool RIDER_SCALE_SHIFT = false;
layout(constant_id = 22) const int RIDER_ACTIVATION = 0;
layout(constant_id = 23) const int STAGED_TEXELS = 1;
layout(constant_id = 24) const int MIXED_TEXELS = 1;

// As they would lie in memory: the results are those of dispatches one by one.
shared TEXEL staged[STAGED_TEXELS];
shared TEXEL mixed[MIXED_TEXELS];

const int MIX_VECTORS = (MIX_SCALE_SHIFT ? 2 : 0) + (MIX_ACTIVATION == 2 ? 1 : 0);
const int RIDER_VECTORS = (RIDER_SCALE_SHIFT ? 2 : 0) + (RIDER_ACTIVATION == 2 ? 1 : 0);

vec4 normalise(vec4 v, bool scale_shift, int activation, uint base, int o, int planes) {
    uint slopes = base + uint(o);
    if (scale_shift) {
        v = v * WEIGHT(base + uint(o)) + WEIGHT(base + uint(planes + o));
        slopes += uint(2 * planes);
    }
    return activate(v, activation, slopes);
}

void store_second(uint plane, uint at, vec4 v) { store_out(pc.out2.base + plane * pc.out2.stride + at, v); }
void store_first(uint plane, uint at, vec4 v) { store_out(pc.m.out_base + plane * pc.m.out_stride + at, v); }

void main() {
    const uvec2 in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size), stride = halves(pc.stride);
    const uint slot = gl_LocalInvocationID.z, run = gl_WorkGroupSize.x * uint(PIXELS);
    const uint first = slot * uint(PLANES);
    const uint y = gl_WorkGroupID.y;
    uint column[PIXELS], x[PIXELS], at[PIXELS];
    bool inside[PIXELS];
    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
        column[p] = gl_LocalInvocationID.x + uint(p) * gl_WorkGroupSize.x;
        x[p] = gl_WorkGroupID.x * run + column[p];
        at[p] = y * out_size.x + x[p];
        inside[p] = x[p] < out_size.x && y < out_size.y;
    }

    vec4 sum[PIXELS * PLANES], mix_sum[PIXELS * MIX_PLANES], rider_sum[PIXELS * RIDER_PLANES];
    [[unroll]] for (int i = 0; i < PIXELS * PLANES; ++i) sum[i] = vec4(0.0);
    [[unroll]] for (int i = 0; i < PIXELS * MIX_PLANES; ++i) mix_sum[i] = vec4(0.0);
    [[unroll]] for (int i = 0; i < PIXELS * RIDER_PLANES; ++i) rider_sum[i] = vec4(0.0);
    uint w = slot * pc.m.block_weights;
    uint mix_w = pc.mix_weights + slot * pc.mix_block, rider_w = pc.rider_weights + slot * pc.rider_block;
    uint branch_plane = 0u;
    for (int branch = 0; branch < int(pc.branches); ++branch) {
        const uint width = branch == 0 ? pc.first_planes : pc.planes;
        const int dilation = int((pc.dilations[branch >> 1] >> (16 * (branch & 1))) & 0xffffu);
        const bool last = branch + 1 == int(pc.branches);
        const uint rows = uint(KERNEL_H * KERNEL_W * PLANES) * (DEPTHWISE ? 1u : pc.in_planes * uint(WEIGHT_ROWS));
        if (first < width) {
            const bool continues = (pc.continues >> branch & 1u) != 0u;
            [[unroll]] for (int p = 0; p < PIXELS; ++p)
                [[unroll]] for (int o = 0; o < PLANES; ++o) {
                    const int i = p * PLANES + o;
                    sum[i] = WEIGHT(w + rows + uint(o)) + (continues ? sum[i] : vec4(0.0));
                }
            uint row = w;
            for (int ky = 0; ky < KERNEL_H; ++ky) {
                const int iy = int(y * stride.y) + (ky - KERNEL_H / 2) * dilation;
                for (int kx = 0; kx < KERNEL_W; ++kx) {
                    uint source[PIXELS];
                    bool valid[PIXELS];
                    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
                        const int ix = int(x[p] * stride.x) + (kx - KERNEL_W / 2) * dilation;
                        valid[p] = inside[p] && uint(iy) < in_size.y && uint(ix) < in_size.x;
                        source[p] = pc.m.in_base + uint(iy) * in_size.x + uint(ix);
                    }
                    if (DEPTHWISE) {
                        [[unroll]] for (int o = 0; o < PLANES; ++o) {
                            if (first + uint(o) >= width) continue;
                            const vec4 weight = WEIGHT(row + uint(o));
                            [[unroll]] for (int p = 0; p < PIXELS; ++p)
                                sum[p * PLANES + o] +=
                                    LOAD_IN0_OR_ZERO(valid[p], source[p] + (first + uint(o)) * pc.m.in_stride) * weight;
                        }
                        row += uint(PLANES);
                    } else {
                        for (uint i = 0u; i < pc.in_planes; ++i, row += uint(WEIGHT_ROWS * PLANES)) {
                            FACTORS texel[PIXELS];
                            [[unroll]] for (int p = 0; p < PIXELS; ++p)
                                texel[p] = LOAD_FACTORS0_OR_ZERO(valid[p], source[p] + i * pc.m.in_stride);
                            ADD_PRODUCTS(sum, texel, row, PIXELS, PLANES)
                        }
                    }
                }
            }
            [[unroll]] for (int p = 0; p < PIXELS; ++p)
                [[unroll]] for (int o = 0; o < PLANES; ++o) {
                    if (first + uint(o) >= width) continue;
                    const uint plane = branch_plane + first + uint(o);
                    const uint add_index = pc.m.add_base + plane * pc.m.add_stride + at[p] * pc.m.add_pixel;
                    const vec4 v = apply_epilogue(sum[p * PLANES + o], w + rows + uint(PLANES), o,
                                                  inside[p] ? add_index : pc.m.add_base);
                    if (STORE_PYRAMID && inside[p]) store_first(plane, at[p], v);
                    staged[(first + uint(o)) * run + column[p]] = pack_texel(v);
                }
        }
        w += rows + uint((1 + EPILOGUE_VECTORS) * PLANES);
        barrier();

        const uint mix_first = slot * uint(MIX_PLANES);
        if (mix_first < uint(MIX_WIDTH)) {
            if (MIX == 1) {
                [[unroll]] for (int i = 0; i < PIXELS * MIX_PLANES; ++i) mix_sum[i] = vec4(0.0);
            }
            for (uint i = 0u; i < width; ++i, mix_w += uint(WEIGHT_ROWS * MIX_PLANES)) {
                FACTORS texel[PIXELS];
                [[unroll]] for (int p = 0; p < PIXELS; ++p) texel[p] = unpack_factors(staged[i * run + column[p]]);
                ADD_PRODUCTS(mix_sum, texel, mix_w, PIXELS, MIX_PLANES)
            }
            if (MIX == 1 || last) {
                [[unroll]] for (int p = 0; p < PIXELS; ++p)
                    [[unroll]] for (int o = 0; o < MIX_PLANES; ++o) {
                        if (mix_first + uint(o) >= uint(MIX_WIDTH)) continue;
                        const uint plane = (MIX == 1 ? uint(branch * MIX_WIDTH) : 0u) + mix_first + uint(o);
                        vec4 v = mix_sum[p * MIX_PLANES + o] + WEIGHT(mix_w + uint(o));
                        const uint add_index = pc.m.add_base + plane * pc.m.add_stride + at[p] * pc.m.add_pixel;
                        if (MIX_ADD && inside[p]) v += load_in1(add_index);
                        v = normalise(v, MIX_SCALE_SHIFT, MIX_ACTIVATION, mix_w + uint(MIX_PLANES), o, MIX_PLANES);
                        if (inside[p] && STORE_PYRAMID) store_second(plane, at[p], v);
                        if (inside[p] && !STORE_PYRAMID) store_first(plane, at[p], v);
                        if (RIDER != 0) mixed[(mix_first + uint(o)) * run + column[p]] = pack_texel(v);
                    }
                mix_w += uint((1 + MIX_VECTORS) * MIX_PLANES);
            }
        }
        // Before the next branch overwrites what was staged; and the rider reads what was mixed.
        barrier();

        const uint rider_first = slot * uint(RIDER_PLANES);
        if (RIDER != 0 && rider_first < uint(RIDER_WIDTH)) {
            if (RIDER == 1) {
                [[unroll]] for (int i = 0; i < PIXELS * RIDER_PLANES; ++i) rider_sum[i] = vec4(0.0);
            }
            for (uint i = 0u; i < uint(MIX_WIDTH); ++i, rider_w += uint(WEIGHT_ROWS * RIDER_PLANES)) {
                FACTORS texel[PIXELS];
                [[unroll]] for (int p = 0; p < PIXELS; ++p) texel[p] = unpack_factors(mixed[i * run + column[p]]);
                ADD_PRODUCTS(rider_sum, texel, rider_w, PIXELS, RIDER_PLANES)
            }
            if (RIDER == 1 || last) {
                [[unroll]] for (int p = 0; p < PIXELS; ++p)
                    [[unroll]] for (int o = 0; o < RIDER_PLANES; ++o) {
                        if (rider_first + uint(o) >= uint(RIDER_WIDTH)) continue;
                        const uint plane = (RIDER == 1 ? uint(branch * RIDER_WIDTH) : 0u) + rider_first + uint(o);
                        const vec4 v = rider_sum[p * RIDER_PLANES + o] + WEIGHT(rider_w + uint(o));
                        if (inside[p])
                            store_second(plane, at[p],
                                         normalise(v, RIDER_SCALE_SHIFT, RIDER_ACTIVATION,
                                                   rider_w + uint(RIDER_PLANES), o, RIDER_PLANES));
                    }
                rider_w += uint((1 + RIDER_VECTORS) * RIDER_PLANES);
            }
        }
        branch_plane += width;
    }
}
