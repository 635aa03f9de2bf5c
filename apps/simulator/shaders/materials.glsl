// Surfaces, each from its own position in metres.

Surface matt(vec3 albedo) { return Surface(albedo, vec3(0.0), 0.0, 0.0, 1.0); }

/// 1 inside lines of `width` that repeat every metre of `x`, softened over a pixel.
float lines(float x, float width) {
    float soft = fwidth(x) + 1e-4;
    float d = abs(fract(x + 0.5) - 0.5);
    return (1.0 - smoothstep(width * 0.5 - soft * 0.5, width * 0.5 + soft * 0.5, d)) * clamp(width / soft, 0.0, 1.0);
}

/// Position on the face in metres: along and up.
vec2 on_face() {
    if (abs(local_normal.y) > 0.5) return local.xz;
    return abs(local_normal.x) > 0.5 ? vec2(local.z, local.y) : vec2(local.x, local.y);
}

Surface plain_surface() {
    float dirt = noise(local * 3.1 + colour.a * 50.0);
    Surface s = matt(colour.rgb * (0.8 + 0.4 * dirt));
    s.gloss = 0.25;
    s.mirror = 0.02;
    return s;
}

Surface asphalt_surface() {
    vec2 p = straight.xz + floor(colour.a * 997.0);
    float grain = noise(p * 23.0) * 0.5 + noise(p * 57.0) * 0.5;
    float patches = fbm(p * 0.35 + colour.a * 90.0);
    float tracks = noise(vec2(p.x * 1.3, p.y * 0.04) + 5.0);
    vec3 albedo = colour.rgb * (0.55 + 0.55 * patches + 0.3 * tracks) * (0.75 + 0.5 * grain);
    vec2 jagged = p + 0.9 * vec2(fbm(p * 1.7), fbm(p * 1.7 + 40.0));
    float crack = falling(0.014, 0.0, abs(noise(jagged * 0.5 + 20.0) - 0.5)) * smoothstep(0.4, 0.7, noise(p * 0.21));
    albedo *= 1.0 - 0.5 * crack;
    // Repaired rectangles, and a cover now and then.
    ivec2 cell = ivec2(floor(p / vec2(4.1, 7.3)));
    vec2 within = fract(p / vec2(4.1, 7.3));
    float repaired = step(0.86, hash2(cell)) * step(0.2, within.x) * step(within.x, 0.75) * step(0.3, within.y);
    albedo *= 1.0 - repaired * 0.4 * hash2(cell + 9);
    vec2 cover = (within - vec2(0.5)) * vec2(4.1, 7.3);
    float lid = step(0.8, hash2(cell + 17)) * falling(0.36, 0.33, length(cover));
    albedo = mix(albedo, vec3(0.045), lid * 0.8);
    if (colour2.a < 0.5) {  // cobbles
        vec2 q = p * vec2(7.0, 9.0);
        q.x += 0.5 * mod(floor(q.y), 2.0);
        float joint = max(lines(q.x, 0.16), lines(q.y, 0.16));
        albedo = colour.rgb * (0.8 + 0.7 * hash2(ivec2(floor(q)))) * (1.0 - 0.6 * joint);
    }
    Surface s = matt(albedo);
    s.gloss = 0.18;
    return s;
}

Surface marking_surface() {
    vec2 p = straight.xz;
    float worn = smoothstep(colour2.a - 0.15, colour2.a + 0.25, fbm(p * 3.7) * 0.7 + noise(p * 31.0) * 0.3 + 0.1);
    Surface s = matt(mix(colour2.rgb, colour.rgb, worn));
    s.gloss = 0.12;
    return s;
}

Surface paving_surface() {
    vec2 p = straight.xz;
    vec2 stone = colour2.a < 0.5 ? vec2(0.5, 0.5) : colour2.a < 1.5 ? vec2(0.2, 0.1) : colour2.a < 2.5 ? vec2(1.0, 0.7)
                                                                                                  : vec2(3.0, 3.0);
    vec2 q = p / stone;
    q.x += 0.5 * mod(floor(q.y), 2.0);
    vec2 soft = fwidth(q);
    float joint = max(lines(q.x, 0.05), lines(q.y, 0.05));
    float near = 1.0 - smoothstep(0.3, 0.9, max(soft.x, soft.y));
    float tone = mix(0.5, hash2(ivec2(floor(q))), near);
    vec3 albedo = colour.rgb * (0.82 + 0.3 * tone) * (0.75 + 0.5 * fbm(p * 0.8 + colour.a * 30.0));
    albedo = mix(albedo, colour2.rgb, joint * 0.7);
    albedo *= 0.9 + 0.2 * noise(p * 37.0);
    Surface s = matt(abs(local_normal.y) > 0.5 ? albedo : colour.rgb * 0.8);
    s.gloss = 0.1;
    return s;
}

Surface grass_surface() {
    vec2 p = straight.xz;
    float blades = noise(p * vec2(29.0, 23.0)) * 0.6 + noise(p * 61.0) * 0.4;
    float patches = fbm(p * 0.5 + colour.a * 40.0);
    vec3 soil = vec3(0.16, 0.11, 0.07);
    vec3 albedo = mix(colour.rgb * 0.65, colour.rgb * 1.3, patches) * (0.6 + 0.8 * blades);
    albedo = mix(albedo, soil, smoothstep(0.62, 0.78, noise(p * 0.33 + 60.0)) * 0.7);
    float fallen = step(0.93, hash2(ivec2(floor(p * 9.0)))) * (1.0 - smoothstep(0.0, 0.6, fwidth(p.x) * 9.0));
    return matt(mix(albedo, vec3(0.3, 0.2, 0.06), fallen * 0.5));
}

Surface masonry_surface() {
    vec2 p = on_face();
    vec2 brick = colour2.a < 0.5 ? vec2(0.24, 0.08) : colour2.a < 1.5 ? vec2(0.55, 0.28) : vec2(2.4, 1.2);
    vec2 q = p / brick;
    q.x += 0.5 * mod(floor(q.y), 2.0);
    float near = 1.0 - smoothstep(0.3, 0.8, max(fwidth(q.x), fwidth(q.y)));
    float joint = max(lines(q.x, 0.07), lines(q.y, colour2.a < 0.5 ? 0.16 : 0.07)) * near;
    float tone = mix(0.5, hash2(ivec2(floor(q)) + 3), near);
    vec3 albedo = colour.rgb * (0.7 + 0.5 * tone);
    albedo = mix(albedo, colour2.rgb * 1.3, joint * (colour2.a > 2.5 ? 0.1 : 0.6));
    albedo *= 0.6 + 0.6 * fbm(p * 0.7 + colour.a * 70.0);
    albedo *= mix(0.7, 1.0, smoothstep(0.0, 0.5, local.y));
    // Painted over by someone, here and there.
    float scrawl = falling(0.05, 0.0, abs(noise(p * vec2(1.6, 2.3) + colour.a * 80.0) - 0.5)) *
                   smoothstep(0.6, 0.7, noise(p * 0.22 + colour.a * 33.0)) * step(0.55, colour.a);
    albedo = mix(albedo, vec3(hash1(uint(colour.a * 999.0)), 0.2, hash1(uint(colour.a * 777.0))), scrawl);
    return matt(albedo);
}

Surface foliage_surface(vec3 to_camera) {
    vec3 p = local + colour.a * 37.0;
    float coarse = noise(p * 1.9), fine = noise(p * 7.3), leaf = noise(p * 19.0);
    float tone = coarse * 0.35 + fine * 0.4 + leaf * 0.25;
    vec3 albedo = mix(colour2.rgb, colour.rgb * 1.35, smoothstep(0.25, 0.75, tone));
    // The outline of a crown is ragged.
    float edge = colour2.a > 0.5 ? 1.0 : abs(dot(normalize(normal_in), to_camera));
    if (edge < 0.55 && fine * 0.6 + leaf * 0.4 > 0.32 + edge * 0.9) discard;
    albedo *= mix(0.55, 1.0, clamp(local.y / max(size.y, 0.01) + 0.25, 0.0, 1.0));
    return matt(albedo);
}

Surface bark_surface() {
    return matt(colour.rgb * (0.5 + 0.7 * noise(vec3(local.x * 23.0, local.y * 5.0, local.z * 23.0) + colour.a * 9.0)));
}

Surface car_surface() {
    Surface s = matt(colour.rgb);
    s.gloss = 0.75;
    s.mirror = 0.05;
    float part = uv_part.z;
    float up = local.y / size.y;
    if (part > 1.5) return Surface(vec3(0.018), vec3(0.0), 0.2, 0.02, 1.0);
    if (part > 0.5) {
        vec2 uv = uv_part.xy;
        bool side = abs(local_normal.x) > 0.5;
        bool pane = uv.y > 0.06 && uv.y < 0.93 && uv.x > 0.05 && uv.x < 0.95;
        if (side) {
            pane = pane && abs(uv.x - 0.48) > 0.025 && abs(uv.x - 0.86) > 0.02;
            if (colour2.a > 0.5) pane = pane && (local_normal.x > 0.0 ? uv.x > 0.72 : uv.x < 0.28);
        }
        if (pane) {
            vec3 inside = mix(vec3(0.015), vec3(0.09), smoothstep(0.5, 0.7, noise(local * 4.0)));
            return Surface(inside, vec3(0.0), 0.95, 0.14, 1.0);
        }
        return s;
    }
    // Joints of the doors, handles, a grille and a lower trim.
    if (abs(local_normal.x) > 0.7) {
        float along = local.z / size.z;
        float joint = max(max(falling(0.006, 0.002, abs(along + 0.17)), falling(0.006, 0.002, abs(along - 0.06))),
                          falling(0.006, 0.002, abs(along - 0.26)));
        s.albedo *= 1.0 - 0.6 * joint * step(0.2, up);
        if (abs(up - 0.46) < 0.012 && (abs(along + 0.0) < 0.022 || abs(along - 0.2) < 0.022)) s.albedo *= 0.35;
        if (up < 0.2) s.albedo = vec3(0.02);
        float axle = min(length(vec2(local.z + size.z * 0.31, local.y - 0.32)),
                         length(vec2(local.z - size.z * 0.30, local.y - 0.32)));
        if (axle < 0.40) s = matt(vec3(0.008));
    } else if (local_normal.z < -0.6 && up < 0.45 && up > 0.2 && abs(local.x) < size.x * 0.33) {
        s = matt(vec3(0.02) + 0.05 * lines(local.y * 18.0, 0.3));
    }
    s.albedo *= 0.9 + 0.2 * noise(local * 1.4 + colour.a * 9.0);
    if (up < 0.35) s.albedo = mix(s.albedo, vec3(0.12, 0.10, 0.08), 0.3 * noise(local * 9.0));
    return s;
}

Surface coach_surface() {
    bool end = abs(local_normal.z) > 0.5;
    Surface s = matt(colour.rgb);
    s.gloss = 0.4;
    s.mirror = 0.03;
    if (abs(local_normal.y) > 0.5) return s;
    float along = end ? local.x : local.z, up = local.y / size.y;
    if (colour2.a < 0.5) {  // a box of cargo: stripes, a sign, or ribs
        float kind = fract(colour.a * 7.0);
        if (kind < 0.35)
            s.albedo *= 0.85 + 0.15 * lines(along * 2.0, 0.4);
        else if (kind < 0.75) {
            vec2 q = vec2(along / (end ? size.x : size.z), up - 0.5);
            if (abs(q.x) < 0.36 && abs(q.y) < 0.16) {
                float letters = step(0.45, hash2(ivec2(floor(vec2(q.x * 26.0, q.y * 9.0)) + colour.a * 99.0)));
                s.albedo = mix(s.albedo, colour2.rgb, letters);
            }
        } else
            s.albedo = up < 0.4 + 0.3 * sin(along * 0.8) ? colour2.rgb : s.albedo;
        if (end && local_normal.z > 0.0) s.albedo *= 1.0 - 0.7 * max(lines(local.x, 0.02), lines(up * 1.02, 0.03));
        s.albedo *= 0.75 + 0.35 * fbm(vec2(along, local.y) * 0.9 + colour.a * 30.0);
        return s;
    }
    float decks = colour2.a > 1.5 ? 2.0 : 1.0;
    float band = decks > 1.5 ? fract(up * 2.0) : up;
    float low = decks > 1.5 ? 0.38 : 0.36, high = decks > 1.5 ? 0.86 : 0.80;
    bool window = band > low && band < high;
    if (end) {
        window = band > low - 0.08 && band < high && abs(local.x) < size.x * 0.45 && up < 0.82;
    } else {
        float cell = along / params.x;
        window = window && lines(cell, 0.09) < 0.5;
        float door = hash1(uint(floor(cell) + 500.0) + uint(colour.a * 1000.0));
        if (door > 0.72 && up > 0.04 && up < high && lines(cell, 0.14) < 0.5) window = lines(cell + 0.5, 0.04) < 0.5;
    }
    if (window) {
        float seat = noise(vec2(along * 1.7, local.y * 2.0) + colour.a * 60.0);
        s = Surface(vec3(0.02 + 0.06 * seat), vec3(0.9, 0.8, 0.6) * params.y * (0.25 + 0.4 * seat), 0.9, 0.1, 1.0);
        return s;
    }
    float stripe = fract(colour.a * 13.0);
    if (stripe < 0.6 && up < 0.16 + 0.2 * stripe) s.albedo = colour2.rgb;
    if (stripe > 0.8 && up > 0.85) s.albedo = colour2.rgb;
    // An advertisement over part of the side.
    if (!end && stripe > 0.4 && abs(along) < size.z * 0.28 && up > 0.08 && up < low) {
        vec2 q = vec2(along * 2.0, local.y * 5.0);
        s.albedo = mix(colour2.rgb, vec3(0.8), step(0.55, hash2(ivec2(floor(q)))));
    }
    return s;
}

Surface wheel_surface() {
    if (uv_part.z > 1.5) return matt(colour.rgb);
    vec2 q = (uv_part.xy - 0.5) * 2.0;
    float r = length(q);
    if (r > 0.66) return matt(colour.rgb * (0.8 + 0.6 * noise(q * 9.0)));
    float spoke = 0.5 + 0.5 * cos(atan(q.y, q.x) * (4.0 + floor(colour.a * 4.0)));
    Surface s = matt(colour2.rgb * (r > 0.58 || r < 0.16 ? 1.0 : mix(0.15, 1.0, smoothstep(0.35, 0.6, spoke))));
    s.gloss = 0.4;
    s.mirror = 0.08;
    return s;
}

Surface cloth_surface() {
    vec3 albedo = colour.rgb;
    float kind = colour2.a;
    if (kind < 0.5) albedo = mix(albedo, colour2.rgb, lines(local.y * 9.0, 0.45));
    else if (kind < 1.5) albedo = mix(albedo, colour2.rgb, max(lines(local.y * 7.0, 0.3), lines(local.x * 7.0, 0.3)) * 0.6);
    else if (kind < 2.5) albedo = mix(albedo, colour2.rgb, step(0.62, noise(local * 16.0)));
    albedo *= 0.72 + 0.5 * noise(local * vec3(9.0, 5.0, 9.0) + colour.a * 40.0);
    return matt(albedo);
}

Surface sign_surface() {
    vec2 q = (uv_part.xy - 0.5) * 2.0;
    Surface s = matt(vec3(0.25));
    s.gloss = 0.2;
    // The back, and the rim.
    if (local_normal.z > -0.5 || uv_part.z > 1.5) return s;
    float r = length(q);
    vec3 red = vec3(0.55, 0.015, 0.02), blue = vec3(0.01, 0.07, 0.42), white = vec3(0.78), yellow = vec3(0.8, 0.5, 0.02);
    float digits = step(0.5, hash2(ivec2(floor(q * 4.0 + 9.0 + colour.a * 50.0))));
    float inner = step(abs(q.x), 0.5) * step(abs(q.y), 0.42);
    vec3 albedo = white;
    if (colour2.a < 0.5) albedo = r > 0.72 ? red : mix(white, vec3(0.01), digits * inner);
    else if (colour2.a < 1.5) albedo = mix(blue, white, step(abs(q.x) + 0.5 * max(q.y, 0.0), 0.22) * step(abs(q.y), 0.6));
    else if (colour2.a < 2.5) albedo = abs(q.y) < 0.16 && abs(q.x) < 0.7 ? white : red;
    else if (colour2.a < 3.5) albedo = r > 0.78 ? red : abs(q.x - q.y) < 0.2 ? red : blue;
    else if (colour2.a < 4.5) {
        float border = min(q.y + 1.0, (1.0 - q.y) * 0.5 - abs(q.x) * 0.87 + 0.02);
        albedo = border < 0.24 ? red : mix(white, vec3(0.01), step(abs(q.x), 0.1) * step(abs(q.y + 0.2), 0.35));
        if (colour.a < 0.2) albedo = border < 0.24 ? red : yellow;
    } else if (colour2.a < 5.5) albedo = abs(q.y) < 0.22 ? mix(red, white, step(0.35, hash1(uint(q.x * 6.0 + 50.0)))) : red;
    else if (colour2.a < 6.5) albedo = abs(q.x) > 0.9 || abs(q.y) > 0.9 ? white : mix(blue, white, digits * inner);
    else if (colour2.a < 7.5) albedo = abs(q.x) > 0.86 || abs(q.y) > 0.86 ? vec3(0.02) : mix(yellow, vec3(0.02), digits * inner);
    else {
        vec2 text = vec2(local.x * 14.0, local.y * 9.0);
        float letters = step(0.45, hash2(ivec2(floor(text + colour.a * 90.0)))) * step(abs(q.x), 0.85) * step(abs(q.y), 0.6) *
                        step(0.25, fract(text.y));
        vec3 board = colour.a < 0.4 ? blue : colour.a < 0.6 ? vec3(0.01, 0.22, 0.07) : white;
        albedo = mix(board, colour.a < 0.6 ? white : vec3(0.02), letters);
    }
    s.albedo = albedo;
    return s;
}

Surface signal_surface() {
    Surface s = matt(colour.rgb * (0.8 + 0.4 * noise(local * 5.0)));
    if (local_normal.z > -0.5) return s;
    float up = local.y / size.y * 3.0;
    int index = 2 - int(clamp(up, 0.0, 2.99));
    float r = length(vec2(local.x, (fract(up) - 0.5) * size.y / 3.0)) / (size.x * 0.38);
    if (r < 1.0) {
        vec3 tint = index == 0 ? vec3(1.0, 0.04, 0.02) : index == 1 ? vec3(1.0, 0.5, 0.02) : vec3(0.05, 1.0, 0.45);
        bool on = int(colour2.a + 0.5) == index;
        s.albedo = tint * 0.06;
        s.glow = on ? tint * (3.0 - 1.5 * r) : vec3(0.0);
    } else
        s.albedo = vec3(0.012);
    return s;
}

Surface roof_surface() {
    // The gable itself is wall.
    if (abs(local_normal.z) > 0.5) return matt(colour2.rgb * (0.8 + 0.35 * fbm(local.xy * 0.7 + colour.a * 20.0)));
    float row = local.y * 3.2;
    float near = 1.0 - smoothstep(0.3, 0.8, fwidth(row));
    float tile = lines(row, 0.25) * near * 0.4;
    return matt(colour.rgb * (0.7 + 0.5 * fbm(vec2(local.z, local.x) * 0.8 + colour.a * 20.0)) * (1.0 - tile));
}

Surface contact_shadow_surface() {
    vec2 q = local.xz / size.xz * 2.0;
    Surface s = matt(vec3(0.0));
    s.alpha = 0.75 * falling(1.0, 0.72, max(abs(q.x), abs(q.y))) * (1.0 - 0.5 * smoothstep(0.5, 1.0, length(q)));
    return s;
}

Surface fence_surface() {
    float along = local.z, up = local.y, solid;
    Surface s = matt(colour.rgb * (0.75 + 0.5 * noise(vec2(along * 9.0, up * 3.0))));
    if (colour2.a < 0.5)
        solid = max(lines(along * 7.0, 0.16), max(step(abs(up - 0.12), 0.03), step(size.y - 0.16, up) * step(up, size.y - 0.10)));
    else if (colour2.a < 1.5)
        solid = max(lines((along + up) * 9.0, 0.12), lines((along - up) * 9.0, 0.12));
    else if (colour2.a < 2.5)
        solid = max(1.0 - lines(along * 6.5, 0.35), max(step(abs(up - 0.25), 0.05), step(abs(up - size.y * 0.75), 0.05)));
    else {
        solid = 1.0;
        s.albedo *= (1.0 - 0.5 * lines(along * 6.0, 0.08)) * (0.8 + 0.4 * hash1(uint(floor(along * 6.0) + 900.0)));
    }
    s.alpha = abs(local_normal.x) > 0.5 ? solid : 1.0;
    return s;
}

Surface spokes_surface() {
    Surface s = matt(colour.rgb);
    if (uv_part.z > 1.5) return s;
    vec2 q = (uv_part.xy - 0.5) * 2.0;
    float r = length(q);
    float spoke = lines(atan(q.y, q.x) * (18.0 / 6.2831853), 0.10);
    s.alpha = r > 0.87 || r < 0.09 ? 1.0 : spoke * 0.5;
    s.albedo = r > 0.87 ? colour.rgb : colour2.rgb;
    return s;
}
