// A host's image. Texels become values in 0..255 as `TexelReading` in graph/ops/ops.hpp says.
layout(set = 1, binding = PICTURE_BINDING) uniform texture2D picture;
layout(constant_id = FIRST_TEXEL_CONSTANT) const bool LINEAR = false;
layout(constant_id = FIRST_TEXEL_CONSTANT + 1) const bool ROUNDED = true;

vec3 picture_at(uvec2 at) {
    vec3 v = clamp(texelFetch(picture, ivec2(at), 0).rgb, 0.0, 1.0);
    if (LINEAR) v = mix(12.92 * v, 1.055 * pow(v, vec3(1.0 / 2.4)) - 0.055, greaterThan(v, vec3(0.0031308)));
    v *= 255.0;
    return ROUNDED ? floor(v + 0.5) : v;
}
