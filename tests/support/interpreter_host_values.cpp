#include "tests/support/interpreter.hpp"

namespace vkseg::test::interpreter {

namespace {

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

/// Bytes of the dispatch's result in memory order, as many as its invocations reach.
template <typename Label>
void write_labels(const Machine& m, Halves size, const Label& label) {
    const size_t reach = size_t{m.dispatch.group_count[0]} * m.dispatch.group_count[1] * m.spec(0) * 4;
    const auto pixels = static_cast<size_t>(size.low) * static_cast<size_t>(size.high);
    for (size_t i = 0; i < std::min(pixels, reach); ++i)
        m.host_target(0)[i] = static_cast<uint8_t>(label(static_cast<int>(i % static_cast<size_t>(size.low)),
                                                         static_cast<int>(i / static_cast<size_t>(size.low))));
}

}  // namespace

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

}  // namespace vkseg::test::interpreter
