#version 450
// The window: picture, overlay, mask or true labels, and a panel with text at the bottom.

layout(set = 0, binding = 0) uniform sampler2D picture;
layout(set = 0, binding = 1) uniform sampler2D mask;
layout(set = 0, binding = 2) uniform usampler2D truth;
layout(set = 0, binding = 3) uniform sampler2D panel;

layout(push_constant) uniform View {
    vec2 canvas;       // pixels
    float panel_top;   // pixel row; the canvas' height: no panel
    float panel_alpha;
    float opacity;     // of the mask in the overlay
    int left;          // 0 picture, 1 overlay, 2 mask, 3 true labels
    int right;         // the same; -1: the left takes all
    float aspect;      // of the picture
} view;

layout(location = 0) in vec2 position;
layout(location = 0) out vec4 out_colour;

// Cityscapes' colours by label id; grey where there is none.
vec3 colour_of(uint id) {
    switch (id) {
        case 7u: return vec3(128, 64, 128);
        case 8u: return vec3(244, 35, 232);
        case 11u: return vec3(70, 70, 70);
        case 12u: return vec3(102, 102, 156);
        case 13u: return vec3(190, 153, 153);
        case 17u: return vec3(153, 153, 153);
        case 19u: return vec3(250, 170, 30);
        case 20u: return vec3(220, 220, 0);
        case 21u: return vec3(107, 142, 35);
        case 22u: return vec3(152, 251, 152);
        case 23u: return vec3(70, 130, 180);
        case 24u: return vec3(220, 20, 60);
        case 25u: return vec3(255, 0, 0);
        case 26u: return vec3(0, 0, 142);
        case 27u: return vec3(0, 0, 70);
        case 28u: return vec3(0, 60, 100);
        case 31u: return vec3(0, 80, 100);
        case 32u: return vec3(0, 0, 230);
        case 33u: return vec3(119, 11, 32);
    }
    return vec3(0);
}

vec3 seen(int what, vec2 uv) {
    vec3 colour = texture(picture, uv).rgb;
    vec4 classes = texelFetch(mask, ivec2(uv * vec2(textureSize(mask, 0))), 0);
    if (what == 1) return mix(colour, classes.rgb, classes.a * view.opacity);
    if (what == 2) return classes.rgb;
    if (what == 3) return colour_of(texelFetch(truth, ivec2(uv * vec2(textureSize(truth, 0))), 0).r) / 255.0;
    return colour;
}

void main() {
    vec2 pixel = gl_FragCoord.xy;
    bool two = view.right >= 0;
    vec2 area = vec2(two ? view.canvas.x * 0.5 : view.canvas.x, view.panel_alpha < 1.0 ? view.canvas.y : view.panel_top);
    bool on_right = two && pixel.x >= area.x;
    vec2 within = vec2(on_right ? pixel.x - area.x : pixel.x, pixel.y);
    vec2 size = area.x / area.y > view.aspect ? vec2(area.y * view.aspect, area.y) : vec2(area.x, area.x / view.aspect);
    vec2 uv = (within - (area - size) * 0.5) / size;
    vec3 colour = vec3(0.055, 0.06, 0.07);
    if (all(greaterThanEqual(uv, vec2(0.0))) && all(lessThan(uv, vec2(1.0))))
        colour = seen(on_right ? view.right : view.left, uv);
    if (two && abs(pixel.x - area.x) < 1.0 && pixel.y < area.y) colour = vec3(0.0);
    if (pixel.y >= view.panel_top) {
        vec3 text = texelFetch(panel, ivec2(pixel.x, pixel.y - view.panel_top), 0).rgb;
        colour = mix(colour, text, view.panel_alpha);
    }
    out_colour = vec4(colour, 1.0);
}
