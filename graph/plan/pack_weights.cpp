#include "graph/ir/half.hpp"
#include "graph/plan/plan.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace vkseg {

namespace {

/// The weights' side of a product of minimal filtering (winograd_conv2d.comp), in double precision because differences
/// may cancel: the polynomial of the taps at the product's point, over what the points leave to divide by.
template <typename T>
double winograd_factor(std::span<const T> taps, size_t product) {
    const bool three = taps.size() == 3;
    if (product == taps.size()) return taps.back();
    constexpr double points[] = {0, 1, -1, 2, -2};
    constexpr double of_three[] = {1, 0.5, 0.5}, of_five[] = {1.0 / 4, -1.0 / 6, -1.0 / 6, 1.0 / 24, 1.0 / 24};
    double value = 0;
    for (size_t i = taps.size(); i-- > 0;) value = value * points[product] + static_cast<double>(taps[i]);
    return value * (three ? of_three[product] : of_five[product]);
}

/// Weight of the product (kh, kw) of a kernel in lines of `length` taps.
float winograd_weight(const PackConv& recipe, std::span<const float> kernel, size_t length, size_t kh, size_t kw) {
    const auto line = [&](size_t y) { return winograd_factor(kernel.subspan(y * length, length), kw); };
    if (!recipe.winograd_rows) return static_cast<float>(line(kh));
    const std::array lines{line(0), line(1), line(2)};
    return static_cast<float>(winograd_factor(std::span<const double>(lines), kh));
}

void run(const PackConv& recipe, const Graph& graph, float* target) {
    const Tensor& weight = graph.constant(recipe.weight);
    const int in_per_group = recipe.in_channels / recipe.groups;
    const int out_per_group = recipe.out_channels / recipe.groups;
    // A linear layer's weights have no kernel axes.
    const size_t kernel_h = weight.shape.size() == 4 ? static_cast<size_t>(weight.shape[2]) : 1;
    const size_t kernel_w = weight.shape.size() == 4 ? static_cast<size_t>(weight.shape[3]) : 1;
    // A column of taps is a line too.
    const size_t line = std::max(kernel_h == 1 || kernel_w > 1 ? kernel_w : kernel_h, size_t{1});
    for (const auto& [kh, kw] : recipe.taps)
        for (int ic : recipe.in_channel_of_slot)
            for (int oc : recipe.out_channel_of_slot) {
                const bool none = ic < 0 || oc < 0 || kh < 0 || ic / in_per_group != oc / out_per_group;
                // Normal: OC x IC/groups; transposed: IC x OC/groups.
                const size_t row = none                ? 0
                                   : recipe.transposed ? static_cast<size_t>(ic * out_per_group + oc % out_per_group)
                                                       : static_cast<size_t>(oc * in_per_group + ic % in_per_group);
                const std::span kernel(weight.data.data() + row * kernel_h * kernel_w, kernel_h * kernel_w);
                const auto y = static_cast<size_t>(kh), x = static_cast<size_t>(kw);
                *target++ = none              ? 0.0f
                            : recipe.winograd ? winograd_weight(recipe, kernel, line, y, x)
                                              : kernel[y * kernel_w + x];
            }
}

void run(const PackDepthwise& recipe, const Graph& graph, float* target) {
    const Tensor& weight = graph.constant(recipe.weight);
    const auto kernel_h = static_cast<size_t>(weight.shape[2]), kernel_w = static_cast<size_t>(weight.shape[3]);
    for (const auto& [kh, kw] : recipe.taps)
        for (int channel : recipe.channel_of_slot)
            *target++ =
                channel < 0
                    ? 0.0f
                    : weight.data[(static_cast<size_t>(channel) * kernel_h + static_cast<size_t>(kh)) * kernel_w +
                                  static_cast<size_t>(kw)];
}

void run(const PackVector& recipe, const Graph& graph, float* target) {
    for (int channel : recipe.channel_of_slot)
        *target++ = channel < 0 || recipe.constant == no_constant
                        ? recipe.fallback
                        : graph.constant(recipe.constant).data[static_cast<size_t>(channel)];
}

void run(const PackWords& recipe, const Graph&, float* target) {
    std::memcpy(target, recipe.words.data(), recipe.words.size() * sizeof(uint32_t));
}

/// Rows of two input lanes side by side: a vector has those of one output plane.
void run_in_halves(const PackConv& recipe, const Graph& graph, uint8_t* target) {
    const size_t in_slots = recipe.in_channel_of_slot.size(), out_slots = recipe.out_channel_of_slot.size();
    std::vector<float> values(recipe.taps.size() * in_slots * out_slots);
    run(recipe, graph, values.data());
    for (size_t pair = 0; pair < values.size(); pair += 2 * out_slots)
        for (size_t plane = 0; plane < out_slots; plane += 4)
            for (const size_t lane : {size_t{0}, out_slots})
                for (size_t channel = 0; channel < 4; ++channel, target += sizeof(uint16_t)) {
                    const uint16_t bits = half_bits(values[pair + lane + plane + channel]);
                    std::memcpy(target, &bits, sizeof(bits));
                }
}

void pack(const PackedWeight& packed, const Graph& graph, uint8_t* target) {
    const auto* conv = std::get_if<PackConv>(&packed.recipe);
    if (conv != nullptr && conv->half) return run_in_halves(*conv, graph, target);
    std::visit([&](const auto& recipe) { run(recipe, graph, reinterpret_cast<float*>(target)); }, packed.recipe);
}

}  // namespace

std::vector<uint8_t> pack_weights(const Plan& plan, const Graph& graph) {
    std::vector<uint8_t> bytes(plan.weights_bytes);
    for (const PackedWeight& packed : plan.packed_weights) pack(packed, graph, bytes.data() + packed.offset_bytes);
    return bytes;
}

}  // namespace vkseg
