#version 450
#extension GL_GOOGLE_include_directive : require
#include "frame.glsl"
#include "noise.glsl"
#include "sky.glsl"

// One pipeline for each material: drivers for CPUs carry out both sides of a branch.
layout(constant_id = 0) const int material = 0;

const int plain = 0, asphalt = 1, marking = 2, paving = 3, grass = 4, facade = 5, masonry = 6, foliage = 7, bark = 8,
          car = 9, coach = 10, wheel = 11, cloth = 12, sign_face = 13, signal_box = 14, lamp = 15, roof = 16,
          contact_shadow = 17, fence = 18, spokes = 19;

layout(set = 0, binding = 1) uniform sampler2DShadow shadow_map;

layout(location = 0) in vec3 local;
layout(location = 1) in vec3 local_normal;
layout(location = 2) in vec3 world;
layout(location = 3) in vec3 normal_in;
layout(location = 4) in vec3 straight;
layout(location = 5) in vec3 uv_part;
layout(location = 6) flat in vec4 colour;
layout(location = 7) flat in vec4 colour2;
layout(location = 8) flat in vec4 params;
layout(location = 9) flat in vec3 size;
layout(location = 10) flat in uint label;

layout(location = 0) out vec4 out_colour;
layout(location = 1) out uint out_label;

struct Surface {
    vec3 albedo;
    vec3 glow;
    float gloss;    // of the sky's reflection, 0 to 1
    float mirror;   // reflection straight on
    float alpha;
};

#include "materials.glsl"
#include "facade.glsl"

Surface surface_of(vec3 to_camera, float distance_m) {
    if (material == asphalt) return asphalt_surface();
    if (material == marking) return marking_surface();
    if (material == paving) return paving_surface();
    if (material == grass) return grass_surface();
    if (material == facade) return facade_surface(distance_m);
    if (material == masonry) return masonry_surface();
    if (material == foliage) return foliage_surface(to_camera);
    if (material == bark) return bark_surface();
    if (material == car) return car_surface();
    if (material == coach) return coach_surface();
    if (material == wheel) return wheel_surface();
    if (material == cloth) return cloth_surface();
    if (material == sign_face) return sign_surface();
    if (material == signal_box) return signal_surface();
    if (material == lamp) return Surface(colour.rgb * 0.5, colour.rgb * colour2.a, 0.2, 0.05, 1.0);
    if (material == roof) return roof_surface();
    if (material == contact_shadow) return contact_shadow_surface();
    if (material == fence) return fence_surface();
    if (material == spokes) return spokes_surface();
    return plain_surface();
}

float sunlight(vec3 normal) {
    if (frame.sun_direction.w <= 0.01) return 1.0;
    vec4 p = frame.shadow_matrix * vec4(world + normal * 0.08, 1.0);
    vec2 uv = p.xy * 0.5 + 0.5;
    vec2 inside = falling(0.5, 0.46, abs(uv - 0.5));
    float lit = texture(shadow_map, vec3(uv, p.z));
    return mix(1.0, lit, inside.x * inside.y * frame.sun_direction.w);
}

void main() {
    vec3 away = world - frame.camera.xyz;
    float distance_m = length(away);
    vec3 to_camera = -away / distance_m;
    vec3 normal = normalize(normal_in);
    if (material == fence || material == spokes) normal = dot(normal, to_camera) < 0.0 ? -normal : normal;
    Surface s = surface_of(to_camera, distance_m);

    bool upward_ground = material == asphalt || material == marking || material == paving;
    float wet = frame.ground.w * smoothstep(0.35, 0.9, normal.y);
    if (upward_ground) {
        float puddle = smoothstep(0.45, 0.6, fbm(straight.xz * 0.23 + 31.0)) * wet;
        s.albedo *= 1.0 - 0.5 * wet;
        s.gloss = max(s.gloss, 0.25 * wet + 0.65 * puddle);
        s.mirror = max(s.mirror, 0.02 * wet);
    }
    float facing = dot(normal, frame.sun_direction.xyz);
    float lit = facing > 0.0 ? sunlight(normal) : 0.0;
    vec3 light = frame.sun_colour.rgb * max(facing, 0.0) * lit;
    if (material == foliage) light += frame.sun_colour.rgb * 0.22 * (0.5 - 0.5 * facing);
    // Light from above, less of it near the foot of things.
    float open_sky = 0.5 + 0.5 * normal.y;
    float foot = material == facade || material == masonry ? mix(0.6, 1.0, smoothstep(0.0, 2.5, local.y)) : 1.0;
    light += mix(frame.ground.rgb, mix(frame.zenith.rgb, frame.horizon.rgb, 0.5), open_sky) * foot;
    // Lamps of the street and of the camera's car.
    float night = frame.sun_colour.w;
    vec3 ahead = normalize(frame.ray_forward.xyz);
    float beam = pow(max(dot(-to_camera, ahead), 0.0), 12.0) * falling(60.0, 5.0, distance_m) *
                 max(dot(normal, to_camera), 0.15);
    light += night * (vec3(0.16, 0.11, 0.06) * (0.6 + 0.4 * normal.y) + vec3(0.5, 0.48, 0.42) * beam);

    vec3 shaded = s.albedo * light;
    if (s.gloss > 0.0) {
        vec3 reflected = reflect(-to_camera, normal);
        float fresnel = s.mirror + (1.0 - s.mirror) * pow(1.0 - max(dot(normal, to_camera), 0.0), 5.0);
        vec3 sky = clear_sky(reflected);
        float glint = pow(max(dot(reflected, frame.sun_direction.xyz), 0.0), 90.0) * lit;
        shaded = mix(shaded, sky, fresnel * s.gloss) + frame.sun_colour.rgb * (glint * s.gloss * 0.6);
    }
    shaded += s.glow;
    float fog = 1.0 - exp(-frame.horizon.w * distance_m);
    vec3 haze = frame.horizon.rgb + frame.sun_colour.rgb * frame.sun_direction.w * 0.08 *
                                        pow(max(dot(-to_camera, frame.sun_direction.xyz), 0.0), 8.0);
    out_colour = vec4(min(mix(shaded, haze, fog), vec3(12.0)), s.alpha);
    out_label = label;
}
