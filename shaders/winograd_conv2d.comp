// variants: STORAGE=f32,f16 ACCESS=texel
// Convolution with TAPS taps in a line, 3 or 5, by Winograd's minimal filtering (Lavin and Gray, CVPR 2016, section 4):
// an invocation computes two pixels of PLANES output planes, as far apart as the dilation, by TAPS + 1 products where
// direct convolution has 2 TAPS. The line lies along the rows where there are several ROWS of taps, else along the
// dilation. BOTH_AXES: 3x3 taps nested, two pixels of two rows by four products of four. CPU-shaped; see conv2d.comp,
// whose push constants, epilogue and parts of sums these are. Packed weights: for each product of rows (BOTH_AXES),
// product, row of taps, input plane and lane a row of PLANES vec4s; PLANES biases; the epilogue's vectors.
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
layout(constant_id = 10) const bool BOTH_AXES = false;

const int PRODUCTS = TAPS + 1, MOST_PRODUCTS = 6;
const int OUT_ROWS = BOTH_AXES ? 2 : 1, IN_ROWS = ROWS + OUT_ROWS - 1;
// A line of products sums all rows of taps, or there is one for each product of rows.
const int LINES = BOTH_AXES ? IN_ROWS : 1, INPUTS = IN_ROWS / LINES * IN_PLANES;
const int BIASES = LINES * PRODUCTS * INPUTS * 4 * PLANES;

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
    // Of pairs of pixels; the first ones lie in runs as long as the dilation.
    uvec2 first = place_in_rows(pc.grid_size & 0xffffu);
    if (along_rows)
        first.x += quotient(first.x, apart.x) * apart.x;
    if (BOTH_AXES || !along_rows)
        first.y += quotient(first.y, dilation.y) * dilation.y;

    uint source[IN_ROWS * PRODUCTS];
    bool valid[IN_ROWS * PRODUCTS];
    [[unroll]] for (int row = 0; row < IN_ROWS; ++row)
        [[unroll]] for (int i = 0; i < PRODUCTS; ++i) {
            const ivec2 at = ivec2(first + uint(i) * apart) + origin + ivec2(0, row * int(dilation.y));
            valid[row * PRODUCTS + i] = uint(at.x) < in_size.x && uint(at.y) < in_size.y;
            source[row * PRODUCTS + i] = pc.m.in_base + uint(at.y) * in_size.x + uint(at.x);
        }

    vec4 inputs[LINES * PRODUCTS * INPUTS];
    [[unroll]] for (int plane = 0; plane < IN_PLANES; ++plane) {
        const uint plane_base = uint(plane) * pc.plane_step * pc.m.in_stride;
        vec4 along_line[IN_ROWS * PRODUCTS];
        [[unroll]] for (int row = 0; row < IN_ROWS; ++row) {
            vec4 d[MOST_PRODUCTS];
            [[unroll]] for (int i = 0; i < PRODUCTS; ++i)
                d[i] = LOAD_IN0_OR_ZERO(valid[row * PRODUCTS + i], source[row * PRODUCTS + i] + plane_base);
            [[unroll]] for (int product = 0; product < PRODUCTS; ++product)
                along_line[row * PRODUCTS + product] = transformed(d, product);
        }
        [[unroll]] for (int product = 0; product < PRODUCTS; ++product) {
            vec4 d[MOST_PRODUCTS];
            [[unroll]] for (int row = 0; row < IN_ROWS; ++row) d[row] = along_line[row * PRODUCTS + product];
            [[unroll]] for (int row = 0; row < IN_ROWS; ++row) {
                if (BOTH_AXES)
                    inputs[(row * PRODUCTS + product) * INPUTS + plane] = transformed(d, row);
                else
                    inputs[product * INPUTS + row * IN_PLANES + plane] = d[row];
            }
        }
    }

    // One product after another: so few sums stay in registers.
    vec4 sum[OUT_ROWS * 2 * PLANES];
    [[unroll]] for (int o = 0; o < OUT_ROWS * 2 * PLANES; ++o) sum[o] = WEIGHT(uint(BIASES + o % PLANES));
    [[unroll]] for (int line = 0; line < LINES; ++line) {
        const bool line_of_first = line == 0, line_of_second = line == LINES - 1;
        // What the line gives its two pixels. Sums that one line alone begins or ends go on in its registers.
        const int row_sums = (line_of_first ? 0 : OUT_ROWS - 1) * 2 * PLANES;
        vec4 line_sum[2 * PLANES];
        [[unroll]] for (int o = 0; o < 2 * PLANES; ++o)
            line_sum[o] = line_of_first || line_of_second ? sum[row_sums + o] : vec4(0.0);
        [[unroll]] for (int product = 0; product < PRODUCTS; ++product) {
            const bool of_first = product == 0, of_second = product == PRODUCTS - 1;
            const int first_input = (line * PRODUCTS + product) * INPUTS;
            vec4 m[PLANES];
            [[unroll]] for (int o = 0; o < PLANES; ++o)
                m[o] = of_first ? line_sum[o] : of_second ? line_sum[PLANES + o] : vec4(0.0);
            [[unroll]] for (int i = 0; i < INPUTS; ++i)
                [[unroll]] for (int lane = 0; lane < 4; ++lane)
                    [[unroll]] for (int o = 0; o < PLANES; ++o)
                        m[o] += inputs[first_input + i][lane] *
                                WEIGHT(uint(((first_input + i) * 4 + lane) * PLANES + o));
            const float point = float(product > 2 ? 2 : 1) * (product % 2 == 1 ? 1.0 : -1.0);
            [[unroll]] for (int o = 0; o < PLANES; ++o) {
                if (!of_second) line_sum[o] = of_first ? m[o] : line_sum[o] + m[o];
                if (!of_first) line_sum[PLANES + o] = of_second ? m[o] : line_sum[PLANES + o] + point * m[o];
            }
        }
        [[unroll]] for (int o = 0; o < 2 * PLANES; ++o) {
            if (line_of_first || line_of_second) {
                sum[row_sums + o] = line_sum[o];
            } else {
                sum[o] += line_sum[o];
                sum[2 * PLANES + o] += line == 1 ? line_sum[o] : -line_sum[o];
            }
        }
    }

    [[unroll]] for (int p = 0; p < OUT_ROWS * 2; ++p) {
        const uvec2 at = first + uint(p % 2) * apart + uvec2(0u, uint(p / 2) * dilation.y);
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
