// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// Product of two operands; the second may have one pixel that counts for all.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { Copy pc; };
#include "access.glsl"
#include "epilogue.glsl"

const uint TAP_VECTORS = 0u;
struct PlaneState {
    uint at;
    bool inside;
};

PlaneState prepare(uvec2 pixel, bool inside) {
    return PlaneState(pixel.y * halves(pc.m.out_size).x + pixel.x, inside);
}

vec4 value(PlaneState state, uint plane, int o, uint weights) {
    const uint other = pc.m.add_base + plane * pc.m.add_stride + state.at * pc.m.add_pixel;
    return LOAD_IN0_OR_ZERO(state.inside, pc.m.in_base + plane * pc.m.in_stride + state.at) *
           load_in1(state.inside ? other : pc.m.add_base);
}

#include "plane_kernel.glsl"
