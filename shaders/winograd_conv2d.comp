// variants: STORAGE=f32,f16 ACCESS=texel
// Convolution with TAPS taps in a line, 3 or 5, by Winograd's minimal filtering (Lavin and Gray, CVPR 2016, section 4):
// an invocation computes two pixels of PLANES output planes, as far apart as the dilation, by TAPS + 1 products where
// direct convolution has 2 TAPS. The line lies along the rows where there are several ROWS of taps, else along the
// dilation. CPU-shaped; see conv2d.comp, whose push constants, epilogue and parts of sums these are. Packed weights: for
// each product, row of taps, input plane and lane a row of PLANES vec4s; PLANES biases; the epilogue's vectors.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#define USE_IN0
#define USE_IN1
#define USE_OUT
#define USE_WEIGHTS
#include "push.h"
layout(push_constant) uniform Push { Conv pc; };
#include "access.glsl"
#include "epilogue.glsl"

layout(constant_id = 7) const int ROWS = 1;
layout(constant_id = 8) const int TAPS = 3;
layout(constant_id = 9) const int IN_PLANES = 1;

const int PRODUCTS = TAPS + 1, MOST_PRODUCTS = 6;
const int INPUTS = ROWS * IN_PLANES;
const int BIASES = PRODUCTS * INPUTS * 4 * PLANES;

// The input's side of a product: at the points 0, 1, -1 and infinity for 3 taps; 2 and -2 are added for 5.
vec4 transformed(vec4 d[MOST_PRODUCTS], int product) {
    if (TAPS == 3) {
        if (product == 0) return d[0] - d[2];
        if (product == 1) return d[1] + d[2];
        if (product == 2) return d[2] - d[1];
        return d[3] - d[1];
    }
    if (product == 0) return 4.0 * d[0] - 5.0 * d[2] + d[4];
    if (product == 1) return d[4] + d[3] - 4.0 * (d[1] + d[2]);
    if (product == 2) return d[4] - d[3] + 4.0 * (d[1] - d[2]);
    if (product == 3) return d[4] - d[2] + 2.0 * (d[3] - d[1]);
    if (product == 4) return d[4] - d[2] + 2.0 * (d[1] - d[3]);
    return 4.0 * d[1] - 5.0 * d[3] + d[5];
}

void main() {
    const uvec2 in_size = halves(pc.m.in_size);
    const uvec2 out_size = halves(pc.m.out_size);
    const uvec2 dilation = halves(pc.dilation);
    const ivec2 origin = halves_signed(pc.origin);
    const bool along_rows = ROWS > 1 || dilation.x > 0u;
    const uvec2 apart = along_rows ? uvec2(dilation.x, 0u) : uvec2(0u, dilation.y);
    // Of pairs of pixels; along the line the first ones lie in runs as long as the dilation.
    uvec2 first = place_in_rows(pc.grid_size & 0xffffu);
    if (along_rows)
        first.x += quotient(first.x, apart.x) * apart.x;
    else
        first.y += quotient(first.y, apart.y) * apart.y;

    vec4 inputs[PRODUCTS * INPUTS];
    [[unroll]] for (int row = 0; row < ROWS; ++row) {
        uint source[PRODUCTS];
        bool valid[PRODUCTS];
        [[unroll]] for (int i = 0; i < PRODUCTS; ++i) {
            const ivec2 at = ivec2(first + uint(i) * apart) + origin + ivec2(0, row * int(dilation.y));
            valid[i] = uint(at.x) < in_size.x && uint(at.y) < in_size.y;
            source[i] = pc.m.in_base + uint(at.y) * in_size.x + uint(at.x);
        }
        [[unroll]] for (int plane = 0; plane < IN_PLANES; ++plane) {
            vec4 d[MOST_PRODUCTS];
            [[unroll]] for (int i = 0; i < PRODUCTS; ++i)
                d[i] = LOAD_IN0_OR_ZERO(valid[i], source[i] + uint(plane) * pc.plane_step * pc.m.in_stride);
            [[unroll]] for (int product = 0; product < PRODUCTS; ++product)
                inputs[product * INPUTS + row * IN_PLANES + plane] = transformed(d, product);
        }
    }

    // One product after another: so few sums stay in registers.
    vec4 sum[2 * PLANES];
    [[unroll]] for (int o = 0; o < PLANES; ++o) sum[o] = sum[PLANES + o] = WEIGHT(uint(BIASES + o));
    [[unroll]] for (int product = 0; product < PRODUCTS; ++product) {
        const bool of_first = product == 0, of_second = product == PRODUCTS - 1;
        vec4 m[PLANES];
        [[unroll]] for (int o = 0; o < PLANES; ++o)
            m[o] = of_first ? sum[o] : of_second ? sum[PLANES + o] : vec4(0.0);
        [[unroll]] for (int i = 0; i < INPUTS; ++i)
            [[unroll]] for (int lane = 0; lane < 4; ++lane)
                [[unroll]] for (int o = 0; o < PLANES; ++o)
                    m[o] += inputs[product * INPUTS + i][lane] *
                            WEIGHT(uint(((product * INPUTS + i) * 4 + lane) * PLANES + o));
        const float point = float(product > 2 ? 2 : 1) * (product % 2 == 1 ? 1.0 : -1.0);
        [[unroll]] for (int o = 0; o < PLANES; ++o) {
            if (!of_second) sum[o] = of_first ? m[o] : sum[o] + m[o];
            if (!of_first) sum[PLANES + o] = of_second ? m[o] : sum[PLANES + o] + point * m[o];
        }
    }

    [[unroll]] for (int p = 0; p < 2; ++p) {
        const uvec2 at = first + uint(p) * apart;
        const bool inside = at.x < out_size.x && at.y < out_size.y;
        const uint pixel = at.y * out_size.x + at.x;
        [[unroll]] for (int o = 0; o < PLANES; ++o) {
            const uint add_index = pc.m.add_base + uint(o) * pc.m.add_stride + pixel * pc.m.add_pixel;
            sum[p * PLANES + o] =
                apply_epilogue(sum[p * PLANES + o], uint(BIASES + PLANES), o, inside ? add_index : 0u);
        }
        if (inside) {
            [[unroll]] for (int o = 0; o < PLANES; ++o)
                store_out(pc.m.out_base + uint(o) * pc.m.out_stride + pixel, sum[p * PLANES + o]);
        }
    }
}
