// variants: STORAGE=f32,f16 ACCESS=ssbo,bda
// The last convolution, or transposed convolution, and the class of each of its pixels: scores are never stored. One
// byte per pixel; an invocation makes four neighbours in memory order and writes one word. Pixels go two by two, of
// columns two apart, which take the same taps of a transposed convolution of stride 2. Classes go PLANES * 4 at a time.
// Packed weights of such a chunk: per tap, input plane and lane a row of PLANES vec4s; PLANES biases.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { Head pc; };
#include "access.glsl"
layout(set = 1, binding = 0, std430) writeonly buffer Host { uint host[]; };

layout(constant_id = 3) const int PLANES = 1;
layout(constant_id = 4) const int KERNEL_H = 1;
layout(constant_id = 5) const int KERNEL_W = 1;
layout(constant_id = 6) const bool TRANSPOSED = false;

const float LOWEST = -3.402823466e38;

// Input position that kernel element `k` takes to output position `at`; false when there is none.
bool input_of(uint at, int k, uint stride, uint dilation, int padding, uint extent, out uint position) {
    int i;
    if (TRANSPOSED) {
        const int scaled = int(at) + padding - k * int(dilation);
        i = scaled / int(stride);
        if (scaled < 0 || i * int(stride) != scaled) return false;
    } else {
        i = int(at * stride) - padding + k * int(dilation);
    }
    position = uint(i);
    return position < extent;
}

void main() {
    const uvec2 size = halves(pc.m.out_size), in_size = halves(pc.m.in_size);
    const uvec2 stride = halves(pc.stride), dilation = halves(pc.dilation);
    const ivec2 padding = ivec2(halves(pc.padding));
    const uint first = (gl_GlobalInvocationID.x + gl_GlobalInvocationID.y *
                        gl_NumWorkGroups.x * gl_WorkGroupSize.x) * 4u;
    const uint pixels = size.x * size.y;
    if (first >= pixels) return;
    uint word = 0u;
    for (uint pair = 0u; pair < 2u; ++pair) {
        // Beyond the last pixel the last one again.
        const uint at[2] = uint[2](min(first + pair, pixels - 1u), min(first + pair + 2u, pixels - 1u));
        float best[2] = float[2](LOWEST, LOWEST);
        uint label[2] = uint[2](0u, 0u);
        for (uint chunk = 0u; chunk < pc.chunks; ++chunk) {
            const uint weights = chunk * pc.m.block_weights;
            const uint row_vectors = 4u * uint(PLANES), tap_vectors = pc.in_planes * row_vectors;
            vec4 sum[2 * PLANES];
            [[unroll]] for (int o = 0; o < PLANES; ++o)
                sum[o] = sum[PLANES + o] = WEIGHT(weights + uint(KERNEL_H * KERNEL_W) * tap_vectors + uint(o));
            for (int ky = 0; ky < KERNEL_H; ++ky)
                for (int kx = 0; kx < KERNEL_W; ++kx) {
                    uint source[2];
                    bool valid[2];
                    [[unroll]] for (int p = 0; p < 2; ++p) {
                        uint ix = 0u, iy = 0u;
                        const bool valid_x =
                            input_of(at[p] % size.x, kx, stride.x, dilation.x, padding.x, in_size.x, ix);
                        const bool valid_y =
                            input_of(at[p] / size.x, ky, stride.y, dilation.y, padding.y, in_size.y, iy);
                        valid[p] = valid_x && valid_y;
                        source[p] = pc.m.in_base + iy * in_size.x + ix;
                    }
                    if (!valid[0] && !valid[1]) continue;
                    uint w = weights + uint(ky * KERNEL_W + kx) * tap_vectors;
                    for (uint i = 0u; i < pc.in_planes; ++i, w += row_vectors) {
                        vec4 texel[2];
                        [[unroll]] for (int p = 0; p < 2; ++p)
                            texel[p] = LOAD_IN0_OR_ZERO(valid[p], source[p] + i * pc.m.in_stride);
                        [[unroll]] for (int lane = 0; lane < 4; ++lane)
                            [[unroll]] for (int o = 0; o < PLANES; ++o) {
                                const vec4 row = WEIGHT(w + uint(lane * PLANES + o));
                                [[unroll]] for (int p = 0; p < 2; ++p) sum[p * PLANES + o] += texel[p][lane] * row;
                            }
                    }
                }
            [[unroll]] for (int p = 0; p < 2; ++p)
                [[unroll]] for (int o = 0; o < PLANES; ++o)
                    [[unroll]] for (int lane = 0; lane < 4; ++lane) {
                        const uint channel = (chunk * uint(PLANES) + uint(o)) * 4u + uint(lane);
                        if (channel < pc.channels && sum[p * PLANES + o][lane] > best[p]) {
                            best[p] = sum[p * PLANES + o][lane];
                            label[p] = channel;
                        }
                    }
        }
        word |= label[0] << (8u * pair) | label[1] << (8u * pair + 16u);
    }
    host[first >> 2] = word;
}
