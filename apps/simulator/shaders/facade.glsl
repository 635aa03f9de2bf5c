// The front of a house: floors of windows over a ground floor, in plaster, brick, panels or glass.

vec3 wall_colour(vec2 p) {
    vec3 albedo = colour.rgb * (0.82 + 0.3 * fbm(p * 0.45 + colour.a * 55.0));
    if (colour2.a > 0.5 && colour2.a < 1.5) {
        vec2 q = p / vec2(0.25, 0.085);
        q.x += 0.5 * mod(floor(q.y), 2.0);
        float near = 1.0 - smoothstep(0.3, 0.8, max(fwidth(q.x), fwidth(q.y)));
        float joint = max(lines(q.x, 0.06), lines(q.y, 0.15)) * near;
        albedo *= mix(1.0, 0.7 + 0.6 * hash2(ivec2(floor(q))), near);
        albedo = mix(albedo, colour.rgb * 1.4 + 0.08, joint * 0.5);
    } else if (colour2.a > 1.5 && colour2.a < 2.5) {
        albedo *= 1.0 - 0.35 * max(lines(p.x / params.y, 0.012), lines(p.y / params.x, 0.02));
    }
    // Rain leaves streaks below sills.
    albedo *= 0.85 + 0.25 * noise(vec2(p.x * 5.0, p.y * 0.35) + colour.a * 21.0);
    return albedo;
}

Surface facade_surface(float distance_m) {
    if (local_normal.y > 0.5) return matt(vec3(0.16) * (0.7 + 0.6 * noise(local.xz * 2.0)));
    bool front = abs(local_normal.x) > 0.5;
    vec2 p = on_face();
    float width = front ? size.z : size.x;
    vec2 cell = vec2((p.x + width * 0.5) / params.y, p.y / params.x);
    ivec2 index = ivec2(floor(cell));
    vec2 q = fract(cell) - 0.5;
    uint key = uint(index.x * 131 + index.y * 7919) + uint(colour.a * 65536.0) * 17u;
    bool ground_floor = index.y == 0;
    bool shop = ground_floor && fract(colour.a * 7.0) < 0.5 && front;
    float floors = floor(size.y / params.x);

    vec2 half_window = vec2(params.z * 0.5, fract(colour.a * 3.0) * 0.14 + 0.24);
    if (colour2.a > 2.5) half_window = vec2(0.47, 0.42);
    if (shop) half_window = vec2(0.46, 0.36);
    bool door = ground_floor && !shop && hash1(key + 3u) > 0.7;
    vec2 centre = vec2(0.0, shop ? -0.08 : 0.04);
    if (door) {
        half_window = vec2(0.5 / params.y, 0.34);
        centre.y = -0.16;
    }
    // Blind side walls have fewer windows.
    bool blind = (!front && hash1(uint(colour.a * 4096.0) + 5u) < 0.6) || float(index.y) >= floors ||
                 (colour2.a < 2.5 && hash1(uint(index.x) + uint(colour.a * 9999.0)) < 0.08);
    vec2 d = abs(q - centre) - half_window;
    vec2 metres = d * params.xy.yx;
    float outside = max(metres.x, metres.y);
    float soft = max(fwidth(p.x), fwidth(p.y)) * 0.7 + 0.004;
    float pane = blind ? 0.0 : 1.0 - smoothstep(-soft, soft, outside + 0.06);
    float border = blind ? 0.0 : 1.0 - smoothstep(-soft, soft, outside - (fract(colour.a * 5.0) < 0.6 ? 0.12 : 0.02));

    vec3 wall = wall_colour(p);
    if (ground_floor && fract(colour.a * 11.0) < 0.6) wall = mix(wall, colour2.rgb, 0.75);
    vec3 albedo = mix(wall, colour2.rgb, border);
    // The top of an opening lies in shade.
    albedo *= 1.0 - 0.35 * border * falling(0.05, 0.0, abs(metres.y)) * step(0.0, q.y - centre.y);
    Surface s = matt(albedo);
    float far = smoothstep(0.25, 0.8, soft);
    if (pane > 0.0) {
        float bars = max(lines(q.x / (half_window.x * 2.0) + (hash1(uint(colour.a * 333.0)) < 0.5 ? 0.5 : 0.0), 0.06),
                         fract(colour.a * 17.0) < 0.5 ? lines((q.y - centre.y) / (half_window.y * 1.2) + 0.5, 0.05) : 0.0);
        float kind = hash1(key);
        vec3 inside = kind < 0.25 ? vec3(0.35, 0.33, 0.28) * (0.7 + 0.3 * sin(p.x * 40.0)) : vec3(0.02 + 0.06 * hash1(key + 1u));
        if (kind > 0.88 && q.y > (hash1(key + 2u) - 0.5) * 0.6) inside = vec3(0.5, 0.48, 0.43);
        if (colour2.a > 2.5) inside = colour.rgb * 0.25 * (0.7 + 0.6 * kind);
        if (shop) inside = mix(vec3(0.05), vec3(hash1(key + 5u), hash1(key + 6u), hash1(key + 7u)), 0.5 * noise(p * 3.0));
        if (door) inside = colour2.rgb * vec3(hash1(key + 8u), 0.5, hash1(key + 9u)) * 0.7;
        vec3 glow = vec3(0.0);
        float lit = shop ? 0.85 : 0.33;
        if (params.w > 0.5 && hash1(key + 4u) < lit) glow = vec3(1.0, 0.72, 0.38) * (0.25 + 0.6 * hash1(key + 11u));
        if (shop && params.w < 0.5) glow = vec3(0.05, 0.045, 0.035);
        float glassy = pane * (1.0 - bars) * (door ? 0.3 : 1.0);
        s.albedo = mix(s.albedo, mix(colour2.rgb, inside, 1.0 - bars), pane);
        s.glow = glow * glassy;
        s.gloss = 0.9 * glassy * (1.0 - 0.4 * far);
        s.mirror = 0.10 * glassy + (colour2.a > 2.5 ? 0.2 : 0.0);
    }
    // A sign over the shop.
    if (shop && q.y > 0.32) {
        float letters = step(0.5, hash2(ivec2(floor(vec2(p.x * 5.0, q.y * 30.0)) + colour.a * 70.0)));
        vec3 board = vec3(hash1(uint(colour.a * 1234.0)), hash1(uint(colour.a * 2345.0)), hash1(uint(colour.a * 3456.0)));
        s = matt(mix(board * board, vec3(0.75), letters * step(0.36, q.y) * step(q.y, 0.46)));
        s.glow = s.albedo * params.w * 0.5;
    }
    return s;
}
