// variants: STORAGE=f32,f16 ACCESS=ssbo,bda
// What a network begins with, on the host's bytes or, plane after plane, floats: a convolution of the normalised picture, a pooling of it, or both
// concatenated. The first pc.conv_blocks z blocks make PLANES planes of the convolution, a further one the pooling. A
// workgroup brings its part of the map, the picture at the network's size, to shared memory, as it would lie in memory.
// Packed weights of a block: see conv2d.comp; at pool_weights the epilogue's vectors of the pooling; at normalise what
// is subtracted from the channels and what they are multiplied by.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { PictureUnit pc; };
#include "access.glsl"
#include "epilogue.glsl"
layout(set = 1, binding = 0, std430) readonly buffer Host { uint host[]; };

layout(constant_id = 7) const int KERNEL_H = 1;
layout(constant_id = 8) const int KERNEL_W = 1;
layout(constant_id = 9) const int POOL_MODE = 0;

shared TEXEL map[PICTURE_UNIT_TEXELS];

// Poolings read the map.
#undef load_in0
vec4 load_in0(uint i) { return unpack_texel(map[i]); }
#include "pool.glsl"

float byte_at(uint i) { return float(bitfieldExtract(host[i >> 2], int(i & 3u) * 8, 8)); }

vec4 pixel_at(uint x, uint y, uint width) {
    if ((pc.format >> 24 & 7u) == 0u) {
        const uint plane = width * (pc.m.in_size >> 16), at = y * width + x;
        return vec4(uintBitsToFloat(host[at]), uintBitsToFloat(host[at + plane]), uintBitsToFloat(host[at + 2u * plane]),
                    0.0);
    }
    const uint first = (y * width + x) * (pc.format >> 24 & 7u);
    return vec4(byte_at(first + (pc.format & 255u)), byte_at(first + (pc.format >> 8 & 255u)),
                byte_at(first + (pc.format >> 16 & 255u)), 0.0);
}

vec4 map_at(uvec2 at) {
    const uvec2 picture = halves(pc.m.in_size);
    const float centre = pc.format >> 31 != 0u ? 0.0 : 0.5;
    const vec2 source =
        clamp((vec2(at) + centre) * vec2(pc.scale_x, pc.scale_y) - centre, vec2(0.0), vec2(picture - 1u));
    const uvec2 low = uvec2(source), high = min(low + 1u, picture - 1u);
    const vec2 f = source - vec2(low);
    const vec4 top = mix(pixel_at(low.x, low.y, picture.x), pixel_at(high.x, low.y, picture.x), f.x);
    const vec4 bottom = mix(pixel_at(low.x, high.y, picture.x), pixel_at(high.x, high.y, picture.x), f.x);
    return (mix(top, bottom, f.y) - WEIGHT(pc.normalise)) * WEIGHT(pc.normalise + 1u);
}

void main() {
    const uvec2 map_size = halves(pc.map_size), out_size = halves(pc.m.out_size), stride = halves(pc.stride);
    const bool pools = BLOCK >= pc.conv_blocks;
    const ivec2 origin = pools ? -ivec2(halves(pc.pool_padding)) : halves_signed(pc.origin);
    const uvec2 kernel = pools ? halves(pc.pool_kernel) : uvec2(KERNEL_W, KERNEL_H);
    const uvec2 first = gl_WorkGroupID.xy * gl_WorkGroupSize.xy;
    const ivec2 corner = ivec2(first * stride) + origin;
    const uvec2 extent = (gl_WorkGroupSize.xy - 1u) * stride + kernel;
    for (uint i = gl_LocalInvocationIndex; i < extent.x * extent.y; i += gl_WorkGroupSize.x * gl_WorkGroupSize.y) {
        const uvec2 at = uvec2(corner + ivec2(i % extent.x, i / extent.x));
        vec4 v = vec4(0.0);
        if (at.x < map_size.x && at.y < map_size.y) v = map_at(at);
        map[i] = pack_texel(v);
    }
    barrier();

    const uvec2 pixel = first + gl_LocalInvocationID.xy;
    if (pixel.x >= out_size.x || pixel.y >= out_size.y) return;
    const uint out_pixel = pixel.y * out_size.x + pixel.x;
    if (pools) {
        const PoolWindow window = pool_window(POOL_MODE, pixel, true, ivec2(map_size), ivec2(kernel), stride, -origin);
        const vec4 v = pool(POOL_MODE, window, -uint(corner.y) * extent.x - uint(corner.x), extent.x);
        store_out(pc.m.out_base + pc.pool_first * pc.m.out_stride + out_pixel,
                  apply_epilogue(v, pc.pool_weights, 0, 1, 0u));
        return;
    }

    uint w = BLOCK * pc.m.block_weights;
    const uint biases = w + uint(KERNEL_H * KERNEL_W * 4 * PLANES);
    vec4 sum[PLANES];
    [[unroll]] for (int o = 0; o < PLANES; ++o) sum[o] = WEIGHT(biases + uint(o));
    const uint mine = gl_LocalInvocationID.y * stride.y * extent.x + gl_LocalInvocationID.x * stride.x;
    for (int ky = 0; ky < KERNEL_H; ++ky)
        for (int kx = 0; kx < KERNEL_W; ++kx, w += uint(4 * PLANES)) {
            const vec4 texel = unpack_texel(map[mine + uint(ky) * extent.x + uint(kx)]);
            // A picture has three channels.
            [[unroll]] for (int lane = 0; lane < 3; ++lane)
                [[unroll]] for (int o = 0; o < PLANES; ++o) sum[o] += texel[lane] * WEIGHT(w + uint(lane * PLANES + o));
        }
    [[unroll]] for (int o = 0; o < PLANES; ++o) {
        const uint plane = BLOCK * uint(PLANES) + uint(o);
        if (plane < pc.conv_planes)
            store_out(pc.m.out_base + (pc.conv_first + plane) * pc.m.out_stride + out_pixel,
                      apply_epilogue(sum[o], biases + uint(PLANES), o, 0u));
    }
}
