// Push constants, one struct per kernel family; read by GLSL and C++ alike. Offsets and strides count texels (4
// channels of one pixel). With storage-buffer access they count from the start of the bound window, else from the
// start of the arena. `weights` is the address of the dispatch's packed weights, or for storage-buffer access .x is
// their first vec4. Two numbers in one word are low | high << 16, x or width low.
#ifndef VKSEG_PUSH_H
#define VKSEG_PUSH_H

#ifdef __cplusplus
#include <cstddef>
#include <glm/ext/vector_uint2.hpp>
#include <glm/ext/vector_float4.hpp>
namespace vkseg::push {
using glm::uvec2;
using glm::vec4;
using uint = unsigned int;
#endif

// vec4s that CPU-shaped kernels address from one base (WEIGHT_WORDS).
const uint weights_from_one_base = 32u;

// First member of every struct that touches the arena.
struct Memory {
    uvec2 arena;
    uvec2 weights;
    uint in_base;
    uint in_stride;   // texels between two planes
    uint out_base;
    uint out_stride;
    uint add_base;    // the epilogue's second term
    uint add_stride;
    uint in_size;     // width, height
    uint out_size;    // width, height
    uint row_groups;  // where workgroups take pixel after pixel: of x as many, before y counts one on
    uint block_weights;  // vec4s of packed weights per z block; CPU-shaped, where z is 1: bytes from base to base
    uint add_pixel;      // 1; 0 when the second operand has one pixel that counts for all
    uint host_channels;  // of a result that goes to the host
};

// A second result, in the same binding.
struct SecondOut {
    uint base;
    uint stride;
};

struct Conv {
    Memory m;
    uint grid_size;    // computed pixels: out_size, or one phase of a transposed convolution
    uint in_planes;    // planes that a loop runs over
    uint block_in;     // input planes between two z blocks (groups)
    uint plane_step;   // input planes between two that are read (shuffled groups)
    uint stride;
    uint dilation;
    uint origin;       // signed: input position of tap 0 for output 0
    uint out_step;     // pixels between two computed outputs
    uint out_offset;
    uint phases;       // of a transposed convolution in one dispatch: out_offset runs from 0 to these
    uint phase_origin; // signed: how far the origin moves from phase to phase
    uint phase_taps;   // kernel columns of phase x at bit 4 x, rows of phase y at bit 16 + 4 y
    uint split;        // planes of the first of two operands that follow each other
};

// Two convolutions of one shape; the second operand is the second one's map.
struct Twin {
    Memory m;
    uint in_planes;
    uint stride;
    uint dilation;
    uint origin;       // signed, as in Conv
    uint blocks;       // z blocks of each
    uint in_size2;
    uint out_size2;
    SecondOut out2;
};

struct Pyramid {
    Memory m;
    uint in_planes;     // planes of the map that all branches read
    uint branches;
    uint first_planes;  // output planes of branch 0
    uint planes;        // and of each other branch
    uint stride;
    uint continues;     // bit b: branch b goes on from the sum of branch b - 1
    uint dilations[8];  // of branches 2 i and 2 i + 1
};

// A pyramid of at most 8 branches and what follows it; `weights` count vec4s from the dispatch's first.
struct PyramidUnit {
    Memory m;           // block_weights: per slot
    uint in_planes;
    uint branches;
    uint first_planes;
    uint planes;
    uint stride;
    uint continues;
    uint dilations[4];
    uint mix_weights;
    uint mix_block;     // per slot
    uint rider_weights;
    uint rider_block;
    SecondOut out2;
};

// Pairs of convolutions, of which the second has one row; `weights` count vec4s from the dispatch's first.
struct ConvPair {
    Memory m;            // block_weights: per branch, chunk and slot
    uint in_planes;
    uint out_planes;
    uint branches;
    uint mid_planes;     // between the two
    uint chunks;         // of them
    uint stride;         // of the first
    uint dilations[4];   // of each branch: of the first (height, width) and of the second, 8 bits each
    uint halo;           // pixels at either end of a run that are for the second convolution only
    uint second_weights;
    uint second_block;   // per branch, chunk and slot
    uint final_weights;
    uint final_block;    // per slot
};

// A convolution and a pooling of one map, side by side.
struct Down {
    Memory m;            // block_weights: per z block of the convolution
    uint in_planes;
    uint stride;
    uint dilation;
    uint origin;         // signed, as in Conv
    uint conv_blocks;    // z blocks of the convolution; each further one is a plane of the pooling
    uint conv_planes;
    uint conv_first;     // first plane in the result
    uint pool_first;
    uint pool_kernel;
    uint pool_stride;
    uint pool_padding;
    uint pool_weights;   // vec4s before the pooling's vectors
};

// Branches that scale a map, convolve it there and scale it back. What a workgroup has of shared memory:
#define SCALE_PYRAMID_SCALED_TEXELS 484
#define SCALE_PYRAMID_CONVOLVED_TEXELS 388
struct ScalePyramid {
    Memory m;            // block_weights: per plane of a branch
    uint planes;         // of each branch
    uint ways;           // of branch b: at bit 4 b there, at bit 4 b + 2 back; see scale_pyramid.comp
    uint sizes[8];       // width, height of each branch's convolution
};

// A convolution, a pooling, or both concatenated, of a picture. What a workgroup has of shared memory:
#define PICTURE_UNIT_TEXELS 665
struct PictureUnit {
    Memory m;            // block_weights: per z block of the convolution; in_size: the picture's
    uint format;         // see picture_load.cpp
    float scale_x;       // pixels of the picture per pixel of the map
    float scale_y;
    uint map_size;       // width, height
    uint stride;
    uint origin;         // signed, as in Conv
    uint conv_blocks;    // z blocks of the convolution; a further one is the pooling
    uint conv_planes;
    uint conv_first;     // first plane in the result
    uint pool_first;
    uint pool_kernel;
    uint pool_padding;
    uint pool_weights;   // vec4s before the pooling's vectors
    uint normalise;      // and before the picture's
};

// A 1x1 convolution of a concatenation whose operands may be smaller than it.
struct ResizeConv {
    Memory m;            // in_base: the first operand; add_base: the second one
    uint in_planes;      // as in Conv
    uint block_in;
    uint plane_step;
    uint first_plane;    // of the concatenation, that the first z block reads
    uint ways;           // operand i at bit 2 i: 0 as it is, 1 bilinear at pixel centres, 2 with aligned corners
    uint planes_of;      // operand i at bits 8 (i % 4) of planes_of and planes_of_last
    uint planes_of_last;
    uint sizes[5];       // width, height of each operand
    uint bases[3];       // of the third operand and on, in the second one's binding
};

struct Pool {
    Memory m;
    uint kernel;
    uint stride;
    uint padding;
};

struct Resize {
    Memory m;
    float scale_x;
    float scale_y;
};

// Elementwise, relayout, NCHW import and export.
struct Copy {
    Memory m;
    uint channels;     // NCHW: channels from plane 0 of this part on
    uint host_base;    // NCHW: first float of this part in the bound host window
};

struct Image {
    Memory m;
    uint bytes_per_pixel;
    uint order;        // byte of channel 0, 1, 2 in bits 0-7, 8-15, 16-23
    float scale_x;
    float scale_y;
    vec4 subtract;
    vec4 multiply;
};

struct Argmax {
    Memory m;
    uint channels;
    float scale_x;
    float scale_y;
};

struct Head {
    Memory m;            // block_weights: per chunk of classes
    uint in_planes;
    uint channels;       // classes
    uint chunks;
    uint stride;
    uint dilation;
    uint padding;        // left, top
};

struct Colourise {
    uint pixels;
    uint bytes_per_pixel;
    uint order;
    uint opacity;
    uint first_pixel;
    uint weights;      // first vec4 of the palette
    uint width;
    uint blue_first;   // 1: the result is BGRA
};

// Of the kernels that measure a device.
struct Peak {
    Memory m;
};

struct PeakFma {
    uint iterations;
    float multiplier;
    float addend;
};

#ifdef __cplusplus
static_assert(sizeof(Copy) == 72 && sizeof(Colourise) == 32);
static_assert(sizeof(Memory) == 64 && sizeof(Conv) == 116 && sizeof(Pool) == 76 && sizeof(Resize) == 72);
static_assert(sizeof(Twin) == 100 && sizeof(PyramidUnit) == 128 && sizeof(ConvPair) == 124 && sizeof(Down) == 112 && sizeof(ScalePyramid) == 104 && sizeof(ResizeConv) == 124 && sizeof(PictureUnit) == 120 && sizeof(Pyramid) == 120 && sizeof(Head) == 88);
static_assert(sizeof(Image) == 112 && offsetof(Image, subtract) == 80 && sizeof(Argmax) == 76);
}  // namespace vkseg::push
#endif
#endif
