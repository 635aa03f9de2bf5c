// Pooling of one texel. MODE: 0 max (padding never wins), 1 average over the window inside the padded image, 2 average
// over the window inside the image.
struct PoolWindow {
    ivec2 begin, end;
    float divisor;
};

PoolWindow pool_window(int mode, uvec2 pixel, bool inside, ivec2 in_size, ivec2 kernel, uvec2 stride, ivec2 padding) {
    const ivec2 first = ivec2(pixel * stride) - padding;
    const ivec2 padded_end = min(first + kernel, in_size + padding);
    PoolWindow window;
    window.begin = max(first, ivec2(0));
    window.end = inside ? min(first + kernel, in_size) : ivec2(0);
    const ivec2 extent = mode == 1 ? padded_end - first : window.end - window.begin;
    window.divisor = float(extent.x * extent.y);
    return window;
}

vec4 pool(int mode, PoolWindow window, uint base, uint pitch) {
    vec4 result = mode == 0 ? vec4(uintBitsToFloat(0xff800000u)) : vec4(0.0);
    for (int y = window.begin.y; y < window.end.y; ++y)
        for (int x = window.begin.x; x < window.end.x; ++x) {
            const vec4 texel = load_in0(base + uint(y) * pitch + uint(x));
            result = mode == 0 ? max(result, texel) : result + texel;
        }
    return mode == 0 ? result : result / window.divisor;
}
