#pragma once

#include "graph/plan/plan.hpp"
#include "shaders/shared/push.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

// What the interpreter's kernels share: a dispatch as a kernel sees it, and the arithmetic that several of them do.

namespace vkseg::test::interpreter {

using Vec4 = std::array<float, 4>;

struct Halves {
    int low, high;
};
inline Halves halves(uint32_t v) {
    return {static_cast<int>(v & 0xffff), static_cast<int>(v >> 16)};
}
inline Halves signed_halves(uint32_t v) {
    return {static_cast<int16_t>(v & 0xffff), static_cast<int16_t>(v >> 16)};
}

/// Half precision by the shortest road: round to 11 significant bits.
inline float round_to_half(float v) {
    if (v == 0.0f || !std::isfinite(v)) return v;
    int exponent = 0;
    (void)std::frexp(v, &exponent);
    const double unit = std::ldexp(1.0, std::max(exponent - 11, -24));
    return static_cast<float>(std::nearbyint(static_cast<double>(v) / unit) * unit);
}

inline float float_from_half(uint16_t bits) {
    const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    const float size = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                                     : std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
    return (bits & 0x8000) != 0 ? -size : size;
}

/// One dispatch: what a kernel sees.
struct Machine {
    const Plan& plan;
    const std::vector<Vec4>& before;  // the arena at the start of the step
    std::vector<Vec4>& after;
    std::span<const uint8_t> weights;
    const std::vector<std::vector<uint8_t>>& inputs;
    std::vector<std::vector<uint8_t>>& outputs;
    const Dispatch& dispatch;

    [[nodiscard]] size_t texel_bytes() const { return plan.fp16 ? 8 : 16; }
    [[nodiscard]] bool windowed() const { return std::string(to_string(dispatch.shader)).ends_with("_ssbo"); }

    [[nodiscard]] Vec4 read(size_t operand, uint32_t index) const { return before.at(at(operand, index)); }
    void write(uint32_t index, Vec4 value) const {
        if (std::string(to_string(dispatch.shader)).find("_to_host_") != std::string::npos) {
            const push::Memory pc = memory();
            const uint32_t plane = index / pc.out_stride, pixel = index % pc.out_stride;
            for (uint32_t lane = 0; lane < 4 && plane * 4 + lane < pc.host_channels; ++lane) {
                const size_t offset = (size_t{plane * 4 + lane} * pc.out_stride + pixel) * sizeof(float);
                if (offset + sizeof(float) > host(0).size_bytes)
                    throw std::out_of_range("float beyond its host window");
                std::memcpy(host_target(0) + offset, &value[lane], sizeof(float));
            }
            return;
        }
        if (plan.fp16)
            for (float& v : value) v = round_to_half(v);
        after.at(at(2, index)) = value;
    }
    [[nodiscard]] size_t at(size_t operand, uint32_t index) const {
        if (!windowed()) return index;
        const ArenaSlice& window = dispatch.windows[operand];
        if ((index + 1) * texel_bytes() > window.size_bytes) throw std::out_of_range("texel beyond its window");
        return window.offset_bytes / texel_bytes() + index;
    }
    [[nodiscard]] size_t weights_offset() const {
        if (windowed()) return size_t{memory().weights.x} * 16;
        for (const Relocation& relocation : dispatch.relocations)
            if (relocation.base == Relocation::Base::Weights) return relocation.offset_bytes;
        return 0;
    }
    [[nodiscard]] Vec4 weight(size_t vector) const {
        Vec4 value;
        const size_t offset = weights_offset() + vector * 16;
        if (offset + 16 > weights.size()) throw std::out_of_range("weight beyond the packed weights");
        std::memcpy(value.data(), weights.data() + offset, 16);
        return value;
    }
    /// Rows of weights that an input plane has.
    [[nodiscard]] size_t weight_rows() const { return dispatch.fp16_arithmetic ? 2 : 4; }
    /// ADD_PRODUCTS of products.glsl for one output plane, whose first vector of weights is `row`.
    void add_products(Vec4& sum, const Vec4& texel, size_t row, size_t planes) const {
        if (!dispatch.fp16_arithmetic) {
            for (size_t lane = 0; lane < 4; ++lane) {
                const Vec4 w = weight(row + lane * planes);
                for (size_t j = 0; j < 4; ++j) sum[j] += texel[lane] * w[j];
            }
            return;
        }
        Vec4 run{};
        for (size_t lane = 0; lane < 4; ++lane) {
            const Vec4 w = half_weight(row + lane / 2 * planes, lane % 2);
            for (size_t j = 0; j < 4; ++j) run[j] = round_to_half(run[j] + round_to_half(texel[lane]) * w[j]);
        }
        for (size_t j = 0; j < 4; ++j) sum[j] += run[j];
    }
    /// The first or second four halves of a vector.
    [[nodiscard]] Vec4 half_weight(size_t vector, size_t part) const {
        std::array<uint16_t, 4> bits;
        const size_t offset = weights_offset() + vector * 16 + part * sizeof(bits);
        if (offset + sizeof(bits) > weights.size()) throw std::out_of_range("weight beyond the packed weights");
        std::memcpy(bits.data(), weights.data() + offset, sizeof(bits));
        Vec4 value;
        for (size_t j = 0; j < 4; ++j) value[j] = float_from_half(bits[j]);
        return value;
    }
    [[nodiscard]] push::Memory memory() const { return push_as<push::Memory>(); }
    template <typename Push>
    [[nodiscard]] Push push_as() const {
        Push push;
        std::memcpy(&push, dispatch.push.data(), sizeof(push));
        return push;
    }
    [[nodiscard]] uint32_t spec(size_t id) const { return dispatch.specialization.at(id); }
    [[nodiscard]] const HostBinding& host(uint32_t binding) const {
        for (const HostBinding& host : dispatch.host)
            if (host.binding == binding) return host;
        throw std::logic_error("host binding absent");
    }
    [[nodiscard]] const uint8_t* host_bytes(uint32_t binding) const {
        const HostBinding& h = host(binding);
        return (h.direction == HostBinding::Direction::Input ? inputs : outputs).at(h.index).data() + h.offset_bytes;
    }
    [[nodiscard]] uint8_t* host_target(uint32_t binding) const {
        const HostBinding& h = host(binding);
        return outputs.at(h.index).data() + h.offset_bytes;
    }

    /// add, scale and shift, activation: constants 3, 4, 5; vectors from `base` on.
    [[nodiscard]] Vec4 epilogue(Vec4 v, size_t base, size_t plane, uint32_t add_index) const {
        return epilogue(v, base, plane, spec(6), add_index);
    }
    [[nodiscard]] Vec4 epilogue(Vec4 v, size_t base, size_t plane, size_t planes, uint32_t add_index) const {
        if (spec(3) != 0) {
            const Vec4 other = read(1, add_index);
            for (size_t i = 0; i < 4; ++i) v[i] += other[i];
        }
        return normalise(v, base, plane, planes, spec(4), spec(5));
    }
    [[nodiscard]] Vec4 normalise(Vec4 v, size_t base, size_t plane, size_t planes, uint32_t scale_shift,
                                 uint32_t activation) const {
        size_t slopes = base + plane;
        if (scale_shift != 0) {
            const Vec4 scale = weight(base + plane), shift = weight(base + planes + plane);
            for (size_t i = 0; i < 4; ++i) v[i] = v[i] * scale[i] + shift[i];
            slopes += 2 * planes;
        }
        if (activation == 3)
            for (float& x : v) x = 1.0f / (1.0f + std::exp(-x));
        else if (activation != 0)
            for (size_t i = 0; i < 4; ++i)
                v[i] = std::max(v[i], 0.0f) + (activation == 2 ? weight(slopes)[i] * std::min(v[i], 0.0f) : 0.0f);
        return v;
    }

    /// Pixels that the grid covers and the kernel does not skip, for every block of planes.
    template <typename Body>
    void for_each(Halves grid, uint32_t pixels_per_invocation, const Body& body) const {
        if (const uint32_t row_groups = memory().row_groups) {
            // Workgroups that take pixel after pixel: each x of theirs once, or their rows overlap.
            if (row_groups != dispatch.group_count[0]) throw std::logic_error("rows of workgroups overlap");
            const uint32_t covered = row_groups * dispatch.group_count[1] * spec(0);
            const auto width = static_cast<uint32_t>(grid.low), height = static_cast<uint32_t>(grid.high);
            for (uint32_t z = 0; z < dispatch.group_count[2]; ++z)
                for (uint32_t pixel = 0; pixel < std::min(covered, width * height); ++pixel)
                    body(pixel % width, pixel / width, z);
            return;
        }
        const uint32_t covered_x = dispatch.group_count[0] * spec(0) * pixels_per_invocation;
        const uint32_t covered_y = dispatch.group_count[1] * spec(1);
        for (uint32_t z = 0; z < dispatch.group_count[2]; ++z)
            for (uint32_t y = 0; y < std::min(covered_y, static_cast<uint32_t>(grid.high)); ++y)
                for (uint32_t x = 0; x < std::min(covered_x, static_cast<uint32_t>(grid.low)); ++x) body(x, y, z);
    }
};

/// Vectors per plane behind the weights: scale and shift, slope.
inline size_t epilogue_vectors(const Machine& m) {
    return (m.spec(4) != 0 ? 2 : 0) + (m.spec(5) == 2 ? 1 : 0);
}

inline Vec4 gated(const Machine& m, Vec4 v, uint32_t index) {
    const Vec4 gate = m.read(1, index);
    for (size_t i = 0; i < 4; ++i) v[i] *= gate[i];
    return v;
}

/// What a convolution reads for one pixel.
struct Window {
    size_t kernel_h, kernel_w;
    Halves stride, dilation, origin;
    uint32_t in_planes;
    /// Vectors of weights from one row to the next.
    size_t planes;
};

/// Adds what one plane of one pixel gets: zeros beyond the borders. `read(plane, pixel)` gives a texel of the input.
template <typename Read>
void add_window(const Machine& m, Vec4& sum, const Window& window, uint32_t x, uint32_t y, Halves in_size, size_t row,
                const Read& read) {
    for (size_t tap = 0; tap < window.kernel_h * window.kernel_w; ++tap) {
        const int iy = static_cast<int>(y) * window.stride.high + window.origin.high +
                       static_cast<int>(tap / window.kernel_w) * window.dilation.high;
        const int ix = static_cast<int>(x) * window.stride.low + window.origin.low +
                       static_cast<int>(tap % window.kernel_w) * window.dilation.low;
        const bool valid = iy >= 0 && ix >= 0 && iy < in_size.high && ix < in_size.low;
        for (uint32_t i = 0; i < window.in_planes; ++i) {
            Vec4 texel{};
            if (valid) texel = read(i, static_cast<uint32_t>(iy * in_size.low + ix));
            m.add_products(sum, texel, row, window.planes);
            row += m.weight_rows() * window.planes;
        }
    }
}

/// An operand scaled bilinearly to another size, at one pixel; `read(pixel)` gives its texels.
template <typename Read>
Vec4 bilinear(const Read& read, Halves from, Halves to, int x, int y, bool aligned) {
    const auto source = [&](int at, int from_side, int to_side) {
        if (aligned)
            return to_side > 1
                       ? static_cast<float>(at) * (static_cast<float>(from_side - 1) / static_cast<float>(to_side - 1))
                       : 0.0f;
        const float ratio = static_cast<float>(from_side) / static_cast<float>(to_side);
        return std::max((static_cast<float>(at) + 0.5f) * ratio - 0.5f, 0.0f);
    };
    const float sx = source(x, from.low, to.low), sy = source(y, from.high, to.high);
    const int x0 = std::min(static_cast<int>(sx), from.low - 1), y0 = std::min(static_cast<int>(sy), from.high - 1);
    const int x1 = std::min(x0 + 1, from.low - 1), y1 = std::min(y0 + 1, from.high - 1);
    const float fx = std::min(sx - static_cast<float>(x0), 1.0f), fy = std::min(sy - static_cast<float>(y0), 1.0f);
    const auto at = [&](int column, int row) { return read(static_cast<uint32_t>(row * from.low + column)); };
    const Vec4 a = at(x0, y0), b = at(x1, y0), c = at(x0, y1), d = at(x1, y1);
    Vec4 v{};
    for (size_t i = 0; i < 4; ++i) v[i] = (1 - fy) * ((1 - fx) * a[i] + fx * b[i]) + fy * ((1 - fx) * c[i] + fx * d[i]);
    return v;
}

/// A pooling of the first operand's plane: modes as in pool.glsl.
Vec4 pooled(const Machine& m, uint32_t mode, uint32_t x, uint32_t y, uint32_t plane, Halves kernel, Halves stride,
            Halves padding);

void run_conv2d(const Machine& m);
void run_winograd_conv2d(const Machine& m);
void run_twin_conv(const Machine& m);
void run_conv_pair(const Machine& m);
void run_resize_conv(const Machine& m);
void run_down_unit(const Machine& m);
void run_esp_pyramid(const Machine& m);
void run_eesp_pyramid(const Machine& m);
void run_pyramid_unit(const Machine& m);
void run_scale_pyramid(const Machine& m);
void run_depthwise(const Machine& m);
void run_eltwise(const Machine& m);
void run_multiply(const Machine& m);
void run_adaptive_pool(const Machine& m);
void run_softmax(const Machine& m);
void run_pool(const Machine& m);
void run_resize(const Machine& m);
void run_relayout(const Machine& m);
void run_host_floats(const Machine& m, bool load);
void run_image_to_tensor(const Machine& m);
void run_picture_unit(const Machine& m);
void run_argmax(const Machine& m);
void run_score_head(const Machine& m);

}  // namespace vkseg::test::interpreter
