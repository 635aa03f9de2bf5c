// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// torch.nn.AdaptiveAvgPool2d.
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
    uvec2 begin, end;
};

PlaneState prepare(uvec2 pixel, bool inside) {
    const uvec2 in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size);
    PlaneState state;
    state.begin = pixel * in_size / out_size;
    state.end = inside ? ((pixel + 1u) * in_size + out_size - 1u) / out_size : state.begin;
    return state;
}

vec4 value(PlaneState state, uint plane, int o, uint weights) {
    const uint base = pc.m.in_base + plane * pc.m.in_stride;
    const uint pitch = halves(pc.m.in_size).x;
    vec4 sum = vec4(0.0);
    for (uint y = state.begin.y; y < state.end.y; ++y) {
        // Row by row, so that a large window loses no small terms.
        vec4 row = vec4(0.0);
        for (uint x = state.begin.x; x < state.end.x; ++x) row += load_in0(base + y * pitch + x);
        sum += row;
    }
    const uvec2 extent = max(state.end - state.begin, uvec2(1u));
    return sum / float(extent.x * extent.y);
}

#include "plane_kernel.glsl"
