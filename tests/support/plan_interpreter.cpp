#include "tests/support/plan_interpreter.hpp"

#include "shaders/shared/push.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

namespace vkseg::test {

namespace {

using Vec4 = std::array<float, 4>;

struct Halves {
    int low, high;
};
Halves halves(uint32_t v) {
    return {static_cast<int>(v & 0xffff), static_cast<int>(v >> 16)};
}
Halves signed_halves(uint32_t v) {
    return {static_cast<int16_t>(v & 0xffff), static_cast<int16_t>(v >> 16)};
}

/// Half precision by the shortest road: round to 11 significant bits.
float round_to_half(float v) {
    if (v == 0.0f || !std::isfinite(v)) return v;
    int exponent = 0;
    (void)std::frexp(v, &exponent);
    const double unit = std::ldexp(1.0, std::max(exponent - 11, -24));
    return static_cast<float>(std::nearbyint(static_cast<double>(v) / unit) * unit);
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
size_t epilogue_vectors(const Machine& m) {
    return (m.spec(4) != 0 ? 2 : 0) + (m.spec(5) == 2 ? 1 : 0);
}

Vec4 gated(const Machine& m, Vec4 v, uint32_t index) {
    const Vec4 gate = m.read(1, index);
    for (size_t i = 0; i < 4; ++i) v[i] *= gate[i];
    return v;
}

void run_conv2d(const Machine& m) {
    const auto pc = m.push_as<push::Conv>();
    const size_t planes = m.spec(6), kernel_h = m.spec(7), kernel_w = m.spec(8);
    const Halves in_size = halves(pc.m.in_size), stride = halves(pc.stride), dilation = halves(pc.dilation);
    const Halves step = halves(pc.out_step), out_size = halves(pc.m.out_size), phases = halves(pc.phases);
    const Halves phase_origin = signed_halves(pc.phase_origin);
    const bool phased = m.spec(11) != 0;
    // What is read goes through scale and shift and an activation first.
    const auto prologue = [&](Vec4 v, size_t biases, uint32_t plane) {
        const size_t base = biases + (1 + epilogue_vectors(m)) * planes;
        if (m.spec(12) == 0 && m.spec(13) == 0) return v;
        return m.normalise(v, base, plane, pc.in_planes, m.spec(12), m.spec(13));
    };
    const auto phase_count = phased ? static_cast<uint32_t>(phases.low * phases.high) : 1;
    m.for_each(halves(pc.grid_size), m.spec(9), [&](uint32_t x, uint32_t y, uint32_t part) {
        const uint32_t z = part / phase_count;
        Halves origin = signed_halves(pc.origin), offset = halves(pc.out_offset);
        size_t rows = kernel_h, columns = kernel_w;
        if (phased) {
            const int phase = static_cast<int>(part % phase_count);
            offset = {phase % phases.low, phase / phases.low};
            origin.low += offset.low * phase_origin.low;
            origin.high += offset.high * phase_origin.high;
            columns = pc.phase_taps >> (4 * offset.low) & 15;
            rows = pc.phase_taps >> (16 + 4 * offset.high) & 15;
        }
        const size_t weights = size_t{part} * pc.m.block_weights;
        const size_t biases = weights + kernel_h * kernel_w * pc.in_planes * 4 * planes;
        const int out_y = static_cast<int>(y) * step.high + offset.high;
        const int out_x = static_cast<int>(x) * step.low + offset.low;
        if (out_y >= out_size.high || out_x >= out_size.low) return;
        const auto pixel = static_cast<uint32_t>(out_y * out_size.low + out_x);
        for (size_t o = 0; o < planes; ++o) {
            const auto plane = static_cast<uint32_t>(z * planes + o);
            const uint32_t out_index = pc.m.out_base + plane * pc.m.out_stride + pixel;
            Vec4 sum = m.weight(biases + o);
            for (size_t ky = 0; ky < rows; ++ky)
                for (size_t kx = 0; kx < columns; ++kx) {
                    size_t row = weights + (ky * kernel_w + kx) * pc.in_planes * 4 * planes + o;
                    const int iy =
                        static_cast<int>(y) * stride.high + origin.high + static_cast<int>(ky) * dilation.high;
                    const int ix = static_cast<int>(x) * stride.low + origin.low +
                                   static_cast<int>(kernel_w == 1 ? ky : kx) * dilation.low;
                    const bool valid = iy >= 0 && ix >= 0 && iy < in_size.high && ix < in_size.low;
                    for (uint32_t i = 0; i < pc.in_planes; ++i) {
                        const bool split = m.spec(14) != 0 && i >= pc.split;
                        const uint32_t base =
                            split ? pc.m.add_base + (i - pc.split) * pc.m.add_stride
                                  : pc.m.in_base + (z * pc.block_in + i * pc.plane_step) * pc.m.in_stride;
                        Vec4 texel{};
                        if (valid)
                            texel = prologue(m.read(split ? 1 : 0, base + static_cast<uint32_t>(iy * in_size.low + ix)),
                                             biases, i);
                        for (size_t lane = 0; lane < 4; ++lane, row += planes) {
                            const Vec4 w = m.weight(row);
                            for (size_t j = 0; j < 4; ++j) sum[j] += texel[lane] * w[j];
                        }
                    }
                }
            const uint32_t add_index = pc.m.add_base + plane * pc.m.add_stride + pixel * pc.m.add_pixel;
            Vec4 result = m.epilogue(sum, biases + planes, o, add_index);
            if (m.spec(15) != 0) result = gated(m, result, add_index);
            m.write(out_index, result);
        }
    });
}

/// What a convolution reads for one pixel.
struct Window {
    size_t kernel_h, kernel_w;
    Halves stride, dilation, origin;
    uint32_t in_planes;
    /// Rows of weights from one lane to the next.
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
            for (size_t lane = 0; lane < 4; ++lane, row += window.planes) {
                const Vec4 w = m.weight(row);
                for (size_t j = 0; j < 4; ++j) sum[j] += texel[lane] * w[j];
            }
        }
    }
}

void run_twin_conv(const Machine& m) {
    const auto pc = m.push_as<push::Twin>();
    const size_t planes = m.spec(6), kernel_h = m.spec(7), kernel_w = m.spec(8);
    const Window window{kernel_h,     kernel_w, halves(pc.stride), halves(pc.dilation), signed_halves(pc.origin),
                        pc.in_planes, planes};
    const Halves larger{std::max(halves(pc.m.out_size).low, halves(pc.out_size2).low),
                        std::max(halves(pc.m.out_size).high, halves(pc.out_size2).high)};
    m.for_each(larger, m.spec(9), [&](uint32_t x, uint32_t y, uint32_t part) {
        const bool second = part >= pc.blocks;
        const uint32_t block = second ? part - pc.blocks : part;
        const Halves in_size = halves(second ? pc.in_size2 : pc.m.in_size);
        const Halves out_size = halves(second ? pc.out_size2 : pc.m.out_size);
        if (static_cast<int>(x) >= out_size.low || static_cast<int>(y) >= out_size.high) return;
        const size_t weights = size_t{part} * pc.m.block_weights;
        const size_t biases = weights + kernel_h * kernel_w * pc.in_planes * 4 * planes;
        for (size_t o = 0; o < planes; ++o) {
            Vec4 sum = m.weight(biases + o);
            add_window(m, sum, window, x, y, in_size, weights + o, [&](uint32_t i, uint32_t pixel) {
                return second ? m.read(1, pc.m.add_base + i * pc.m.add_stride + pixel)
                              : m.read(0, pc.m.in_base + i * pc.m.in_stride + pixel);
            });
            const auto plane = static_cast<uint32_t>(block * planes + o);
            const uint32_t pixel = y * static_cast<uint32_t>(out_size.low) + x;
            m.write((second ? pc.out2.base + plane * pc.out2.stride : pc.m.out_base + plane * pc.m.out_stride) + pixel,
                    m.epilogue(sum, biases + planes, o, 0));
        }
    });
}

void run_esp_pyramid(const Machine& m) {
    const auto pc = m.push_as<push::Pyramid>();
    const bool unrolled = !m.windowed() && std::string(to_string(m.dispatch.shader)).ends_with("_texel");
    const size_t planes = m.spec(6), kernel_h = m.spec(7), kernel_w = m.spec(8);
    const Halves in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size), stride = halves(pc.stride);
    m.for_each(out_size, m.spec(9), [&](uint32_t x, uint32_t y, uint32_t z) {
        const uint32_t pixel = y * static_cast<uint32_t>(out_size.low) + x;
        std::vector<Vec4> sum(std::max<size_t>(planes, m.spec(12)));
        size_t section = size_t{z} * pc.m.block_weights;
        uint32_t branch_plane = 0;
        for (uint32_t branch = 0; branch < pc.branches; ++branch) {
            const uint32_t width = branch == 0 ? pc.first_planes : pc.planes;
            const size_t own = unrolled ? width : planes;
            const size_t rows = kernel_h * kernel_w * pc.in_planes * 4 * own;
            const int dilation = static_cast<int>(pc.dilations[branch / 2] >> (16 * (branch % 2)) & 0xffff);
            for (size_t o = 0; o < own && z * planes + o < width; ++o) {
                if ((pc.continues >> branch & 1) == 0) sum[o] = {};
                const Vec4 bias = m.weight(section + rows + o);
                for (size_t j = 0; j < 4; ++j) sum[o][j] += bias[j];
                size_t row = section + o;
                for (size_t tap = 0; tap < kernel_h * kernel_w; ++tap) {
                    const int iy = static_cast<int>(y) * stride.high +
                                   (static_cast<int>(tap / kernel_w) - static_cast<int>(kernel_h / 2)) * dilation;
                    const int ix = static_cast<int>(x) * stride.low +
                                   (static_cast<int>(tap % kernel_w) - static_cast<int>(kernel_w / 2)) * dilation;
                    const bool valid = iy >= 0 && ix >= 0 && iy < in_size.high && ix < in_size.low;
                    for (uint32_t i = 0; i < pc.in_planes; ++i) {
                        Vec4 texel{};
                        if (valid)
                            texel = m.read(
                                0, pc.m.in_base + i * pc.m.in_stride + static_cast<uint32_t>(iy * in_size.low + ix));
                        for (size_t lane = 0; lane < 4; ++lane, row += own) {
                            const Vec4 w = m.weight(row);
                            for (size_t j = 0; j < 4; ++j) sum[o][j] += texel[lane] * w[j];
                        }
                    }
                }
                const auto plane = branch_plane + static_cast<uint32_t>(z * planes + o);
                m.write(pc.m.out_base + plane * pc.m.out_stride + pixel,
                        m.epilogue(sum[o], section + rows + own, o, own,
                                   pc.m.add_base + plane * pc.m.add_stride + pixel * pc.m.add_pixel));
            }
            section += rows + (1 + epilogue_vectors(m)) * own;
            branch_plane += width;
        }
    });
}

void run_eesp_pyramid(const Machine& m) {
    const auto pc = m.push_as<push::Pyramid>();
    const size_t planes = m.spec(6), kernel_h = m.spec(7), kernel_w = m.spec(8);
    const Halves in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size), stride = halves(pc.stride);
    m.for_each(out_size, 1, [&](uint32_t x, uint32_t y, uint32_t z) {
        const uint32_t pixel = y * static_cast<uint32_t>(out_size.low) + x;
        std::vector<Vec4> sum(planes);
        size_t section = size_t{z} * pc.m.block_weights;
        for (uint32_t branch = 0; branch < pc.branches; ++branch) {
            const int dilation = static_cast<int>(pc.dilations[branch / 2] >> (16 * (branch % 2)) & 0xffff);
            const size_t bias = section + kernel_h * kernel_w * planes;
            for (size_t o = 0; o < planes; ++o) {
                if ((pc.continues >> branch & 1) == 0) sum[o] = {};
                const auto plane = static_cast<uint32_t>(z * planes + o);
                for (size_t j = 0; j < 4; ++j) sum[o][j] += m.weight(bias + o)[j];
                for (size_t tap = 0; tap < kernel_h * kernel_w; ++tap) {
                    const int iy = static_cast<int>(y) * stride.high +
                                   (static_cast<int>(tap / kernel_w) - static_cast<int>(kernel_h / 2)) * dilation;
                    const int ix = static_cast<int>(x) * stride.low +
                                   (static_cast<int>(tap % kernel_w) - static_cast<int>(kernel_w / 2)) * dilation;
                    if (iy < 0 || ix < 0 || iy >= in_size.high || ix >= in_size.low) continue;
                    const Vec4 texel =
                        m.read(0, pc.m.in_base + plane * pc.m.in_stride + static_cast<uint32_t>(iy * in_size.low + ix));
                    const Vec4 w = m.weight(section + tap * planes + o);
                    for (size_t j = 0; j < 4; ++j) sum[o][j] += texel[j] * w[j];
                }
                const uint32_t target = branch * pc.planes + plane;
                m.write(pc.m.out_base + target * pc.m.out_stride + pixel,
                        m.epilogue(sum[o], bias + planes, o,
                                   pc.m.add_base + target * pc.m.add_stride + pixel * pc.m.add_pixel));
            }
            section = bias + (1 + epilogue_vectors(m)) * planes;
        }
    });
}

/// All of a pixel at once: what the workgroup's slots make lies in vectors instead of shared memory.
void run_pyramid_unit(const Machine& m) {
    const auto pc = m.push_as<push::PyramidUnit>();
    const uint32_t slots = m.spec(2), planes = m.spec(6), taps = m.spec(7) * m.spec(8);
    const bool depthwise = m.spec(10) != 0, stores_pyramid = m.spec(11) != 0;
    const Halves in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size), stride = halves(pc.stride);
    const size_t rows = taps * planes * (depthwise ? 1 : pc.in_planes * 4);
    const size_t branch_vectors = rows + (1 + epilogue_vectors(m)) * planes;
    const auto stored = [&](Vec4 v) {
        if (m.plan.fp16)
            for (float& x : v) x = round_to_half(x);
        return v;
    };
    /// The 1x1 convolutions behind the pyramid: where their constants and weights begin.
    struct Pointwise {
        uint32_t how, planes, width, scale_shift, activation, weights, block;
        bool add, second;
        std::vector<Vec4> sum;
        std::vector<size_t> at;  // by slot
    };
    m.for_each(out_size, m.spec(9), [&](uint32_t x, uint32_t y, uint32_t) {
        const uint32_t pixel = y * static_cast<uint32_t>(out_size.low) + x;
        Pointwise mix{m.spec(12),   m.spec(13),      m.spec(14),     m.spec(16), m.spec(17), pc.mix_weights,
                      pc.mix_block, m.spec(15) != 0, stores_pyramid, {},         {}};
        Pointwise rider{m.spec(18),     m.spec(19), m.spec(20), m.spec(21), m.spec(22), pc.rider_weights,
                        pc.rider_block, false,      true,       {},         {}};
        for (Pointwise* of : {&mix, &rider}) {
            of->sum.resize(of->width);
            for (uint32_t slot = 0; slot < slots; ++slot) of->at.push_back(of->weights + size_t{slot} * of->block);
        }
        /// Adds what a branch gives; the results of this branch when there are any.
        const auto run_pointwise = [&](Pointwise& of, const std::vector<Vec4>& read, uint32_t branch) {
            std::vector<Vec4> results(of.width);
            const bool ends = of.how == 1 || branch + 1 == pc.branches;
            for (uint32_t slot = 0; slot < slots; ++slot) {
                if (slot * of.planes >= of.width) continue;
                size_t& at = of.at[slot];
                for (uint32_t o = 0; o < of.planes && slot * of.planes + o < of.width; ++o) {
                    const uint32_t own = slot * of.planes + o;
                    Vec4& sum = of.sum[own];
                    if (of.how == 1) sum = {};
                    for (size_t i = 0; i < read.size(); ++i)
                        for (size_t lane = 0; lane < 4; ++lane) {
                            const Vec4 w = m.weight(at + (i * 4 + lane) * of.planes + o);
                            for (size_t j = 0; j < 4; ++j) sum[j] += read[i][lane] * w[j];
                        }
                    if (!ends) continue;
                    const size_t biases = at + read.size() * 4 * of.planes;
                    const uint32_t plane = (of.how == 1 ? branch * of.width : 0) + own;
                    Vec4 v = sum;
                    for (size_t j = 0; j < 4; ++j) v[j] += m.weight(biases + o)[j];
                    if (of.add) {
                        const Vec4 other = m.read(1, pc.m.add_base + plane * pc.m.add_stride + pixel * pc.m.add_pixel);
                        for (size_t j = 0; j < 4; ++j) v[j] += other[j];
                    }
                    v = m.normalise(v, biases + of.planes, o, of.planes, of.scale_shift, of.activation);
                    m.write(
                        (of.second ? pc.out2.base + plane * pc.out2.stride : pc.m.out_base + plane * pc.m.out_stride) +
                            pixel,
                        v);
                    results[own] = stored(v);
                }
                at += read.size() * 4 * of.planes;
                if (ends) at += (1 + (of.scale_shift != 0 ? 2 : 0) + (of.activation == 2 ? 1 : 0)) * of.planes;
            }
            return results;
        };
        std::vector<Vec4> sum;
        uint32_t branch_plane = 0;
        for (uint32_t branch = 0; branch < pc.branches; ++branch) {
            const uint32_t width = branch == 0 ? pc.first_planes : pc.planes;
            const int dilation = static_cast<int>(pc.dilations[branch / 2] >> (16 * (branch % 2)) & 0xffff);
            sum.resize(width);
            std::vector<Vec4> staged(width);
            for (uint32_t own = 0; own < width; ++own) {
                const uint32_t slot = own / planes, o = own % planes;
                if ((pc.continues >> branch & 1) == 0) sum[own] = {};
                const size_t section = size_t{slot} * pc.m.block_weights + branch * branch_vectors;
                for (size_t j = 0; j < 4; ++j) sum[own][j] += m.weight(section + rows + o)[j];
                for (uint32_t tap = 0; tap < taps; ++tap) {
                    const int iy = static_cast<int>(y) * stride.high +
                                   (static_cast<int>(tap / m.spec(8)) - static_cast<int>(m.spec(7) / 2)) * dilation;
                    const int ix = static_cast<int>(x) * stride.low +
                                   (static_cast<int>(tap % m.spec(8)) - static_cast<int>(m.spec(8) / 2)) * dilation;
                    if (iy < 0 || ix < 0 || iy >= in_size.high || ix >= in_size.low) continue;
                    const auto source = pc.m.in_base + static_cast<uint32_t>(iy * in_size.low + ix);
                    if (depthwise) {
                        const Vec4 texel = m.read(0, source + own * pc.m.in_stride);
                        const Vec4 w = m.weight(section + tap * planes + o);
                        for (size_t j = 0; j < 4; ++j) sum[own][j] += texel[j] * w[j];
                        continue;
                    }
                    for (uint32_t i = 0; i < pc.in_planes; ++i) {
                        const Vec4 texel = m.read(0, source + i * pc.m.in_stride);
                        for (size_t lane = 0; lane < 4; ++lane) {
                            const Vec4 w = m.weight(section + ((tap * pc.in_planes + i) * 4 + lane) * planes + o);
                            for (size_t j = 0; j < 4; ++j) sum[own][j] += texel[lane] * w[j];
                        }
                    }
                }
                const uint32_t plane = branch_plane + own;
                const Vec4 v = m.epilogue(sum[own], section + rows + planes, o,
                                          pc.m.add_base + plane * pc.m.add_stride + pixel * pc.m.add_pixel);
                if (stores_pyramid) m.write(pc.m.out_base + plane * pc.m.out_stride + pixel, v);
                staged[own] = stored(v);
            }
            const std::vector<Vec4> mixed = run_pointwise(mix, staged, branch);
            if (rider.how != 0) run_pointwise(rider, mixed, branch);
            branch_plane += width;
        }
    });
}

void run_conv_pair(const Machine& m) {
    const auto pc = m.push_as<push::ConvPair>();
    const uint32_t slots = m.spec(2), own = m.spec(6), kernel_h = m.spec(7), kernel_w = m.spec(8), kernel2 = m.spec(10);
    const uint32_t planes = m.spec(11), run = m.spec(0) * m.spec(9);
    const Halves in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size), stride = halves(pc.stride);
    const uint32_t covered = m.dispatch.group_count[0] * (run - 2 * pc.halo);
    /// A pixel between the two convolutions; zeros beyond the border.
    const auto between = [&](uint32_t branch, uint32_t plane, int x, int y) {
        Vec4 sum{};
        if (x < 0 || x >= out_size.low) return sum;
        const uint32_t part = plane / own, o = plane % own;
        size_t row = size_t{branch * pc.chunks * slots + part} * pc.m.block_weights + o;
        const size_t biases = row - o + size_t{kernel_h} * kernel_w * pc.in_planes * 4 * own;
        sum = m.weight(biases + o);
        for (uint32_t tap = 0; tap < kernel_h * kernel_w; ++tap) {
            const int dy = static_cast<int>(pc.dilations[branch] & 255),
                      dx = static_cast<int>(pc.dilations[branch] >> 8 & 255);
            const int iy = y * stride.high + (static_cast<int>(tap / kernel_w) - static_cast<int>(kernel_h / 2)) * dy;
            const int ix = x * stride.low + (static_cast<int>(tap % kernel_w) - static_cast<int>(kernel_w / 2)) * dx;
            const bool valid = iy >= 0 && ix >= 0 && iy < in_size.high && ix < in_size.low;
            for (uint32_t i = 0; i < pc.in_planes; ++i) {
                Vec4 texel{};
                if (valid)
                    texel = m.read(0, pc.m.in_base + i * pc.m.in_stride + static_cast<uint32_t>(iy * in_size.low + ix));
                for (size_t lane = 0; lane < 4; ++lane, row += own) {
                    const Vec4 w = m.weight(row);
                    for (size_t j = 0; j < 4; ++j) sum[j] += texel[lane] * w[j];
                }
            }
        }
        sum = m.normalise(sum, biases + own, o, own, m.spec(12), m.spec(13));
        if (m.plan.fp16)
            for (float& v : sum) v = round_to_half(v);
        return sum;
    };
    for (int y = 0; y < std::min(out_size.high, static_cast<int>(m.dispatch.group_count[1])); ++y) {
        // A row between the two for each branch.
        std::vector<Vec4> rows;
        for (uint32_t branch = 0; branch < pc.branches; ++branch)
            for (uint32_t plane = 0; plane < pc.mid_planes; ++plane)
                for (int x = 0; x < out_size.low; ++x) rows.push_back(between(branch, plane, x, y));
        for (int x = 0; x < std::min(out_size.low, static_cast<int>(covered)); ++x)
            for (uint32_t plane = 0; plane < pc.out_planes; ++plane) {
                const uint32_t slot = plane / planes, o = plane % planes;
                const size_t last = pc.final_weights + size_t{slot} * pc.final_block;
                Vec4 sum{};
                for (uint32_t branch = 0; branch < pc.branches; ++branch) {
                    const Vec4 bias = m.weight(last + branch * planes + o);
                    for (size_t j = 0; j < 4; ++j) sum[j] += bias[j];
                    for (uint32_t k = 0; k < kernel2; ++k) {
                        const int at = x + (static_cast<int>(k) - static_cast<int>(kernel2 / 2)) *
                                               static_cast<int>(pc.dilations[branch] >> 16 & 255);
                        if (at < 0 || at >= out_size.low) continue;
                        for (uint32_t i = 0; i < pc.mid_planes; ++i) {
                            const uint32_t chunk = i / (slots * own), in_chunk = i % (slots * own);
                            const size_t row = pc.second_weights +
                                               size_t{(branch * pc.chunks + chunk) * slots + slot} * pc.second_block +
                                               (size_t{k} * slots * own + in_chunk) * 4 * planes + o;
                            const Vec4& texel =
                                rows[(size_t{branch} * pc.mid_planes + i) * static_cast<size_t>(out_size.low) +
                                     static_cast<size_t>(at)];
                            for (size_t lane = 0; lane < 4; ++lane) {
                                const Vec4 w = m.weight(row + lane * planes);
                                for (size_t j = 0; j < 4; ++j) sum[j] += texel[lane] * w[j];
                            }
                        }
                    }
                }
                const auto pixel = static_cast<uint32_t>(y * out_size.low + x);
                m.write(pc.m.out_base + plane * pc.m.out_stride + pixel,
                        m.epilogue(sum, last + pc.branches * planes, o, planes,
                                   pc.m.add_base + plane * pc.m.add_stride + pixel * pc.m.add_pixel));
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

void run_resize_conv(const Machine& m) {
    const auto pc = m.push_as<push::ResizeConv>();
    const Halves size = halves(pc.m.out_size);
    const size_t planes = m.spec(6);
    m.for_each(size, m.spec(7), [&](uint32_t x, uint32_t y, uint32_t block) {
        const size_t weights = size_t{block} * pc.m.block_weights, biases = weights + 4 * planes * pc.in_planes;
        for (size_t o = 0; o < planes; ++o) {
            Vec4 sum = m.weight(biases + o);
            for (uint32_t i = 0; i < pc.in_planes; ++i) {
                uint32_t plane = pc.first_plane + block * pc.block_in + i * pc.plane_step, operand = 0;
                const auto planes_of = [&] {
                    return (operand < 4 ? pc.planes_of >> (8 * operand) : pc.planes_of_last) & 0xff;
                };
                while (plane >= planes_of()) {
                    plane -= planes_of();
                    ++operand;
                }
                const Halves from = halves(pc.sizes[operand]);
                const auto texels = static_cast<uint32_t>(from.low * from.high);
                const uint32_t base = (operand == 0   ? pc.m.in_base
                                       : operand == 1 ? pc.m.add_base
                                                      : pc.bases[operand - 2]) +
                                      plane * ((texels + 63) / 64 * 64);
                const auto read = [&](uint32_t at) { return m.read(operand == 0 ? 0 : 1, base + at); };
                const uint32_t way = pc.ways >> (2 * operand) & 3;
                const Vec4 texel = way == 0
                                       ? read(y * static_cast<uint32_t>(size.low) + x)
                                       : bilinear(read, from, size, static_cast<int>(x), static_cast<int>(y), way == 2);
                for (size_t lane = 0; lane < 4; ++lane) {
                    const Vec4 row = m.weight(weights + (4 * i + lane) * planes + o);
                    for (size_t k = 0; k < 4; ++k) sum[k] += texel[lane] * row[k];
                }
            }
            m.write(pc.m.out_base + static_cast<uint32_t>(block * planes + o) * pc.m.out_stride +
                        y * static_cast<uint32_t>(size.low) + x,
                    m.epilogue(sum, biases + planes, o, 0));
        }
    });
}

/// Kernels on plane_kernel.glsl. `value(x, y, plane, o, weights)` gives the result before the epilogue.
template <typename Value>
void run_plane_kernel(const Machine& m, size_t tap_vectors, const Value& value, bool has_gate = false) {
    const auto pc = m.memory();
    const size_t planes = m.spec(6);
    const Halves size = halves(pc.out_size);
    m.for_each(size, 1, [&](uint32_t x, uint32_t y, uint32_t z) {
        const size_t weights = size_t{z} * pc.block_weights;
        const uint32_t pixel = y * static_cast<uint32_t>(size.low) + x;
        for (size_t o = 0; o < planes; ++o) {
            const auto plane = static_cast<uint32_t>(z * planes + o);
            const uint32_t add_index = pc.add_base + plane * pc.add_stride + pixel * pc.add_pixel;
            Vec4 result = m.epilogue(value(x, y, plane, o, weights), weights + tap_vectors, o, add_index);
            if (has_gate) result = gated(m, result, add_index);
            m.write(pc.out_base + plane * pc.out_stride + pixel, result);
        }
    });
}

void run_depthwise(const Machine& m) {
    const auto pc = m.push_as<push::Conv>();
    const size_t planes = m.spec(6), kernel_h = m.spec(7), kernel_w = m.spec(8);
    const Halves in_size = halves(pc.m.in_size), stride = halves(pc.stride), dilation = halves(pc.dilation);
    const Halves origin = signed_halves(pc.origin);
    run_plane_kernel(
        m, (kernel_h * kernel_w + 1) * planes,
        [&](uint32_t x, uint32_t y, uint32_t plane, size_t o, size_t weights) {
            Vec4 sum = m.weight(weights + kernel_h * kernel_w * planes + o);
            for (size_t tap = 0; tap < kernel_h * kernel_w; ++tap) {
                const int iy =
                    static_cast<int>(y) * stride.high + origin.high + static_cast<int>(tap / kernel_w) * dilation.high;
                const int ix =
                    static_cast<int>(x) * stride.low + origin.low + static_cast<int>(tap % kernel_w) * dilation.low;
                if (iy < 0 || ix < 0 || iy >= in_size.high || ix >= in_size.low) continue;
                const Vec4 texel =
                    m.read(0, pc.m.in_base + plane * pc.m.in_stride + static_cast<uint32_t>(iy * in_size.low + ix));
                const Vec4 w = m.weight(weights + tap * planes + o);
                for (size_t i = 0; i < 4; ++i) sum[i] += texel[i] * w[i];
            }
            return sum;
        },
        m.spec(9) != 0);
}

void run_eltwise(const Machine& m) {
    const auto pc = m.memory();
    const auto width = static_cast<uint32_t>(halves(pc.out_size).low);
    run_plane_kernel(m, 0, [&](uint32_t x, uint32_t y, uint32_t plane, size_t, size_t) {
        return m.read(0, pc.in_base + plane * pc.in_stride + y * width + x);
    });
}

void run_multiply(const Machine& m) {
    const auto pc = m.memory();
    const auto width = static_cast<uint32_t>(halves(pc.out_size).low);
    run_plane_kernel(m, 0, [&](uint32_t x, uint32_t y, uint32_t plane, size_t, size_t) {
        const uint32_t pixel = y * width + x;
        Vec4 left = m.read(0, pc.in_base + plane * pc.in_stride + pixel);
        const Vec4 right = m.read(1, pc.add_base + plane * pc.add_stride + pixel * pc.add_pixel);
        for (size_t i = 0; i < 4; ++i) left[i] *= right[i];
        return left;
    });
}

void run_adaptive_pool(const Machine& m) {
    const auto pc = m.memory();
    const Halves in = halves(pc.in_size), out = halves(pc.out_size);
    run_plane_kernel(m, 0, [&](uint32_t x, uint32_t y, uint32_t plane, size_t, size_t) {
        const auto begin = [](uint32_t at, int from, int to) { return static_cast<int>(at) * from / to; };
        const auto end = [](uint32_t at, int from, int to) { return (static_cast<int>(at + 1) * from + to - 1) / to; };
        const int y0 = begin(y, in.high, out.high), y1 = end(y, in.high, out.high);
        const int x0 = begin(x, in.low, out.low), x1 = end(x, in.low, out.low);
        Vec4 sum{};
        for (int iy = y0; iy < y1; ++iy)
            for (int ix = x0; ix < x1; ++ix) {
                const Vec4 texel =
                    m.read(0, pc.in_base + plane * pc.in_stride + static_cast<uint32_t>(iy * in.low + ix));
                for (size_t i = 0; i < 4; ++i) sum[i] += texel[i];
            }
        for (float& v : sum) v /= static_cast<float>((y1 - y0) * (x1 - x0));
        return sum;
    });
}

void run_scale_pyramid(const Machine& m) {
    const auto pc = m.push_as<push::ScalePyramid>();
    const Halves in = halves(pc.m.in_size), out = halves(pc.m.out_size);
    /// A plane of some size, rounded as in memory.
    struct Map {
        Halves size;
        std::vector<Vec4> texels;
        [[nodiscard]] const Vec4& at(int x, int y) const { return texels[static_cast<size_t>(y * size.low + x)]; }
    };
    const auto stored = [&](Vec4 v) {
        if (m.plan.fp16)
            for (float& x : v) x = round_to_half(x);
        return v;
    };
    const auto scale = [&](const Map& from, Halves to, uint32_t way) {
        if (way == 0) return from;
        Map result{to, {}};
        const auto source = [&](int at, int from_side, int to_side) {
            const auto ratio = static_cast<float>(from_side) / static_cast<float>(to_side);
            const float aligned =
                to_side > 1 ? static_cast<float>(from_side - 1) / static_cast<float>(to_side - 1) : 0.0f;
            return way == 1 ? std::max((static_cast<float>(at) + 0.5f) * ratio - 0.5f, 0.0f)
                            : static_cast<float>(at) * aligned;
        };
        for (int y = 0; y < to.high; ++y)
            for (int x = 0; x < to.low; ++x) {
                Vec4 v{};
                if (way == 3) {
                    const int y0 = y * from.size.high / to.high, x0 = x * from.size.low / to.low;
                    const int y1 = ((y + 1) * from.size.high + to.high - 1) / to.high;
                    const int x1 = ((x + 1) * from.size.low + to.low - 1) / to.low;
                    for (int iy = y0; iy < y1; ++iy)
                        for (int ix = x0; ix < x1; ++ix)
                            for (size_t i = 0; i < 4; ++i) v[i] += from.at(ix, iy)[i];
                    for (float& each : v) each /= static_cast<float>((y1 - y0) * (x1 - x0));
                } else {
                    const float sx = source(x, from.size.low, to.low), sy = source(y, from.size.high, to.high);
                    const int x0 = std::min(static_cast<int>(sx), from.size.low - 1);
                    const int y0 = std::min(static_cast<int>(sy), from.size.high - 1);
                    const int x1 = std::min(x0 + 1, from.size.low - 1), y1 = std::min(y0 + 1, from.size.high - 1);
                    const float fx = sx - static_cast<float>(x0), fy = sy - static_cast<float>(y0);
                    for (size_t i = 0; i < 4; ++i)
                        v[i] = (1 - fy) * ((1 - fx) * from.at(x0, y0)[i] + fx * from.at(x1, y0)[i]) +
                               fy * ((1 - fx) * from.at(x0, y1)[i] + fx * from.at(x1, y1)[i]);
                }
                result.texels.push_back(v);
            }
        return result;
    };
    for (uint32_t block = 0; block < m.dispatch.group_count[2]; ++block) {
        const uint32_t branch = block / pc.planes, plane = block % pc.planes;
        const size_t weights = size_t{block} * pc.m.block_weights;
        Map map{in, {}};
        for (int i = 0; i < in.low * in.high; ++i)
            map.texels.push_back(m.read(0, pc.m.in_base + plane * pc.m.in_stride + static_cast<uint32_t>(i)));
        Map there = scale(map, halves(pc.sizes[branch]), pc.ways >> (4 * branch) & 3);
        for (Vec4& texel : there.texels) texel = stored(texel);
        Map convolved{there.size, {}};
        for (int y = 0; y < there.size.high; ++y)
            for (int x = 0; x < there.size.low; ++x) {
                Vec4 sum = m.weight(weights + 9);
                for (int tap = 0; tap < 9; ++tap) {
                    const int ix = x + tap % 3 - 1, iy = y + tap / 3 - 1;
                    if (ix < 0 || iy < 0 || ix >= there.size.low || iy >= there.size.high) continue;
                    const Vec4 w = m.weight(weights + static_cast<size_t>(tap));
                    for (size_t i = 0; i < 4; ++i) sum[i] += there.at(ix, iy)[i] * w[i];
                }
                convolved.texels.push_back(stored(sum));
            }
        const Map back = scale(convolved, out, pc.ways >> (4 * branch + 2) & 3);
        const auto reach = [&](size_t axis) { return static_cast<int>(m.dispatch.group_count[axis] * m.spec(axis)); };
        for (int y = 0; y < std::min(out.high, reach(1)); ++y)
            for (int x = 0; x < std::min(out.low, reach(0)); ++x)
                m.write(pc.m.out_base + block * pc.m.out_stride + static_cast<uint32_t>(y * out.low + x),
                        m.epilogue(back.at(x, y), weights + 10, 0, 1, 0));
    }
}

void run_softmax(const Machine& m) {
    const auto pc = m.push_as<push::Copy>();
    const Halves size = halves(pc.m.out_size);
    m.for_each(size, 1, [&](uint32_t x, uint32_t y, uint32_t) {
        const uint32_t pixel = y * static_cast<uint32_t>(size.low) + x;
        const auto score = [&](uint32_t c) { return m.read(0, pc.m.in_base + c / 4 * pc.m.in_stride + pixel)[c % 4]; };
        float highest = -INFINITY, total = 0.0f;
        for (uint32_t c = 0; c < pc.channels; ++c) highest = std::max(highest, score(c));
        for (uint32_t c = 0; c < pc.channels; ++c) total += std::exp(score(c) - highest);
        for (uint32_t plane = 0; plane * 4 < pc.channels; ++plane) {
            Vec4 texel{};
            for (uint32_t lane = 0; lane < 4 && plane * 4 + lane < pc.channels; ++lane)
                texel[lane] = std::exp(score(plane * 4 + lane) - highest) / total;
            m.write(pc.m.out_base + plane * pc.m.out_stride + pixel, texel);
        }
    });
}

/// A pooling of the first operand's plane: modes as in pool.glsl.
Vec4 pooled(const Machine& m, uint32_t mode, uint32_t x, uint32_t y, uint32_t plane, Halves kernel, Halves stride,
            Halves padding) {
    const push::Memory pc = m.memory();
    const Halves in_size = halves(pc.in_size);
    const int y0 = static_cast<int>(y) * stride.high - padding.high;
    const int x0 = static_cast<int>(x) * stride.low - padding.low;
    const int y1 = std::min(y0 + kernel.high, in_size.high + padding.high);
    const int x1 = std::min(x0 + kernel.low, in_size.low + padding.low);
    Vec4 result;
    result.fill(mode == 0 ? -INFINITY : 0.0f);
    int inside = 0;
    for (int iy = std::max(y0, 0); iy < std::min(y1, in_size.high); ++iy)
        for (int ix = std::max(x0, 0); ix < std::min(x1, in_size.low); ++ix, ++inside) {
            const Vec4 texel =
                m.read(0, pc.in_base + plane * pc.in_stride + static_cast<uint32_t>(iy * in_size.low + ix));
            for (size_t i = 0; i < 4; ++i) result[i] = mode == 0 ? std::max(result[i], texel[i]) : result[i] + texel[i];
        }
    const int divisor = mode == 1 ? (y1 - y0) * (x1 - x0) : inside;
    if (mode != 0)
        for (float& v : result) v /= static_cast<float>(divisor);
    return result;
}

void run_pool(const Machine& m) {
    const auto pc = m.push_as<push::Pool>();
    run_plane_kernel(m, 0, [&](uint32_t x, uint32_t y, uint32_t plane, size_t, size_t) {
        return pooled(m, m.spec(7), x, y, plane, halves(pc.kernel), halves(pc.stride), halves(pc.padding));
    });
}

void run_down_unit(const Machine& m) {
    const auto pc = m.push_as<push::Down>();
    const size_t planes = m.spec(6), kernel_h = m.spec(7), kernel_w = m.spec(8);
    const Halves in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size);
    const Window window{kernel_h,     kernel_w, halves(pc.stride), halves(pc.dilation), signed_halves(pc.origin),
                        pc.in_planes, planes};
    m.for_each(out_size, m.spec(9), [&](uint32_t x, uint32_t y, uint32_t z) {
        const uint32_t pixel = y * static_cast<uint32_t>(out_size.low) + x;
        if (z >= pc.conv_blocks) {
            const uint32_t plane = z - pc.conv_blocks;
            const Vec4 v = pooled(m, m.spec(10), x, y, plane, halves(pc.pool_kernel), halves(pc.pool_stride),
                                  halves(pc.pool_padding));
            m.write(pc.m.out_base + (pc.pool_first + plane) * pc.m.out_stride + pixel,
                    m.epilogue(v, pc.pool_weights + plane * epilogue_vectors(m), 0, 1, 0));
            return;
        }
        const size_t weights = size_t{z} * pc.m.block_weights;
        const size_t biases = weights + kernel_h * kernel_w * pc.in_planes * 4 * planes;
        for (size_t o = 0; o < planes && z * planes + o < pc.conv_planes; ++o) {
            Vec4 sum = m.weight(biases + o);
            add_window(m, sum, window, x, y, in_size, weights + o, [&](uint32_t i, uint32_t pixel) {
                return m.read(0, pc.m.in_base + i * pc.m.in_stride + pixel);
            });
            m.write(pc.m.out_base + (pc.conv_first + static_cast<uint32_t>(z * planes + o)) * pc.m.out_stride + pixel,
                    m.epilogue(sum, biases + planes, o, 0));
        }
    });
}

void run_resize(const Machine& m) {
    const auto pc = m.push_as<push::Resize>();
    const Halves in_size = halves(pc.m.in_size);
    const uint32_t mode = m.spec(7);
    const auto source = [&](uint32_t at, float scale) {
        const auto position = static_cast<float>(at);
        return mode == 0 ? std::max((position + 0.5f) * scale - 0.5f, 0.0f) : position * scale;
    };
    run_plane_kernel(m, 0, [&](uint32_t x, uint32_t y, uint32_t plane, size_t, size_t) {
        const float sx = source(x, pc.scale_x), sy = source(y, pc.scale_y);
        const int x0 = std::min(static_cast<int>(sx), in_size.low - 1), x1 = std::min(x0 + 1, in_size.low - 1);
        const int y0 = std::min(static_cast<int>(sy), in_size.high - 1), y1 = std::min(y0 + 1, in_size.high - 1);
        const float fx = mode == 2 ? 0.0f : sx - static_cast<float>(x0);
        const float fy = mode == 2 ? 0.0f : sy - static_cast<float>(y0);
        const auto texel = [&](int iy, int ix) {
            return m.read(0, pc.m.in_base + plane * pc.m.in_stride + static_cast<uint32_t>(iy * in_size.low + ix));
        };
        const Vec4 a = texel(y0, x0), b = texel(y0, x1), c = texel(y1, x0), d = texel(y1, x1);
        Vec4 result;
        for (size_t i = 0; i < 4; ++i)
            result[i] = (1 - fy) * ((1 - fx) * a[i] + fx * b[i]) + fy * ((1 - fx) * c[i] + fx * d[i]);
        return result;
    });
}

void run_relayout(const Machine& m) {
    const auto pc = m.memory();
    const Halves size = halves(pc.out_size);
    m.for_each(size, 1, [&](uint32_t x, uint32_t y, uint32_t plane) {
        const uint32_t pixel = y * static_cast<uint32_t>(size.low) + x;
        const Vec4 bits = m.weight(plane);
        Vec4 result{};
        for (size_t lane = 0; lane < 4; ++lane) {
            const auto slot = std::bit_cast<uint32_t>(bits[lane]);
            if (slot != 0xffffffffu)
                result[lane] = m.read(0, pc.in_base + (slot >> 2) * pc.in_stride + pixel)[slot & 3];
        }
        m.write(pc.out_base + plane * pc.out_stride + pixel, result);
    });
}

void run_host_floats(const Machine& m, bool load) {
    const auto pc = m.push_as<push::Copy>();
    const Halves size = halves(load ? pc.m.out_size : pc.m.in_size);
    const auto pixels = static_cast<size_t>(size.low) * static_cast<size_t>(size.high);
    m.for_each(size, 1, [&](uint32_t x, uint32_t y, uint32_t plane) {
        const uint32_t pixel = y * static_cast<uint32_t>(size.low) + x;
        Vec4 texel{};
        if (!load) texel = m.read(0, pc.m.in_base + plane * pc.m.in_stride + pixel);
        for (size_t lane = 0; lane < 4 && plane * 4 + lane < pc.channels; ++lane) {
            const size_t at = (pc.host_base + (plane * 4 + lane) * pixels + pixel) * sizeof(float);
            if (at + sizeof(float) > m.host(0).size_bytes) throw std::out_of_range("float beyond its host window");
            if (load)
                std::memcpy(&texel[lane], m.host_bytes(0) + at, sizeof(float));
            else
                std::memcpy(m.host_target(0) + at, &texel[lane], sizeof(float));
        }
        if (load) m.write(pc.m.out_base + plane * pc.m.out_stride + pixel, texel);
    });
}

/// A picture in host memory at another size: channels in the network's order, of bytes or of floats.
struct Picture {
    const uint8_t* bytes;
    Halves size;
    uint32_t bytes_per_pixel, order;
    float scale_x, scale_y, centre;

    [[nodiscard]] Vec4 at(uint32_t x, uint32_t y) const {
        const auto source = [&](uint32_t position, float scale, int extent) {
            return std::clamp((static_cast<float>(position) + centre) * scale - centre, 0.0f,
                              static_cast<float>(extent - 1));
        };
        const float sx = source(x, scale_x, size.low), sy = source(y, scale_y, size.high);
        const int x0 = static_cast<int>(sx), x1 = std::min(x0 + 1, size.low - 1);
        const int y0 = static_cast<int>(sy), y1 = std::min(y0 + 1, size.high - 1);
        const float fx = sx - static_cast<float>(x0), fy = sy - static_cast<float>(y0);
        Vec4 result{};
        for (size_t c = 0; c < 3; ++c) {
            const auto byte = [&](int py, int px) {
                if (bytes_per_pixel == 0) {
                    float value = 0;
                    const size_t plane = static_cast<size_t>(size.low) * static_cast<size_t>(size.high);
                    std::memcpy(&value, bytes + (c * plane + static_cast<size_t>(py * size.low + px)) * sizeof(value),
                                sizeof(value));
                    return value;
                }
                return static_cast<float>(
                    bytes[static_cast<size_t>(py * size.low + px) * bytes_per_pixel + ((order >> (8 * c)) & 255)]);
            };
            result[c] = (1 - fy) * ((1 - fx) * byte(y0, x0) + fx * byte(y0, x1)) +
                        fy * ((1 - fx) * byte(y1, x0) + fx * byte(y1, x1));
        }
        return result;
    }
};

void run_image_to_tensor(const Machine& m) {
    const auto pc = m.push_as<push::Image>();
    const Halves size = halves(pc.m.out_size);
    const Picture picture{
        m.host_bytes(0), halves(pc.m.in_size), pc.bytes_per_pixel, pc.order, pc.scale_x, pc.scale_y, 0.5f};
    m.for_each(size, 1, [&](uint32_t x, uint32_t y, uint32_t) {
        Vec4 result = picture.at(x, y);
        for (size_t c = 0; c < 3; ++c)
            result[c] = (result[c] - pc.subtract[static_cast<int>(c)]) * pc.multiply[static_cast<int>(c)];
        m.write(pc.m.out_base + y * static_cast<uint32_t>(size.low) + x, result);
    });
}

void run_picture_unit(const Machine& m) {
    const auto pc = m.push_as<push::PictureUnit>();
    const Halves size = halves(pc.m.out_size), map_size = halves(pc.map_size), stride = halves(pc.stride);
    const Picture picture{m.host_bytes(0),
                          halves(pc.m.in_size),
                          pc.format >> 24 & 7,
                          pc.format,
                          pc.scale_x,
                          pc.scale_y,
                          pc.format >> 31 != 0 ? 0.0f : 0.5f};
    const Vec4 subtract = m.weight(pc.normalise), multiply = m.weight(pc.normalise + 1);
    const auto map_at = [&](int x, int y) {
        Vec4 v = picture.at(static_cast<uint32_t>(x), static_cast<uint32_t>(y));
        for (size_t c = 0; c < 4; ++c) {
            v[c] = (v[c] - subtract[c]) * multiply[c];
            if (m.plan.fp16) v[c] = round_to_half(v[c]);
        }
        return v;
    };
    const size_t planes = m.spec(6);
    m.for_each(size, 1, [&](uint32_t x, uint32_t y, uint32_t block) {
        const uint32_t out_pixel = y * static_cast<uint32_t>(size.low) + x;
        if (block >= pc.conv_blocks) {
            const Halves kernel = halves(pc.pool_kernel), padding = halves(pc.pool_padding);
            const uint32_t mode = m.spec(9);
            const int first_x = static_cast<int>(x) * stride.low - padding.low;
            const int first_y = static_cast<int>(y) * stride.high - padding.high;
            Vec4 result{};
            if (mode == 0) result.fill(-INFINITY);
            int inside = 0;
            for (int iy = std::max(first_y, 0); iy < std::min(first_y + kernel.high, map_size.high); ++iy)
                for (int ix = std::max(first_x, 0); ix < std::min(first_x + kernel.low, map_size.low); ++ix, ++inside) {
                    const Vec4 texel = map_at(ix, iy);
                    for (size_t i = 0; i < 4; ++i)
                        result[i] = mode == 0 ? std::max(result[i], texel[i]) : result[i] + texel[i];
                }
            const int padded = (std::min(first_x + kernel.low, map_size.low + padding.low) - first_x) *
                               (std::min(first_y + kernel.high, map_size.high + padding.high) - first_y);
            if (mode != 0)
                for (float& v : result) v /= static_cast<float>(mode == 1 ? padded : inside);
            m.write(pc.m.out_base + pc.pool_first * pc.m.out_stride + out_pixel,
                    m.epilogue(result, pc.pool_weights, 0, 1, 0));
            return;
        }
        const Halves origin = signed_halves(pc.origin);
        const size_t weights = size_t{block} * pc.m.block_weights, taps = size_t{m.spec(7)} * m.spec(8);
        const size_t biases = weights + taps * 4 * planes;
        for (size_t o = 0; o < planes; ++o) {
            const auto plane = static_cast<uint32_t>(block * planes + o);
            if (plane >= pc.conv_planes) continue;
            Vec4 sum = m.weight(biases + o);
            for (size_t tap = 0; tap < taps; ++tap) {
                const int ix = static_cast<int>(x) * stride.low + origin.low + static_cast<int>(tap % m.spec(8));
                const int iy = static_cast<int>(y) * stride.high + origin.high + static_cast<int>(tap / m.spec(8));
                if (ix < 0 || iy < 0 || ix >= map_size.low || iy >= map_size.high) continue;
                const Vec4 texel = map_at(ix, iy);
                for (size_t lane = 0; lane < 3; ++lane) {
                    const Vec4 row = m.weight(weights + (tap * 4 + lane) * planes + o);
                    for (size_t k = 0; k < 4; ++k) sum[k] += texel[lane] * row[k];
                }
            }
            m.write(pc.m.out_base + (pc.conv_first + plane) * pc.m.out_stride + out_pixel,
                    m.epilogue(sum, biases + planes, o, 0));
        }
    });
}

/// Bytes of the dispatch's result in memory order, as many as its invocations reach.
template <typename Label>
void write_labels(const Machine& m, Halves size, const Label& label) {
    const size_t reach = size_t{m.dispatch.group_count[0]} * m.dispatch.group_count[1] * m.spec(0) * 4;
    const auto pixels = static_cast<size_t>(size.low) * static_cast<size_t>(size.high);
    for (size_t i = 0; i < std::min(pixels, reach); ++i)
        m.host_target(0)[i] = static_cast<uint8_t>(label(static_cast<int>(i % static_cast<size_t>(size.low)),
                                                         static_cast<int>(i / static_cast<size_t>(size.low))));
}

void run_argmax(const Machine& m) {
    const auto pc = m.push_as<push::Argmax>();
    const Halves size = halves(pc.m.out_size), in_size = halves(pc.m.in_size);
    const bool confidence = m.spec(3) != 0;
    const uint32_t sampling = m.spec(4);
    /// The two scores on an axis and the weight of the second.
    struct Taps {
        int low, high;
        float fraction;
    };
    const auto taps = [&](int at, float scale, int extent, int out_extent) {
        const auto position = static_cast<float>(at);
        if (sampling == 0) {
            const int nearest = (2 * at + 1) * extent / (2 * out_extent);
            return Taps{nearest, nearest, 0.0f};
        }
        if (sampling == 3) {
            const int nearest = std::min(static_cast<int>(position * scale), extent - 1);
            return Taps{nearest, nearest, 0.0f};
        }
        const float source = std::clamp(sampling == 1 ? (position + 0.5f) * scale - 0.5f : position * scale, 0.0f,
                                        static_cast<float>(extent - 1));
        const int low = static_cast<int>(source);
        return Taps{low, std::min(low + 1, extent - 1), source - static_cast<float>(low)};
    };
    std::vector<float> scores(pc.channels);
    write_labels(m, size, [&](int x, int y) {
        const Taps tx = taps(x, pc.scale_x, in_size.low, size.low), ty = taps(y, pc.scale_y, in_size.high, size.high);
        for (uint32_t c = 0; c < pc.channels; ++c) {
            const auto at = [&](int sy, int sx) {
                return m.read(
                    0, pc.m.in_base + c / 4 * pc.m.in_stride + static_cast<uint32_t>(sy * in_size.low + sx))[c % 4];
            };
            const float top = std::lerp(at(ty.low, tx.low), at(ty.low, tx.high), tx.fraction);
            const float bottom = std::lerp(at(ty.high, tx.low), at(ty.high, tx.high), tx.fraction);
            scores[c] = std::lerp(top, bottom, ty.fraction);
        }
        const auto best = std::ranges::max_element(scores);
        if (!confidence) return static_cast<uint32_t>(best - scores.begin());
        float total = 0;
        for (const float score : scores) total += std::exp(score - *best);
        return static_cast<uint32_t>(255.0f / total + 0.5f);
    });
}

void run_score_head(const Machine& m) {
    const auto pc = m.push_as<push::Head>();
    const size_t planes = m.spec(3), kernel_h = m.spec(4), kernel_w = m.spec(5);
    const bool transposed = m.spec(6) != 0;
    const Halves size = halves(pc.m.out_size), in_size = halves(pc.m.in_size), stride = halves(pc.stride);
    const Halves dilation = halves(pc.dilation), padding = halves(pc.padding);
    const auto input = [&](int at, size_t k, int step, int spread, int pad) {
        const int scaled =
            transposed ? at + pad - static_cast<int>(k) * spread : at * step - pad + static_cast<int>(k) * spread;
        if (!transposed) return scaled;
        return scaled >= 0 && scaled % step == 0 ? scaled / step : -1;
    };
    write_labels(m, size, [&](int x, int y) {
        uint32_t best = 0;
        float highest = -INFINITY;
        for (uint32_t c = 0; c < pc.channels; ++c) {
            const size_t chunk = c / (4 * planes), o = c / 4 % planes, weights = chunk * pc.m.block_weights;
            const size_t tap_vectors = pc.in_planes * 4 * planes;
            float sum = m.weight(weights + kernel_h * kernel_w * tap_vectors + o)[c % 4];
            for (size_t tap = 0; tap < kernel_h * kernel_w; ++tap) {
                const int iy = input(y, tap / kernel_w, stride.high, dilation.high, padding.high);
                const int ix = input(x, tap % kernel_w, stride.low, dilation.low, padding.low);
                if (iy < 0 || ix < 0 || iy >= in_size.high || ix >= in_size.low) continue;
                for (uint32_t i = 0; i < pc.in_planes; ++i) {
                    const Vec4 texel =
                        m.read(0, pc.m.in_base + i * pc.m.in_stride + static_cast<uint32_t>(iy * in_size.low + ix));
                    for (size_t lane = 0; lane < 4; ++lane)
                        sum += texel[lane] * m.weight(weights + tap * tap_vectors + (i * 4 + lane) * planes + o)[c % 4];
                }
            }
            if (sum > highest) {
                highest = sum;
                best = c;
            }
        }
        return best;
    });
}

void run(const Machine& m) {
    const std::string name = to_string(m.dispatch.shader);
    const auto is = [&](const char* family) { return name.starts_with(family); };
    if (is("conv2d_")) return run_conv2d(m);
    if (is("twin_conv_")) return run_twin_conv(m);
    if (is("conv_pair_")) return run_conv_pair(m);
    if (is("pyramid_unit_")) return run_pyramid_unit(m);
    if (is("esp_pyramid_")) return run_esp_pyramid(m);
    if (is("eesp_pyramid_")) return run_eesp_pyramid(m);
    if (is("depthwise_conv2d_")) return run_depthwise(m);
    if (is("scale_pyramid_")) return run_scale_pyramid(m);
    if (is("resize_conv_")) return run_resize_conv(m);
    if (is("picture_unit_")) return run_picture_unit(m);
    if (is("eltwise_")) return run_eltwise(m);
    if (is("multiply_")) return run_multiply(m);
    if (is("adaptive_avg_pool2d_")) return run_adaptive_pool(m);
    if (is("softmax_")) return run_softmax(m);
    if (is("down_unit_")) return run_down_unit(m);
    if (is("pool2d_")) return run_pool(m);
    if (is("resize_")) return run_resize(m);
    if (is("relayout_")) return run_relayout(m);
    if (is("load_nchw_")) return run_host_floats(m, true);
    if (is("store_nchw_")) return run_host_floats(m, false);
    if (is("image_to_tensor_")) return run_image_to_tensor(m);
    if (is("argmax_")) return run_argmax(m);
    if (is("score_head_")) return run_score_head(m);
    throw std::logic_error("the interpreter does not know " + name);
}

}  // namespace

std::vector<std::vector<uint8_t>> interpret(const Plan& plan, std::span<const uint8_t> weights,
                                            const std::vector<std::vector<uint8_t>>& inputs) {
    // Memory that nothing has written is NaN: a read of it shows.
    std::vector<Vec4> arena(plan.arena_bytes / (plan.fp16 ? 8 : 16));
    for (Vec4& texel : arena) texel.fill(NAN);
    if (plan.clears_zero_texel) arena[0].fill(0.0f);
    std::vector<std::vector<uint8_t>> outputs;
    for (const HostBuffer& output : plan.outputs) outputs.emplace_back(output.size_bytes);
    for (const Step& step : plan.steps) {
        const std::vector<Vec4> before = arena;
        for (const Dispatch& dispatch : step.dispatches)
            run(Machine{plan, before, arena, weights, inputs, outputs, dispatch});
    }
    return outputs;
}

}  // namespace vkseg::test
