#include "tests/support/interpreter.hpp"

namespace vkseg::test::interpreter {

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
        const size_t biases = weights + kernel_h * kernel_w * pc.in_planes * m.weight_rows() * planes;
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
                    size_t row = weights + (ky * kernel_w + kx) * pc.in_planes * m.weight_rows() * planes + o;
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
                        m.add_products(sum, texel, row, planes);
                        row += m.weight_rows() * planes;
                    }
                }
            const uint32_t add_index = pc.m.add_base + plane * pc.m.add_stride + pixel * pc.m.add_pixel;
            Vec4 result = m.epilogue(sum, biases + planes, o, add_index);
            if (m.spec(15) != 0) result = gated(m, result, add_index);
            m.write(out_index, result);
        }
    });
}

namespace {

/// A line of minimal filtering, at the points 0, 1, -1 (, 2, -2) and infinity.
struct Filtering {
    size_t taps;
    [[nodiscard]] size_t products() const { return taps + 1; }
    /// What a product takes of the line's input `at`.
    [[nodiscard]] float of_input(size_t product, size_t at) const {
        static const std::vector<std::vector<float>> of_three{
            {1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, -1, 0, 1}};
        static const std::vector<std::vector<float>> of_five{{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0},
                                                             {0, 4, -4, -1, 1, 0}, {0, -2, -1, 2, 1, 0},
                                                             {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
        return (taps == 3 ? of_three : of_five)[product][at];
    }
    /// What the first or second pixel takes of a product.
    [[nodiscard]] float of_product(size_t pixel, size_t product) const {
        constexpr float points[] = {0, 1, -1, 2, -2};
        if (product == taps) return pixel == 1 ? 1 : 0;
        return pixel == 0 ? 1 : points[product];
    }
};

}  // namespace

void run_winograd_conv2d(const Machine& m) {
    const auto pc = m.push_as<push::Conv>();
    const size_t planes = m.spec(6), kernel_rows = m.spec(7), in_planes = m.spec(9);
    const bool both_axes = m.spec(10) != 0;
    const Filtering along{m.spec(8)}, down{3};
    const Halves in_size = halves(pc.m.in_size), out_size = halves(pc.m.out_size), dilation = halves(pc.dilation);
    const Halves origin = signed_halves(pc.origin);
    const bool along_rows = kernel_rows > 1 || dilation.low > 0;
    const Halves apart = along_rows ? Halves{dilation.low, 0} : Halves{0, dilation.high};
    const size_t out_rows = both_axes ? 2 : 1, in_rows = kernel_rows + out_rows - 1, products = along.products();
    const size_t biases = products * in_rows * in_planes * 4 * planes;
    // Products of rows one after another, or in each product the rows of taps.
    const auto weight_row = [&](size_t row, size_t product, size_t plane, size_t lane) {
        const size_t input =
            both_axes ? (row * products + product) * in_planes + plane : (product * in_rows + row) * in_planes + plane;
        return (input * 4 + lane) * planes;
    };
    m.for_each(halves(pc.grid_size), 1, [&](uint32_t across, uint32_t below, uint32_t) {
        const auto first_of = [](uint32_t at, int run) {
            const auto length = static_cast<uint32_t>(run);
            return static_cast<int>(at + at / length * length);
        };
        const int x = along_rows ? first_of(across, apart.low) : static_cast<int>(across);
        const int y = along_rows && !both_axes ? static_cast<int>(below) : first_of(below, dilation.high);
        std::vector<Vec4> sums(out_rows * 2 * planes);
        for (size_t i = 0; i < sums.size(); ++i) sums[i] = m.weight(biases + i % planes);
        for (uint32_t plane = 0; plane < in_planes; ++plane) {
            const auto read = [&](size_t row, size_t at) -> Vec4 {
                const int ix = x + static_cast<int>(at) * apart.low + origin.low;
                const int iy =
                    y + static_cast<int>(at) * apart.high + origin.high + static_cast<int>(row) * dilation.high;
                if (ix < 0 || iy < 0 || ix >= in_size.low || iy >= in_size.high) return {};
                return m.read(0, pc.m.in_base + plane * pc.plane_step * pc.m.in_stride +
                                     static_cast<uint32_t>(iy * in_size.low + ix));
            };
            for (size_t row = 0; row < in_rows; ++row)
                for (size_t product = 0; product < products; ++product) {
                    Vec4 input{};
                    for (size_t other = 0; other < in_rows; ++other) {
                        const float of_row = both_axes ? down.of_input(row, other) : row == other ? 1.0f : 0.0f;
                        for (size_t at = 0; of_row != 0 && at < products; ++at) {
                            const Vec4 texel = read(other, at);
                            for (size_t lane = 0; lane < 4; ++lane)
                                input[lane] += of_row * along.of_input(product, at) * texel[lane];
                        }
                    }
                    for (size_t lane = 0; lane < 4; ++lane)
                        for (size_t o = 0; o < planes; ++o) {
                            const Vec4 w = m.weight(weight_row(row, product, plane, lane) + o);
                            for (size_t p = 0; p < out_rows * 2; ++p) {
                                const float share =
                                    along.of_product(p % 2, product) * (both_axes ? down.of_product(p / 2, row) : 1.0f);
                                for (size_t j = 0; j < 4; ++j) sums[p * planes + o][j] += share * input[lane] * w[j];
                            }
                        }
                }
        }
        for (size_t p = 0; p < out_rows * 2; ++p) {
            const int out_x = x + static_cast<int>(p % 2) * apart.low;
            const int out_y = y + static_cast<int>(p % 2) * apart.high + static_cast<int>(p / 2) * dilation.high;
            if (out_x >= out_size.low || out_y >= out_size.high) continue;
            const auto pixel = static_cast<uint32_t>(out_y * out_size.low + out_x);
            for (size_t o = 0; o < planes; ++o) {
                const auto plane = static_cast<uint32_t>(o);
                const uint32_t add_index = pc.m.add_base + plane * pc.m.add_stride + pixel * pc.m.add_pixel;
                m.write(pc.m.out_base + plane * pc.m.out_stride + pixel,
                        m.epilogue(sums[p * planes + o], biases + planes, o, add_index));
            }
        }
    });
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
        const size_t biases = weights + kernel_h * kernel_w * pc.in_planes * m.weight_rows() * planes;
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
        const size_t biases = row - o + size_t{kernel_h} * kernel_w * pc.in_planes * m.weight_rows() * own;
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
                m.add_products(sum, texel, row, own);
                row += m.weight_rows() * own;
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
                                               (size_t{k} * slots * own + in_chunk) * m.weight_rows() * planes + o;
                            const Vec4& texel =
                                rows[(size_t{branch} * pc.mid_planes + i) * static_cast<size_t>(out_size.low) +
                                     static_cast<size_t>(at)];
                            m.add_products(sum, texel, row, planes);
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

void run_resize_conv(const Machine& m) {
    const auto pc = m.push_as<push::ResizeConv>();
    const Halves size = halves(pc.m.out_size);
    const size_t planes = m.spec(6);
    m.for_each(size, m.spec(7), [&](uint32_t x, uint32_t y, uint32_t block) {
        const size_t weights = size_t{block} * pc.m.block_weights,
                     biases = weights + m.weight_rows() * planes * pc.in_planes;
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
                m.add_products(sum, texel, weights + m.weight_rows() * i * planes + o, planes);
            }
            m.write(pc.m.out_base + static_cast<uint32_t>(block * planes + o) * pc.m.out_stride +
                        y * static_cast<uint32_t>(size.low) + x,
                    m.epilogue(sum, biases + planes, o, 0));
        }
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
        const size_t biases = weights + kernel_h * kernel_w * pc.in_planes * m.weight_rows() * planes;
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

}  // namespace vkseg::test::interpreter
