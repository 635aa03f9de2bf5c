#include "graph/ops/op_utils.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

namespace vkseg {

std::string describe(const TensorDesc& desc) {
    const char* kind = "features";
    if (desc.kind == ValueKind::Labels) kind = "labels";
    if (desc.kind == ValueKind::Pixels) kind = "pixels";
    return fmt::format("{} {}", kind, to_string(desc.shape));
}

void expect_operands(Operands operands, size_t count) {
    if (operands.size() == count) return;
    throw error("expects {} operand{}, found {}", count, count == 1 ? "" : "s", operands.size());
}

void expect_operands(Operands operands, size_t count, const SizeRule& rule) {
    expect_operands(operands, count + (rule.kind == SizeRule::Kind::LikeOperand ? 1 : 0));
}

void expect_features(Operands operands, size_t index) {
    if (operands[index].kind == ValueKind::Features) return;
    throw error("operand {} must be features, found {}", index, describe(operands[index]));
}

void expect_constant(const Graph& graph, ConstId id, const Shape& shape, const char* what) {
    if (id < 0 || static_cast<size_t>(id) >= graph.constants.size()) {
        throw error("{} of shape {} is missing", what, to_string(shape));
    }
    const Constant& constant = graph.constants[static_cast<size_t>(id)];
    if (constant.tensor->shape == shape) return;
    throw error("{} '{}' must have shape {}, found {}", what, constant.name, to_string(shape),
                to_string(constant.tensor->shape));
}

Axes output_size(const SizeRule& rule, Operands operands) {
    const Axes input{operands.front().height(), operands.front().width()};
    const Axes size = resolve(rule, input, {operands.back().height(), operands.back().width()});
    if (size.h < 1 || size.w < 1) throw error("output size must be positive, found {}x{}", size.h, size.w);
    return size;
}

void expect_at_least(const char* what, Axes found, int low) {
    if (found.h >= low && found.w >= low) return;
    throw error("{} must be at least {}, found {}x{}", what, low, found.h, found.w);
}

void expect_no_negative(const Padding& padding) {
    if (std::min({padding.top, padding.bottom, padding.left, padding.right}) >= 0) return;
    throw error("padding must not be negative, found top {} bottom {} left {} right {}", padding.top, padding.bottom,
                padding.left, padding.right);
}

std::vector<Tap> bilinear_taps(int in, int out, bool align_corners) {
    // One float32 rounding decides which pixel is read, so the arithmetic follows PyTorch's step by step.
    float scale = static_cast<float>(in) / static_cast<float>(out);
    if (align_corners) scale = out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0.0f;

    std::vector<Tap> taps(static_cast<size_t>(out));
    for (int dst = 0; dst < out; ++dst) {
        Tap& tap = taps[static_cast<size_t>(dst)];
        if (in == out) {
            tap = {dst, dst, 0.0f};
            continue;
        }
        float source = scale * static_cast<float>(dst);
        if (!align_corners) source = std::max(scale * (static_cast<float>(dst) + 0.5f) - 0.5f, 0.0f);
        tap.first = std::min(static_cast<int>(std::floor(source)), in - 1);
        tap.second = std::min(tap.first + 1, in - 1);
        tap.weight = std::clamp(source - static_cast<float>(tap.first), 0.0f, 1.0f);
    }
    return taps;
}

void parallel_for(int64_t count, const std::function<void(int64_t)>& work) {
    const int64_t cores = std::max<int64_t>(std::thread::hardware_concurrency(), 1);
    const int64_t helpers = std::min(cores, count) - 1;
    std::atomic<int64_t> next{0};
    const auto drain = [&] {
        for (int64_t i = next++; i < count; i = next++) work(i);
    };
    std::vector<std::jthread> threads;
    for (int64_t i = 0; i < helpers; ++i) threads.emplace_back(drain);
    drain();
}

}  // namespace vkseg
