// variants: STORAGE=f32 ACCESS=ssbo,bda,texel
// Measures memory: copies the arena's first half to its second, by the accesses that kernels use. Neighbours touch
// neighbouring texels; a workgroup's stretch is TEXELS times its size.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_OUT
#include "push.h"
layout(push_constant) uniform Push { Peak pc; };
#include "access.glsl"

layout(constant_id = 3) const int TEXELS = 1;

void main() {
    const uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    const uint first = group * gl_WorkGroupSize.x * uint(TEXELS) + gl_LocalInvocationID.x;
    vec4 texel[TEXELS];
    [[unroll]] for (int i = 0; i < TEXELS; ++i)
        texel[i] = load_in0(pc.m.in_base + first + uint(i) * gl_WorkGroupSize.x);
    [[unroll]] for (int i = 0; i < TEXELS; ++i)
        store_out(pc.m.out_base + first + uint(i) * gl_WorkGroupSize.x, texel[i]);
}
