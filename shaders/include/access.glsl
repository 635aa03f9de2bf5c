// Reading and writing the arena and the weights: one set of names, three ways (see shaders/README.md).
//   STORAGE_F32, STORAGE_F16      how a texel lies in memory
//   ARITHMETIC_F16                convolutions multiply in 16 bits (products.glsl); else in 32, whatever the storage
//   ACCESS_SSBO   storage-buffer windows          (set 0: 0, 1 read, 2 written, 3 weights)
//   ACCESS_BDA    device addresses for everything
//   ACCESS_TEXEL  texel view (set 0: 4) to read, device addresses to write (in 64 bits) and for weights: the CPU-shaped
//                 family
// A shader says before the include which operands it uses: USE_IN0, USE_IN1, USE_OUT, USE_WEIGHTS.
// HOST_OUT: what is stored goes to the host as floats, channel after channel. Planes follow each other without gaps
// there: out_stride is the number of pixels.
#ifdef STORAGE_F16
#define TEXEL uvec2
vec4 unpack_texel(uvec2 t) { return vec4(unpackHalf2x16(t.x), unpackHalf2x16(t.y)); }
// Conversion to half gives infinity beyond 65504; scores stay comparable when they are clamped instead.
uvec2 pack_texel(vec4 v) {
    v = clamp(v, vec4(-65504.0), vec4(65504.0));
    return uvec2(packHalf2x16(v.xy), packHalf2x16(v.zw));
}
#else
#define TEXEL vec4
vec4 unpack_texel(vec4 t) { return t; }
vec4 pack_texel(vec4 v) { return v; }
#endif

// What a convolution multiplies: four channels of a pixel, as they lie in memory where that is what it computes in.
#ifdef ARITHMETIC_F16
#define FACTORS f16vec4
FACTORS unpack_factors(TEXEL t) { return FACTORS(unpackFloat2x16(t.x), unpackFloat2x16(t.y)); }
#define WEIGHT_VECTOR uvec4
#define WEIGHT(i) uintBitsToFloat(WEIGHT_WORDS(i))
#else
#define FACTORS vec4
#define unpack_factors unpack_texel
#define WEIGHT_VECTOR vec4
#define WEIGHT WEIGHT_WORDS
#endif

#ifdef ACCESS_SSBO
#ifdef USE_IN0
layout(set = 0, binding = 0, std430) readonly buffer In0 { TEXEL in0_texels[]; };
vec4 load_in0(uint i) { return unpack_texel(in0_texels[i]); }
FACTORS load_factors0(uint i) { return unpack_factors(in0_texels[i]); }
#endif
#ifdef USE_IN1
layout(set = 0, binding = 1, std430) readonly buffer In1 { TEXEL in1_texels[]; };
vec4 load_in1(uint i) { return unpack_texel(in1_texels[i]); }
FACTORS load_factors1(uint i) { return unpack_factors(in1_texels[i]); }
#endif
#if defined(USE_OUT) && !defined(HOST_OUT)
layout(set = 0, binding = 2, std430) buffer Out { TEXEL out_texels[]; };
void store_out(uint i, vec4 v) { out_texels[i] = pack_texel(v); }
vec4 load_out(uint i) { return unpack_texel(out_texels[i]); }
#endif
#ifdef USE_WEIGHTS
layout(set = 0, binding = 3, std430) readonly buffer WeightBuffer { WEIGHT_VECTOR weight_vectors[]; };
#define WEIGHT_WORDS(i) weight_vectors[pc.m.weights.x + (i)]
#endif
#else
#ifdef STORAGE_F16
layout(buffer_reference, std430, buffer_reference_align = 8) buffer ArenaRef { uvec2 texels[]; };
#else
layout(buffer_reference, std430, buffer_reference_align = 16) buffer ArenaRef { vec4 texels[]; };
#endif
#ifdef ACCESS_TEXEL
#ifdef STORAGE_F16
layout(set = 0, binding = 4, rgba16f) readonly uniform imageBuffer arena_view;
#else
layout(set = 0, binding = 4, rgba32f) readonly uniform imageBuffer arena_view;
#endif
vec4 load_arena(uint i) { return imageLoad(arena_view, int(i)); }
#define load_arena_factors load_arena
#else
vec4 load_arena(uint i) { return unpack_texel(ArenaRef(pc.m.arena).texels[i]); }
FACTORS load_arena_factors(uint i) { return unpack_factors(ArenaRef(pc.m.arena).texels[i]); }
#endif
#define load_in0 load_arena
#define load_in1 load_arena
#define load_factors0 load_arena_factors
#define load_factors1 load_arena_factors
#ifndef HOST_OUT
#define load_out load_arena
#ifdef ACCESS_TEXEL
// The CPU driver stores number by number and lane by lane; numbers of 64 bits are half as many.
#ifdef STORAGE_F16
layout(buffer_reference, std430, buffer_reference_align = 8) writeonly buffer WideArenaRef { uint64_t texels[]; };
uint64_t wide_texel(vec4 v) { return packUint2x32(pack_texel(v)); }
#else
layout(buffer_reference, std430, buffer_reference_align = 16) writeonly buffer WideArenaRef { u64vec2 texels[]; };
u64vec2 wide_texel(vec4 v) {
    const uvec4 bits = floatBitsToUint(v);
    return u64vec2(packUint2x32(bits.xy), packUint2x32(bits.zw));
}
#endif
void store_out(uint i, vec4 v) { WideArenaRef(pc.m.arena).texels[i] = wide_texel(v); }
#else
void store_out(uint i, vec4 v) { ArenaRef(pc.m.arena).texels[i] = pack_texel(v); }
#endif
#endif
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer WeightRef { WEIGHT_VECTOR vectors[]; };
#ifdef ACCESS_TEXEL
// From a new base every 512 bytes, at a distance that only the host knows: x86 code is a fifth shorter where operands
// lie that near to a register, and straight-line code runs as fast as it is fetched.
#define WEIGHT_BASE(i) (packUint2x32(pc.m.weights) + uint64_t((i) / weights_from_one_base * pc.m.block_weights))
#define WEIGHT_WORDS(i) WeightRef(WEIGHT_BASE(i)).vectors[(i) % weights_from_one_base]
#else
#define WEIGHT_WORDS(i) WeightRef(pc.m.weights).vectors[i]
#endif
#endif

// a / b, without the CPU driver's division of whole numbers, which goes lane by lane. The floats' quotient may be one
// beside; `a` of more than 24 bits is for quotients below 2^16.
uint quotient(uint a, uint b) {
    uint q = uint(float(a) / float(b));
    if (q * b > a) --q;
    if (a - q * b >= b) ++q;
    return q;
}

#ifdef ACCESS_TEXEL
// The invocation's place among rows of `row_length`: workgroups take one after another through all rows, so that few lanes
// have none whatever the length.
uvec2 place_in_rows(uint row_length) {
    const uint group = gl_WorkGroupID.y * pc.m.row_groups + gl_WorkGroupID.x;
    const uint place = group * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    const uint row = quotient(place, row_length);
    return uvec2(place - row * row_length, row);
}
#endif

#ifdef HOST_OUT
layout(set = 1, binding = 0, std430) writeonly buffer HostOut { float host_out[]; };
void store_out(uint i, vec4 v) {
    const uint plane = quotient(i, pc.m.out_stride);
    [[unroll]] for (uint lane = 0u; lane < 4u; ++lane)
        if (plane * 4u + lane < pc.m.host_channels) host_out[i + (plane * 3u + lane) * pc.m.out_stride] = v[lane];
}
#endif

// Texel 0 of the arena is always zero. The CPU-shaped family selects its index for taps outside the image, because a
// branch would switch off the CPU driver's uniform loads; the others skip the load.
#ifdef ACCESS_TEXEL
#define LOAD_IN0_OR_ZERO(valid, i) load_in0((valid) ? (i) : 0u)
#define LOAD_FACTORS0_OR_ZERO LOAD_IN0_OR_ZERO
#else
#define LOAD_IN0_OR_ZERO(valid, i) ((valid) ? load_in0(i) : vec4(0.0))
#define LOAD_FACTORS0_OR_ZERO(valid, i) ((valid) ? load_factors0(i) : FACTORS(0.0))
#endif

// Weights must lie at uniform addresses for the CPU driver to load them once for all lanes; it does not see that the
// workgroup's index is uniform. So there every block of planes is its own dispatch.
#ifdef ACCESS_TEXEL
#define BLOCK 0u
#define UNROLL [[unroll]]
#else
#define BLOCK gl_WorkGroupID.z
#define UNROLL
#endif

ivec2 halves_signed(uint v) { return ivec2(int(v << 16) >> 16, int(v) >> 16); }
uvec2 halves(uint v) { return uvec2(v & 0xffffu, v >> 16); }
