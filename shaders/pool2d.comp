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

#include "pool.glsl"

const uint TAP_VECTORS = 0u;
#define PlaneState PoolWindow

PlaneState prepare(uvec2 pixel, bool inside) {
    return pool_window(MODE, pixel, inside, ivec2(halves(pc.m.in_size)), ivec2(halves(pc.kernel)), halves(pc.stride),
                       ivec2(halves(pc.padding)));
}

vec4 value(PlaneState state, uint plane, int o, uint weights) {
    return pool(MODE, state, pc.m.in_base + plane * pc.m.in_stride, halves(pc.m.in_size).x);
}

#include "plane_kernel.glsl"
