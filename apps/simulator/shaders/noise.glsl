// Noise from integers: the same on every device, where fract(sin(x)) is not.
uint mixed(uint x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}
float hash1(uint x) { return float(mixed(x) >> 8) * (1.0 / 16777216.0); }
float hash2(ivec2 p) { return hash1(uint(p.x) * 0x9e3779b1u ^ mixed(uint(p.y))); }
float hash3(ivec3 p) { return hash1(uint(p.x) * 0x9e3779b1u ^ mixed(uint(p.y) * 0x85ebca6bu ^ mixed(uint(p.z)))); }

float noise(vec2 p) {
    ivec2 i = ivec2(floor(p));
    vec2 f = fract(p);
    f = f * f * (3.0 - 2.0 * f);
    return mix(mix(hash2(i), hash2(i + ivec2(1, 0)), f.x), mix(hash2(i + ivec2(0, 1)), hash2(i + ivec2(1, 1)), f.x),
               f.y);
}

float noise(vec3 p) {
    ivec3 i = ivec3(floor(p));
    vec3 f = fract(p);
    f = f * f * (3.0 - 2.0 * f);
    vec4 low = vec4(hash3(i), hash3(i + ivec3(1, 0, 0)), hash3(i + ivec3(0, 1, 0)), hash3(i + ivec3(1, 1, 0)));
    vec4 high = vec4(hash3(i + ivec3(0, 0, 1)), hash3(i + ivec3(1, 0, 1)), hash3(i + ivec3(0, 1, 1)),
                     hash3(i + ivec3(1, 1, 1)));
    vec4 between = mix(low, high, f.z);
    vec2 row = mix(between.xz, between.yw, f.x);
    return mix(row.x, row.y, f.y);
}

float fbm(vec2 p) { return noise(p) * 0.55 + noise(p * 2.13 + 7.7) * 0.28 + noise(p * 4.31 + 3.1) * 0.17; }

/// 1 up to `low`, 0 from `high` on; smoothstep with its edges the wrong way round is undefined.
float falling(float high, float low, float x) { return 1.0 - smoothstep(low, high, x); }
vec2 falling(float high, float low, vec2 x) { return 1.0 - smoothstep(vec2(low), vec2(high), x); }
