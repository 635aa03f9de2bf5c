#include "tests/support/interpreter.hpp"

namespace vkseg::test::interpreter {

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
            const size_t rows = kernel_h * kernel_w * pc.in_planes * m.weight_rows() * own;
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
                        m.add_products(sum[o], texel, row, own);
                        row += m.weight_rows() * own;
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
    const size_t rows = taps * planes * (depthwise ? 1 : pc.in_planes * m.weight_rows());
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
                        m.add_products(sum, read[i], at + i * m.weight_rows() * of.planes + o, of.planes);
                    if (!ends) continue;
                    const size_t biases = at + read.size() * m.weight_rows() * of.planes;
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
                at += read.size() * m.weight_rows() * of.planes;
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
                        m.add_products(sum[own], texel,
                                       section + (tap * pc.in_planes + i) * m.weight_rows() * planes + o, planes);
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

}  // namespace vkseg::test::interpreter
