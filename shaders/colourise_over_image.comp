// Labels to 32-bit pixels by a palette of 256 colours, blended over a sampled image.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_samplerless_texture_functions : require
#include "colourise_head.glsl"
#define PICTURE_BINDING 2
#define FIRST_TEXEL_CONSTANT 4
#include "sampled_picture.glsl"

int under_at(uint pixel, int channel) {
    return int(picture_at(uvec2(pixel % pc.width, pixel / pc.width))[channel] + 0.5);
}

#include "colourise.glsl"
