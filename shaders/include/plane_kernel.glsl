// Frame of the kernels that compute each output plane from the same input plane(s): an invocation makes one pixel of
// PLANES planes, z blocks follow each other (one block per dispatch in the CPU-shaped family). The shader defines
// PlaneState, prepare(pixel, inside) and value(state, plane, o); this file runs them and the epilogue. A shader that
// defines GATE, a constant, multiplies the result by the second operand where it is true.
void main() {
    const uvec2 out_size = halves(pc.m.out_size);
    const uvec2 pixel = gl_GlobalInvocationID.xy;
    const bool inside = pixel.x < out_size.x && pixel.y < out_size.y;
    const uint at = pixel.y * out_size.x + pixel.x;
    const uint weights = BLOCK * pc.m.block_weights;
    const PlaneState state = prepare(pixel, inside);
    vec4 result[PLANES];
    [[unroll]] for (int o = 0; o < PLANES; ++o) {
        const uint plane = BLOCK * uint(PLANES) + uint(o);
        const uint add_index = pc.m.add_base + plane * pc.m.add_stride + at * pc.m.add_pixel;
        result[o] = apply_epilogue(value(state, plane, o, weights), weights + TAP_VECTORS, o, inside ? add_index : 0u);
#ifdef GATE
        if (GATE) result[o] *= load_in1(inside ? add_index : 0u);
#endif
    }
    if (inside) {
        [[unroll]] for (int o = 0; o < PLANES; ++o)
            store_out(pc.m.out_base + (BLOCK * uint(PLANES) + uint(o)) * pc.m.out_stride + at, result[o]);
    }
}
