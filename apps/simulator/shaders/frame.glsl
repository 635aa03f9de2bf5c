// What all stages of a picture know. Mirrors FrameUniforms in render_data.hpp.
layout(set = 0, binding = 0, std140) uniform Frame {
    mat4 view_projection;
    mat4 shadow_matrix;
    vec4 camera;         // world; w: seconds
    vec4 ray_right;      // world, scaled so that ray = forward + x * right + y * up over the picture's -1..1
    vec4 ray_up;
    vec4 ray_forward;
    vec4 sun_direction;  // w: strength of shadows
    vec4 sun_colour;     // w: night, 0 to 1
    vec4 zenith;         // w: share of clouds
    vec4 horizon;        // w: fog per metre
    vec4 ground;         // light from below; w: wet
    vec4 bend;           // side and up per m², s of the camera; w: a number of the city's own
} frame;

vec3 bent(vec3 world) {
    float ahead = -world.z - frame.bend.z;
    return world + vec3(frame.bend.x, frame.bend.y, 0.0) * (ahead * ahead);
}
