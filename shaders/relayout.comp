// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// Moves channels between two channel maps. Packed weights: for each output plane the bits of 4 input slots
// (plane * 4 + lane), 0xffffffff for a pad lane.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { Copy pc; };
#include "access.glsl"

void main() {
    const uvec2 size = halves(pc.m.out_size);
    const uvec2 pixel = gl_GlobalInvocationID.xy;
    if (pixel.x >= size.x || pixel.y >= size.y) return;
    const uint at = pixel.y * size.x + pixel.x, plane = gl_WorkGroupID.z;
    const uvec4 slots = floatBitsToUint(WEIGHT(plane));
    vec4 result = vec4(0.0);
    [[unroll]] for (int lane = 0; lane < 4; ++lane)
        if (slots[lane] != 0xffffffffu)
            result[lane] = load_in0(pc.m.in_base + (slots[lane] >> 2) * pc.m.in_stride + at)[slots[lane] & 3u];
    store_out(pc.m.out_base + plane * pc.m.out_stride + at, result);
}
