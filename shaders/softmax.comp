// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// Softmax over the channels of each pixel, in dense order.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_OUT
#include "push.h"
layout(push_constant) uniform Push { Copy pc; };
#include "access.glsl"

vec4 exponential(uint plane, uint at, float highest) {
    const uvec4 channel = uvec4(0u, 1u, 2u, 3u) + plane * 4u;
    const vec4 e = exp(load_in0(pc.m.in_base + plane * pc.m.in_stride + at) - highest);
    return mix(vec4(0.0), e, lessThan(channel, uvec4(pc.channels)));
}

void main() {
    const uvec2 size = halves(pc.m.out_size);
    const uvec2 pixel = gl_GlobalInvocationID.xy;
    if (pixel.x >= size.x || pixel.y >= size.y) return;
    const uint at = pixel.y * size.x + pixel.x, planes = (pc.channels + 3u) / 4u;
    float highest = -3.402823466e38;
    for (uint plane = 0u; plane < planes; ++plane) {
        const vec4 v = load_in0(pc.m.in_base + plane * pc.m.in_stride + at);
        for (uint lane = 0u; lane < 4u && plane * 4u + lane < pc.channels; ++lane) highest = max(highest, v[lane]);
    }
    float total = 0.0;
    for (uint plane = 0u; plane < planes; ++plane) total += dot(exponential(plane, at, highest), vec4(1.0));
    for (uint plane = 0u; plane < planes; ++plane)
        store_out(pc.m.out_base + plane * pc.m.out_stride + at, exponential(plane, at, highest) / total);
}
