#version 450
// From light to a picture: the lens (blur, bloom, vignette), the film (exposure, tone, noise). Labels go through as they
// are: the class at the first sample of a pixel.

layout(set = 0, binding = 0) uniform sampler2D scene;
#ifdef MULTISAMPLED
layout(set = 0, binding = 1) uniform usampler2DMS labels;
#else
layout(set = 0, binding = 1) uniform usampler2D labels;
#endif

layout(push_constant) uniform Lens {
    vec4 white;    // w: exposure
    vec4 tone;     // contrast, saturation, gamma, vignette
    vec4 optics;   // blur in pixels, bloom, noise, aspect
    uint seed;
} lens;

layout(location = 0) in vec2 position;
layout(location = 0) out vec4 out_picture;
layout(location = 1) out uint out_label;

uint mixed(uint x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}
float hash1(uint x) { return float(mixed(x) >> 8) * (1.0 / 16777216.0); }

vec3 tone_mapped(vec3 x) {
    return clamp((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0);
}

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    vec2 texel = 1.0 / vec2(textureSize(scene, 0));
    vec2 uv = gl_FragCoord.xy * texel;
    vec3 light = texture(scene, uv).rgb;
    float blur = lens.optics.x;
    if (blur > 0.05) {
        vec2 step_uv = texel * blur;
        vec3 around = texture(scene, uv + step_uv * vec2(0.7, 0.3)).rgb + texture(scene, uv + step_uv * vec2(-0.3, 0.7)).rgb +
                      texture(scene, uv + step_uv * vec2(-0.7, -0.3)).rgb + texture(scene, uv + step_uv * vec2(0.3, -0.7)).rgb;
        vec3 wide = texture(scene, uv + step_uv * vec2(1.2, 1.0)).rgb + texture(scene, uv + step_uv * vec2(-1.0, 1.2)).rgb +
                    texture(scene, uv + step_uv * vec2(-1.2, -1.0)).rgb + texture(scene, uv + step_uv * vec2(1.0, -1.2)).rgb;
        light = light * 0.24 + around * 0.12 + wide * 0.07;
    }
    if (lens.optics.y > 0.01) {
        vec3 bloom = vec3(0.0);
        for (int i = 0; i < 8; ++i) {
            float angle = float(i) * 2.39996;
            vec2 offset = vec2(cos(angle), sin(angle)) * (2.0 + 1.6 * float(i)) * texel;
            bloom += max(texture(scene, uv + offset).rgb * lens.white.w - 1.0, 0.0);
        }
        light += min(bloom * 0.125, vec3(4.0)) * lens.optics.y / lens.white.w;
    }
    float edge = dot(position, position) * 0.5;
    light *= lens.white.w * lens.white.rgb * (1.0 - lens.tone.w * edge);
    vec3 film = tone_mapped(light * 0.8);
    film = pow(film, vec3(lens.tone.z / 2.2));
    float grey = dot(film, vec3(0.299, 0.587, 0.114));
    film = mix(vec3(grey), film, lens.tone.y);
    film = (film - 0.5) * lens.tone.x + 0.5;
    uint key = mixed(uint(pixel.x) * 1973u + uint(pixel.y) * 9277u) ^ lens.seed;
    vec3 grain = vec3(hash1(key), hash1(key + 101u), hash1(key + 202u)) + vec3(hash1(key + 303u), hash1(key + 404u), hash1(key + 505u)) - 1.0;
    film += grain * lens.optics.z * (1.3 - 0.6 * grey);
    out_picture = vec4(clamp(film, 0.0, 1.0), 1.0);
#ifdef MULTISAMPLED
    out_label = texelFetch(labels, pixel, 0).r;
#else
    out_label = texelFetch(labels, pixel, 0).r;
#endif
}
