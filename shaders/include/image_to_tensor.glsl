// The kernel around `pixel_at(x, y, width)`, which gives a pixel's channels in the network's order, 0..255.
void main() {
    const uvec2 size = halves(pc.m.out_size), picture = halves(pc.m.in_size);
    const uvec2 pixel = gl_GlobalInvocationID.xy;
    if (pixel.x >= size.x || pixel.y >= size.y) return;
    const vec2 source = clamp((vec2(pixel) + 0.5) * vec2(pc.scale_x, pc.scale_y) - 0.5, vec2(0.0), vec2(picture - 1u));
    const uvec2 low = uvec2(source), high = min(low + 1u, picture - 1u);
    const vec2 f = source - vec2(low);
    const vec4 top = mix(pixel_at(low.x, low.y, picture.x), pixel_at(high.x, low.y, picture.x), f.x);
    const vec4 bottom = mix(pixel_at(low.x, high.y, picture.x), pixel_at(high.x, high.y, picture.x), f.x);
    store_out(pc.m.out_base + pixel.y * size.x + pixel.x, (mix(top, bottom, f.y) - pc.subtract) * pc.multiply);
}
