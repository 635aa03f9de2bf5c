// variants: STORAGE=f32,f16 ACCESS=ssbo,bda,texel
// A sampled image to normalised features: bilinear at pixel centres, edges clamped, then (v - subtract) * multiply.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "head.glsl"
#extension GL_EXT_samplerless_texture_functions : require
#define USE_OUT
#include "push.h"
layout(push_constant) uniform Push { Image pc; };
#include "access.glsl"
#define PICTURE_BINDING 0
#define FIRST_TEXEL_CONSTANT 3
#include "sampled_picture.glsl"

vec4 pixel_at(uint x, uint y, uint width) {
    const vec3 rgb = picture_at(uvec2(x, y));
    return vec4(rgb[pc.order & 255u], rgb[(pc.order >> 8) & 255u], rgb[(pc.order >> 16) & 255u], 0.0);
}

#include "image_to_tensor.glsl"
