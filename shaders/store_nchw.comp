// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// Planes in dense order to host floats, channel after channel.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#include "push.h"
layout(push_constant) uniform Push { Copy pc; };
#include "access.glsl"
layout(set = 1, binding = 0, std430) writeonly buffer Host { float host[]; };

void main() {
    const uvec2 size = halves(pc.m.in_size);
    const uvec2 pixel = gl_GlobalInvocationID.xy;
    if (pixel.x >= size.x || pixel.y >= size.y) return;
    const uint at = pixel.y * size.x + pixel.x, plane = gl_WorkGroupID.z;
    const vec4 texel = load_in0(pc.m.in_base + plane * pc.m.in_stride + at);
    [[unroll]] for (uint lane = 0u; lane < 4u; ++lane)
        if (plane * 4u + lane < pc.channels) host[pc.host_base + (plane * 4u + lane) * size.x * size.y + at] = texel[lane];
}
