// Extensions and workgroup size, before anything else. The size is specialised: constant_id 0, 1, 2.
#extension GL_EXT_control_flow_attributes : require
#extension GL_GOOGLE_include_directive : require
#ifdef ACCESS_TEXEL
#extension GL_ARB_gpu_shader_int64 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#endif
#ifdef ARITHMETIC_F16
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#endif
#ifndef ACCESS_SSBO
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#endif
layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;
