#version 450
#extension GL_GOOGLE_include_directive : require
#include "frame.glsl"

layout(location = 0) in vec3 position;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec3 uv_part;
layout(location = 3) in vec4 row0;
layout(location = 4) in vec4 row1;
layout(location = 5) in vec4 row2;
layout(location = 6) in vec4 colour;
layout(location = 7) in vec4 colour2;
layout(location = 8) in vec4 params;
layout(location = 9) in uint label;

layout(location = 0) out vec3 out_local;  // metres in the shape's own frame
layout(location = 1) out vec3 out_local_normal;
layout(location = 2) out vec3 out_world;  // as bent
layout(location = 3) out vec3 out_normal;
layout(location = 4) out vec3 out_straight;  // as it was before the bend
layout(location = 5) out vec3 out_uv_part;
layout(location = 6) flat out vec4 out_colour;
layout(location = 7) flat out vec4 out_colour2;
layout(location = 8) flat out vec4 out_params;
layout(location = 9) flat out vec3 out_size;
layout(location = 10) flat out uint out_label;

void main() {
    vec4 p = vec4(position, 1.0);
    vec3 world = vec3(dot(row0, p), dot(row1, p), dot(row2, p));
    vec3 size = vec3(length(vec3(row0.x, row1.x, row2.x)), length(vec3(row0.y, row1.y, row2.y)),
                     length(vec3(row0.z, row1.z, row2.z)));
    vec3 n = normal / (size * size);
    out_size = size;
    out_local = position * size;
    out_local_normal = normal;
    out_normal = vec3(dot(row0.xyz, n), dot(row1.xyz, n), dot(row2.xyz, n));
    out_straight = world;
    out_world = bent(world);
    out_uv_part = uv_part;
    out_colour = colour;
    out_colour2 = colour2;
    out_params = params;
    out_label = label;
    gl_Position = frame.view_projection * vec4(out_world, 1.0);
}
