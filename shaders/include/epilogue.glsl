// What is applied to a result before it is stored: + second operand, * scale + shift, activation. The vectors lie in
// the packed weights from `base` on: PLANES scales and PLANES shifts when SCALE_SHIFT, PLANES slopes when PReLU.
layout(constant_id = 3) const bool ADD = false;
layout(constant_id = 4) const bool SCALE_SHIFT = false;
layout(constant_id = 5) const int ACTIVATION = 0;  // 0 none, 1 ReLU, 2 PReLU, 3 sigmoid
layout(constant_id = 6) const int PLANES = 1;      // planes that one invocation writes

vec4 activate(vec4 v, int activation, uint slopes) {
    if (activation == 1) v = max(v, vec4(0.0));
    if (activation == 3) v = 1.0 / (1.0 + exp(-v));
    if (activation == 2) v = max(v, vec4(0.0)) + WEIGHT(slopes) * min(v, vec4(0.0));
    return v;
}

// Vectors of the epilogue per plane.
const int EPILOGUE_VECTORS = (SCALE_SHIFT ? 2 : 0) + (ACTIVATION == 2 ? 1 : 0);

// `planes`: how many vectors each kind has, where not PLANES.
vec4 apply_epilogue(vec4 v, uint base, int plane, int planes, uint add_index) {
    if (ADD) v += load_in1(add_index);
    uint slopes = base + uint(plane);
    if (SCALE_SHIFT) {
        v = v * WEIGHT(base + uint(plane)) + WEIGHT(base + uint(planes + plane));
        slopes += uint(2 * planes);
    }
    return activate(v, ACTIVATION, slopes);
}

vec4 apply_epilogue(vec4 v, uint base, int plane, uint add_index) {
    return apply_epilogue(v, base, plane, PLANES, add_index);
}
