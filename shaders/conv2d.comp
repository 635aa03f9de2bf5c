// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel ARITHMETIC=f32,f16 HOST
// Direct 2-D convolution, any kernel, stride and dilation; one phase of a transposed convolution (outputs out_step
// apart), or all of them (PHASED): the z blocks of each plane block are its phases. An invocation computes PIXELS pixels
// of PLANES output planes. Groups: block b reads input planes from b * block_in on, plane_step apart. Packed weights of
// a z block: per tap and input plane WEIGHT_ROWS rows of PLANES vectors (products.glsl); PLANES biases; the epilogue's
// vectors; those of the prologue, which is applied to what is read: scales, shifts and slopes of the input planes.
// SPLIT: from plane pc.split on, the input is the second operand. GATED: the result is multiplied by it.
// A column of taps (KERNEL_W 1) lies along the dilation's vector.
// CPU-shaped (ACCESS_TEXEL): tap and plane loops unrolled with specialised bounds into straight-line code. What an
// earlier part of the input planes left in the output comes in as the added operand. After ROUND planes of a tap the
// workgroup's subgroups wait for each other: one after another they run code that the instruction cache still holds.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { Conv pc; };
#include "access.glsl"
#include "epilogue.glsl"
#include "products.glsl"

layout(constant_id = 7) const int KERNEL_H = 1;
layout(constant_id = 8) const int KERNEL_W = 1;
layout(constant_id = 9) const int PIXELS = 1;
layout(constant_id = 10) const int IN_PLANES = 1;
layout(constant_id = 11) const bool PHASED = false;
layout(constant_id = 12) const bool PROLOGUE_SCALE_SHIFT = false;
layout(constant_id = 13) const int PROLOGUE_ACTIVATION = 0;
layout(constant_id = 14) const bool SPLIT = false;
layout(constant_id = 15) const bool GATED = false;
layout(constant_id = 16) const int ROUND = 0;

#ifdef ACCESS_TEXEL
#define PLANE_COUNT IN_PLANES
#else
#define PLANE_COUNT int(pc.in_planes)
#endif

#ifndef ACCESS_TEXEL
vec4 apply_prologue(vec4 v, uint base, uint plane) {
    uint slopes = base + plane;
    if (PROLOGUE_SCALE_SHIFT) {
        v = v * WEIGHT(base + plane) + WEIGHT(base + pc.in_planes + plane);
        slopes += 2u * pc.in_planes;
    }
    return activate(v, PROLOGUE_ACTIVATION, slopes);
}
#endif

void main() {
    const uvec2 in_size = halves(pc.m.in_size);
    const uvec2 out_size = halves(pc.m.out_size);
    const uvec2 stride = halves(pc.stride), dilation = halves(pc.dilation);
    ivec2 origin = halves_signed(pc.origin);
    const uvec2 out_step = halves(pc.out_step);
    uvec2 out_offset = halves(pc.out_offset);
    uint block = BLOCK;
#ifdef ACCESS_TEXEL
    const int kernel_h = KERNEL_H, kernel_w = KERNEL_W;
#else
    int kernel_h = KERNEL_H, kernel_w = KERNEL_W;
    if (PHASED) {
        const uvec2 phases = halves(pc.phases);
        const uint phase = block % (phases.x * phases.y);
        block /= phases.x * phases.y;
        out_offset = uvec2(phase % phases.x, phase / phases.x);
        origin += ivec2(out_offset) * halves_signed(pc.phase_origin);
        kernel_w = int(pc.phase_taps >> (4u * out_offset.x) & 15u);
        kernel_h = int(pc.phase_taps >> (16u + 4u * out_offset.y) & 15u);
    }
#endif
#ifdef ACCESS_TEXEL
    const uvec2 place = place_in_rows(pc.grid_size & 0xffffu);
    const uint x0 = place.x, y = place.y;
#else
    const uint x0 = gl_WorkGroupID.x * gl_WorkGroupSize.x * uint(PIXELS) + gl_LocalInvocationID.x;
    const uint y = gl_GlobalInvocationID.y;
#endif
    const uint in_base = pc.m.in_base + block * pc.block_in * pc.m.in_stride;
    const uint plane_step = pc.plane_step * pc.m.in_stride;
    const uint out_base = pc.m.out_base + block * uint(PLANES) * pc.m.out_stride;
    const uint weights = BLOCK * pc.m.block_weights;
    const uint biases = weights + uint(KERNEL_H * KERNEL_W * PLANE_COUNT * WEIGHT_ROWS * PLANES);

    const uint prologue = biases + uint((1 + EPILOGUE_VECTORS) * PLANES);

    vec4 sum[PIXELS * PLANES];
    uint out_pixel[PIXELS];
    bool inside[PIXELS];
    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
        const uint x = x0 + uint(p) * gl_WorkGroupSize.x;
        const uvec2 at = uvec2(x, y) * out_step + out_offset;
        out_pixel[p] = at.y * out_size.x + at.x;
        inside[p] = at.x < out_size.x && at.y < out_size.y;
        [[unroll]] for (int o = 0; o < PLANES; ++o) {
            sum[p * PLANES + o] = WEIGHT(biases + uint(o));
        }
    }

    UNROLL for (int ky = 0; ky < kernel_h; ++ky) {
        const int iy = int(y * stride.y) + origin.y + ky * int(dilation.y);
        const bool valid_y = uint(iy) < in_size.y;
        UNROLL for (int kx = 0; kx < kernel_w; ++kx) {
            uint w = weights + uint((ky * KERNEL_W + kx) * PLANE_COUNT * WEIGHT_ROWS * PLANES);
            uint source[PIXELS];
            bool valid[PIXELS];
            [[unroll]] for (int p = 0; p < PIXELS; ++p) {
                const int ix = int((x0 + uint(p) * gl_WorkGroupSize.x) * stride.x) + origin.x +
                               (KERNEL_W == 1 ? ky : kx) * int(dilation.x);
                valid[p] = valid_y && uint(ix) < in_size.x;
                source[p] = in_base + uint(iy) * in_size.x + uint(ix);
            }
            UNROLL for (int i = 0; i < PLANE_COUNT; ++i) {
#ifdef ACCESS_TEXEL
                const int step = (ky * KERNEL_W + kx) * PLANE_COUNT + i;
                if (ROUND > 0 && step > 0 && step % ROUND == 0) barrier();
#endif
                FACTORS texel[PIXELS];
                [[unroll]] for (int p = 0; p < PIXELS; ++p)
#ifdef ACCESS_TEXEL
                    texel[p] = LOAD_IN0_OR_ZERO(valid[p], source[p] + uint(i) * plane_step);
#else
                {
                    texel[p] = FACTORS(0.0);
                    if (valid[p])
                        texel[p] = SPLIT && uint(i) >= pc.split
                                       ? load_factors1(source[p] - pc.m.in_base + pc.m.add_base +
                                                       (uint(i) - pc.split) * pc.m.add_stride)
                                       : load_factors0(source[p] + uint(i) * plane_step);
                }
                if (PROLOGUE_SCALE_SHIFT || PROLOGUE_ACTIVATION != 0) {
                    // Zeros beyond the border are of the result.
                    [[unroll]] for (int p = 0; p < PIXELS; ++p)
                        texel[p] = valid[p] ? factors(apply_prologue(vec4(texel[p]), prologue, uint(i))) : FACTORS(0.0);
                }
#endif
#ifdef ACCESS_TEXEL
                w = uint(((ky * KERNEL_W + kx) * PLANE_COUNT + i) * WEIGHT_ROWS * PLANES);
#endif
                ADD_PRODUCTS(sum, texel, w, PIXELS, PLANES)
                w += uint(WEIGHT_ROWS * PLANES);
            }
        }
    }

    [[unroll]] for (int p = 0; p < PIXELS; ++p) {
        // The epilogue stands outside the branch: inside it the CPU driver would load weights lane by lane.
        [[unroll]] for (int o = 0; o < PLANES; ++o) {
            const uint add_index = pc.m.add_base + (block * uint(PLANES) + uint(o)) * pc.m.add_stride +
                                   out_pixel[p] * pc.m.add_pixel;
            sum[p * PLANES + o] =
                apply_epilogue(sum[p * PLANES + o], biases + uint(PLANES), o, inside[p] ? add_index : 0u);
#ifndef ACCESS_TEXEL
            if (GATED && inside[p]) sum[p * PLANES + o] *= load_in1(add_index);
#endif
        }
        if (inside[p]) {
            [[unroll]] for (int o = 0; o < PLANES; ++o)
                store_out(out_base + uint(o) * pc.m.out_stride + out_pixel[p], sum[p * PLANES + o]);
        }
    }
}
