#include "graph/lower/lower.hpp"

#include <algorithm>
#include <cassert>

namespace vkseg {

void lower(const Node& node, LowerContext& context) {
    const size_t first = context.dispatches.size();
    std::visit([&](const auto& op) { lower(op, node, context); }, node.op);
    for (size_t i = first; i < context.dispatches.size(); ++i) {
        Dispatch& dispatch = context.dispatches[i].dispatch;
        if (dispatch.label.empty()) dispatch.label = node.name;
    }
}

catalog::Arithmetic LowerContext::arithmetic() const {
    const bool half =
        choices.arithmetic == Arithmetic::FP16 && choices.precision == Precision::FP16 && facts.fp16_arithmetic &&
        !cpu_shaped &&
        std::ranges::none_of(names, [&](const std::string& name) { return choices.layer(name).fp32_arithmetic; });
    return half ? catalog::Arithmetic::f16 : catalog::Arithmetic::f32;
}

int LowerContext::place(uint64_t size_bytes, std::variant<PackConv, PackDepthwise, PackVector, PackWords> recipe) {
    packed.push_back({packed_bytes, size_bytes, std::move(recipe)});
    packed_bytes += (size_bytes + 15) / 16 * 16;
    return static_cast<int>(packed.size()) - 1;
}

int LowerContext::pack(PackConv recipe) {
    const uint64_t bytes = recipe.taps.size() * recipe.in_channel_of_slot.size() * recipe.out_channel_of_slot.size() *
                           (recipe.half ? sizeof(uint16_t) : sizeof(float));
    return place(bytes, std::move(recipe));
}

int LowerContext::pack(PackDepthwise recipe) {
    const uint64_t bytes = recipe.taps.size() * recipe.channel_of_slot.size() * sizeof(float);
    return place(bytes, std::move(recipe));
}

int LowerContext::pack(PackVector recipe) {
    const uint64_t bytes = recipe.channel_of_slot.size() * sizeof(float);
    return place(bytes, std::move(recipe));
}

int LowerContext::pack(PackWords recipe) {
    const uint64_t bytes = recipe.words.size() * sizeof(uint32_t);
    return place(bytes, std::move(recipe));
}

HostBinding LowerContext::host_binding(uint32_t binding, ValueId value, bool writes) const {
    const auto at = static_cast<size_t>(value);
    HostBinding host;
    host.binding = binding;
    host.writes = writes;
    // An input may be an output too: it is read from one buffer and written to another.
    const bool input = !writes && host_input[at] >= 0;
    host.direction = input ? HostBinding::Direction::Input : HostBinding::Direction::Output;
    host.index = static_cast<uint32_t>(input ? host_input[at] : host_output[at]);
    host.size_bytes = (graph.desc(value).host_size_bytes() + 3) / 4 * 4;
    return host;
}

std::vector<PlaneBlocks> split_planes(int plane_count, int largest, bool cpu_shaped) {
    assert(plane_count > 0 && largest > 0);
    // Equal blocks where they divide; few distinct sizes, because each is a pipeline.
    int planes = std::min(plane_count, largest);
    if (plane_count > largest) {
        for (int candidate = largest; candidate * 2 > largest; --candidate)
            if (plane_count % candidate == 0) {
                planes = candidate;
                break;
            }
    }
    std::vector<PlaneBlocks> result;
    const int whole = plane_count / planes;
    if (cpu_shaped) {
        for (int block = 0; block < whole; ++block) result.push_back({block * planes, planes, 1});
    } else {
        result.push_back({0, planes, whole});
    }
    if (plane_count % planes != 0) result.push_back({whole * planes, plane_count % planes, 1});
    return result;
}

std::array<uint32_t, 3> workgroup_size(const LowerContext& context) {
    // The CPU driver vectorises along x alone, 8 lanes at a time, every workgroup costs it 0.1 microseconds, and the
    // CPU's prefetchers follow a row of every plane better than pieces of four rows.
    if (context.cpu_shaped) return {64, 1, 1};
    // 128 invocations are what every device has. Those of several pixels fill a narrow workgroup from short rows.
    if (context.gpu_code_on_cpu) return {8, 16, 1};
    return {16, 8, 1};
}

std::vector<int> slots_of(const ChannelMap& map, int start, int width, int first, int count) {
    const int real = std::clamp(width - first, 0, count);
    auto channels = real > 0 ? map.channel_of_slot(start + first, real) : std::vector<int>{};
    channels.resize(static_cast<size_t>(count) * 4, -1);
    return channels;
}

uint32_t pack_halves(int low, int high) {
    return (static_cast<uint32_t>(low) & 0xffffu) | (static_cast<uint32_t>(high) << 16);
}

uint32_t ceil_div(uint32_t value, uint32_t divisor) {
    return (value + divisor - 1) / divisor;
}

float sampling_scale(int from, int to, bool aligned_corners) {
    if (!aligned_corners) return static_cast<float>(from) / static_cast<float>(to);
    return to > 1 ? static_cast<float>(from - 1) / static_cast<float>(to - 1) : 0.0f;
}

LoweredEpilogue epilogue_constants(const Epilogue& epilogue) {
    return {epilogue.add ? 1u : 0u, epilogue.scale != no_constant ? 1u : 0u,
            static_cast<uint32_t>(epilogue.activation)};
}

int pack_epilogue(const Epilogue& epilogue, const std::vector<int>& channel_of_slot, LowerContext& context) {
    int first = -1;
    const auto pack = [&](ConstId constant) {
        const int index = context.pack(PackVector{constant, 0.0f, channel_of_slot});
        if (first < 0) first = index;
    };
    if (epilogue.scale != no_constant) {
        pack(epilogue.scale);
        pack(epilogue.shift);
    }
    if (epilogue.activation == Epilogue::Activation::PRelu) pack(epilogue.slope);
    return first;
}

ValueId added_value(const Node& node) {
    return node.epilogue.add ? node.inputs.back() : no_value;
}

}  // namespace vkseg
