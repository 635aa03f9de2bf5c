// Sky in a direction, without clouds and sun: for reflections.
vec3 clear_sky(vec3 direction) {
    float up = max(direction.y, 0.0);
    vec3 sky = mix(frame.horizon.rgb, frame.zenith.rgb, pow(up, 0.55));
    float towards = max(dot(direction, frame.sun_direction.xyz), 0.0);
    sky += frame.sun_colour.rgb * (0.10 * pow(towards, 6.0) * frame.sun_direction.w);
    return direction.y < 0.0 ? mix(sky, frame.ground.rgb, min(-direction.y * 6.0, 1.0)) : sky;
}
