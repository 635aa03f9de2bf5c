// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel HOST
// torch.nn.functional.interpolate. MODE: 0 bilinear at pixel centres, 1 bilinear with aligned corners, 2 nearest.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { Resize pc; };
#include "access.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const int MODE = 0;

const uint TAP_VECTORS = 0u;
struct PlaneState {
    uvec4 taps;
    vec2 fraction;
};

PlaneState prepare(uvec2 pixel, bool inside) {
    const uvec2 in_size = halves(pc.m.in_size);
    const vec2 scale = vec2(pc.scale_x, pc.scale_y);
    PlaneState state;
    vec2 source = MODE == 0 ? max((vec2(pixel) + 0.5) * scale - 0.5, vec2(0.0)) : vec2(pixel) * scale;
    const uvec2 low = min(uvec2(source), in_size - 1u);
    const uvec2 high = min(low + 1u, in_size - 1u);
    state.fraction = MODE == 2 ? vec2(0.0) : clamp(source - vec2(low), vec2(0.0), vec2(1.0));
    state.taps = uvec4(low.y * in_size.x + low.x, low.y * in_size.x + high.x, high.y * in_size.x + low.x,
                       high.y * in_size.x + high.x);
    return state;
}

vec4 value(PlaneState state, uint plane, int o, uint weights) {
    const uint base = pc.m.in_base + plane * pc.m.in_stride;
    if (MODE == 2) return load_in0(base + state.taps.x);
    const vec4 a = load_in0(base + state.taps.x), b = load_in0(base + state.taps.y);
    const vec4 c = load_in0(base + state.taps.z), d = load_in0(base + state.taps.w);
    const vec2 f = state.fraction;
    return (1.0 - f.y) * ((1.0 - f.x) * a + f.x * b) + f.y * ((1.0 - f.x) * c + f.x * d);
}

#include "plane_kernel.glsl"
