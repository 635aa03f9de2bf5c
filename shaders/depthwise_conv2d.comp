// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// Depthwise 2-D convolution (one filter per channel). Packed weights of a block: per tap a row of PLANES vec4s; PLANES
// biases; the epilogue's vectors.
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

layout(constant_id = 7) const int KERNEL_H = 1;
layout(constant_id = 8) const int KERNEL_W = 1;
layout(constant_id = 9) const bool GATED = false;
#define GATE GATED

const uint TAP_VECTORS = uint((KERNEL_H * KERNEL_W + 1) * PLANES);
struct PlaneState {
    ivec2 first;
    bool inside;
};

PlaneState prepare(uvec2 pixel, bool inside) {
    return PlaneState(ivec2(pixel * halves(pc.stride)) + halves_signed(pc.origin), inside);
}

vec4 value(PlaneState state, uint plane, int o, uint weights) {
    const uvec2 in_size = halves(pc.m.in_size);
    const ivec2 dilation = ivec2(halves(pc.dilation));
    const uint base = pc.m.in_base + plane * pc.m.in_stride;
    vec4 sum = WEIGHT(weights + uint(KERNEL_H * KERNEL_W * PLANES + o));
    UNROLL for (int ky = 0; ky < KERNEL_H; ++ky) {
        const int iy = state.first.y + ky * dilation.y;
        UNROLL for (int kx = 0; kx < KERNEL_W; ++kx) {
            const int ix = state.first.x + kx * dilation.x;
            const bool valid = uint(iy) < in_size.y && uint(ix) < in_size.x;
            sum += LOAD_IN0_OR_ZERO(valid, base + uint(iy) * in_size.x + uint(ix)) *
                   WEIGHT(weights + uint((ky * KERNEL_W + kx) * PLANES + o));
        }
    }
    return sum;
}

#include "plane_kernel.glsl"
