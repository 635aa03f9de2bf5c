// Measures arithmetic: chains of multiply-adds that depend on nothing but themselves, enough of them to hide their
// latency and few enough for the registers of a CPU. The sums are written, so that none can be left out.
#version 460
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
#include "push.h"
layout(push_constant) uniform Push { PeakFma pc; };
layout(set = 1, binding = 0, std430) writeonly buffer Host { float host[]; };

layout(constant_id = 3) const int UNROLLED = 1;

void main() {
    // Chains that began alike would be computed once.
    vec4 a = vec4(float(gl_LocalInvocationID.x)) + vec4(0.0, 1.0, 2.0, 3.0), b = a + vec4(4.0), c = a + vec4(8.0);
    for (uint i = 0u; i < pc.iterations; ++i) {
        [[unroll]] for (int k = 0; k < UNROLLED; ++k) {
            a = fma(a, vec4(pc.multiplier), vec4(pc.addend));
            b = fma(b, vec4(pc.multiplier), vec4(pc.addend));
            c = fma(c, vec4(pc.multiplier), vec4(pc.addend));
        }
    }
    const vec4 sum = a + b + c;
    host[gl_GlobalInvocationID.x] = sum.x + sum.y + sum.z + sum.w;
}
