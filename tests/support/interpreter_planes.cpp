#include "tests/support/interpreter.hpp"

namespace vkseg::test::interpreter {

namespace {

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

}  // namespace

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

void run_pool(const Machine& m) {
    const auto pc = m.push_as<push::Pool>();
    run_plane_kernel(m, 0, [&](uint32_t x, uint32_t y, uint32_t plane, size_t, size_t) {
        return pooled(m, m.spec(7), x, y, plane, halves(pc.kernel), halves(pc.stride), halves(pc.padding));
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

}  // namespace vkseg::test::interpreter
