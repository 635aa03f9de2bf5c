// What the two colourise kernels declare alike.
#include "push.h"
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
layout(push_constant) uniform Push { Colourise pc; };
layout(constant_id = 3) const bool BLEND = false;
layout(set = 0, binding = 3, std430) readonly buffer Palette { uvec4 palette[]; };
layout(set = 1, binding = 0, std430) readonly buffer Labels { uint labels[]; };
layout(set = 1, binding = 1, std430) writeonly buffer Result { uint result[]; };
