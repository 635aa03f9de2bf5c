// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// Host floats, channel after channel, to planes. Pad lanes become zero.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_OUT
#include "push.h"
layout(push_constant) uniform Push { Copy pc; };
#include "access.glsl"
layout(set = 1, binding = 0, std430) readonly buffer Host { float host[]; };

void main() {
    const uvec2 size = halves(pc.m.out_size);
    const uvec2 pixel = gl_GlobalInvocationID.xy;
    if (pixel.x >= size.x || pixel.y >= size.y) return;
    const uint at = pixel.y * size.x + pixel.x, plane = gl_WorkGroupID.z;
    vec4 result = vec4(0.0);
    [[unroll]] for (uint lane = 0u; lane < 4u; ++lane)
        if (plane * 4u + lane < pc.channels) result[lane] = host[pc.host_base + (plane * 4u + lane) * size.x * size.y + at];
    store_out(pc.m.out_base + plane * pc.m.out_stride + at, result);
}
