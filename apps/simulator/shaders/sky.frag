#version 450
#extension GL_GOOGLE_include_directive : require
#include "frame.glsl"
#include "noise.glsl"
#include "sky.glsl"

layout(location = 0) in vec2 position;
layout(location = 0) out vec4 out_colour;
layout(location = 1) out uint out_label;

void main() {
    vec3 direction = normalize(frame.ray_forward.xyz + position.x * frame.ray_right.xyz - position.y * frame.ray_up.xyz);
    vec3 sky = clear_sky(vec3(direction.x, max(direction.y, 0.0), direction.z));
    vec2 plane = direction.xz / (max(direction.y, 0.0) + 0.12) * 1.3 + frame.bend.w * 40.0 + frame.camera.w * 0.004;
    float cover = frame.zenith.w;
    float cloud = smoothstep(1.0 - cover, 1.35 - cover, fbm(plane) * 0.75 + fbm(plane * 0.31 + 11.0) * 0.45);
    float lit = noise(plane * 1.7 + frame.sun_direction.xz * 0.35);
    vec3 cloud_colour = mix(frame.horizon.rgb * 0.62, frame.horizon.rgb * 1.08 + frame.sun_colour.rgb * 0.12, lit);
    sky = mix(sky, cloud_colour, cloud * smoothstep(-0.02, 0.15, direction.y));
    float towards = dot(direction, frame.sun_direction.xyz);
    sky += frame.sun_colour.rgb * frame.sun_direction.w * (1.0 - 0.85 * cloud) *
           (smoothstep(0.9992, 0.9997, towards) * 6.0 + 0.25 * pow(max(towards, 0.0), 60.0));
    float haze = 1.0 - exp(-frame.horizon.w * 700.0 * (1.0 - clamp(direction.y * 2.5, 0.0, 1.0)));
    out_colour = vec4(mix(sky, frame.horizon.rgb, haze), 1.0);
    out_label = 23u;
}
