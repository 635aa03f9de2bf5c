// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// Max and average pooling. MODE: 0 max (padding never wins), 1 average over the window inside the padded image,
// 2 average over the window inside the image.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { Pool pc; };
#include "access.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const int MODE = 0;

const uint TAP_VECTORS = 0u;
struct PlaneState {
    ivec2 begin, end;
    float divisor;
};

PlaneState prepare(uvec2 pixel, bool inside) {
    const ivec2 in_size = ivec2(halves(pc.m.in_size)), kernel = ivec2(halves(pc.kernel));
    const ivec2 padding = ivec2(halves(pc.padding));
    const ivec2 first = ivec2(pixel * halves(pc.stride)) - padding;
    const ivec2 padded_end = min(first + kernel, in_size + padding);
    PlaneState state;
    state.begin = max(first, ivec2(0));
    state.end = inside ? min(first + kernel, in_size) : ivec2(0);
    const ivec2 extent = MODE == 1 ? padded_end - first : state.end - state.begin;
    state.divisor = float(extent.x * extent.y);
    return state;
}

vec4 value(PlaneState state, uint plane, int o, uint weights) {
    const uint base = pc.m.in_base + plane * pc.m.in_stride;
    const uint pitch = halves(pc.m.in_size).x;
    vec4 result = MODE == 0 ? vec4(uintBitsToFloat(0xff800000u)) : vec4(0.0);
    for (int y = state.begin.y; y < state.end.y; ++y)
        for (int x = state.begin.x; x < state.end.x; ++x) {
            const vec4 texel = load_in0(base + uint(y) * pitch + uint(x));
            result = MODE == 0 ? max(result, texel) : result + texel;
        }
    return MODE == 0 ? result : result / state.divisor;
}

#include "plane_kernel.glsl"
