#pragma once

#include "graph/ir/graph.hpp"
#include "graph/plan/choices.hpp"
#include "graph/plan/device_facts.hpp"
#include "shader_catalog.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace vkseg {

/// A range of the arena: the one buffer that holds every intermediate tensor.
struct ArenaSlice {
    uint64_t offset_bytes = 0;
    uint64_t size_bytes = 0;
    [[nodiscard]] bool used() const { return size_bytes != 0; }
    [[nodiscard]] bool overlaps(const ArenaSlice& other) const {
        return offset_bytes < other.offset_bytes + other.size_bytes && other.offset_bytes < offset_bytes + size_bytes;
    }
    bool operator==(const ArenaSlice&) const = default;
};

/// A 64-bit device address that a session writes into the push constants when memory is bound.
struct Relocation {
    enum class Base : uint8_t { Weights, Arena };
    uint32_t push_offset_bytes = 0;
    Base base = Base::Weights;
    uint64_t offset_bytes = 0;
    bool operator==(const Relocation&) const = default;
};

/// What the host gives, bound in descriptor set 1.
struct HostBinding {
    enum class Direction : uint8_t { Input, Output };
    uint32_t binding = 0;
    Direction direction = Direction::Input;
    /// Index in `Plan::inputs` or `Plan::outputs`.
    uint32_t index = 0;
    /// The dispatch writes the buffer. A later dispatch may read an output (an overlay reads the labels).
    bool writes = false;
    /// Window of the buffer that is bound. The offset is aligned for every storage buffer.
    uint64_t offset_bytes = 0;
    uint64_t size_bytes = 0;
    /// A sampled image of the host's instead of a buffer: an input that `PixelFormat::Image` says to be one.
    bool sampled_image = false;
    bool operator==(const HostBinding&) const = default;
};

/// One compute dispatch, complete but for addresses.
/// Descriptor set 0, as far as the shader uses it: bindings 0, 1 = arena windows read; 2 = arena window written;
/// 3 = weights; 4 = storage texel view of the whole arena. Set 1: host buffers.
struct Dispatch {
    ShaderId shader{};
    /// Value of constant_id i at index i; 0, 1, 2 are the workgroup size.
    std::vector<uint32_t> specialization;
    std::vector<uint8_t> push;
    std::vector<Relocation> relocations;
    std::array<uint32_t, 3> group_count{1, 1, 1};
    /// What the session binds at 0, 1, 2. A storage-buffer shader indexes from the start of its window; unused
    /// operands have none.
    std::array<ArenaSlice, 3> windows;
    /// Every arena range read, and every range written (they may be larger than what the windows show).
    std::vector<ArenaSlice> reads;
    std::vector<ArenaSlice> writes;
    std::vector<HostBinding> host;

    /// Layer name from the network, e.g. "level2.0.d4".
    std::string label;
    uint64_t macs = 0;
    /// The multiply-adds are `Arithmetic::FP16`.
    bool fp16_arithmetic = false;
    /// Bytes of tensors that the dispatch must read and write at least once, those of the host included.
    uint64_t bytes_read = 0;
    uint64_t bytes_written = 0;
    /// Bytes of packed weights that it reads.
    uint64_t weights_bytes = 0;

    /// Invocations started, those beyond an edge included.
    [[nodiscard]] uint64_t thread_count() const;
    [[nodiscard]] uint64_t bytes_moved() const { return bytes_read + bytes_written; }
};

/// Dispatches without hazards among them. A barrier stands between two steps.
struct Step {
    std::vector<Dispatch> dispatches;
};

/// A buffer that the host fills before, or reads after, a run.
struct HostBuffer {
    std::string name;
    TensorDesc desc;
    uint64_t size_bytes = 0;
    /// Not a buffer but a sampled image of the description's height and width.
    bool sampled_image = false;
};

/// Order of one packed convolution: for each tap, input plane and input lane one value per output slot. Plain data, so
/// that weights can be packed again from the same plan.
struct PackConv {
    ConstId weight = no_constant;
    /// The weight tensor is stored IC x OC/groups x KH x KW (transposed convolution).
    bool transposed = false;
    int groups = 1;
    int in_channels = 0;
    int out_channels = 0;
    /// Logical channel of each physical slot (plane*4 + lane), -1 for a pad lane.
    std::vector<int> in_channel_of_slot;
    std::vector<int> out_channel_of_slot;
    /// Kernel elements (kh, kw) in tap order; -1 for a tap of zeros.
    std::vector<std::array<int, 2>> taps;
    /// For winograd_conv2d.comp: kw is one of the products of a line, kh the line, or with `winograd_rows` one of the
    /// products of lines.
    bool winograd = false, winograd_rows = false;
    /// In 16 bits, for products in 16 bits (shaders/include/products.glsl).
    bool half = false;
    bool operator==(const PackConv&) const = default;
};

/// One packed depthwise convolution: for each tap one value per physical slot. The weight tensor is C x 1 x KH x KW.
struct PackDepthwise {
    ConstId weight = no_constant;
    std::vector<int> channel_of_slot;
    std::vector<std::array<int, 2>> taps;
    bool operator==(const PackDepthwise&) const = default;
};

/// One value per physical slot: bias, scale, shift, slope.
struct PackVector {
    /// `no_constant` packs `fallback` everywhere.
    ConstId constant = no_constant;
    float fallback = 0.0f;
    std::vector<int> channel_of_slot;
    bool operator==(const PackVector&) const = default;
};

/// Raw 32-bit words: tables such as a relayout's slots, or a palette.
struct PackWords {
    std::vector<uint32_t> words;
    bool operator==(const PackWords&) const = default;
};

struct PackedWeight {
    uint64_t offset_bytes = 0;
    uint64_t size_bytes = 0;
    std::variant<PackConv, PackDepthwise, PackVector, PackWords> recipe;
    bool operator==(const PackedWeight&) const = default;
};

/// What to run, decided without a device: a pure function of the graph, the size, the facts and the choices.
/// Never edited. Immutable; may be read from several threads.
struct Plan {
    std::vector<Step> steps;
    std::vector<PackedWeight> packed_weights;
    uint64_t weights_bytes = 0;
    /// Size of the arena: peak of the intermediate tensors plus 256 bytes of zeros at its start when
    /// `clears_zero_texel` is set.
    uint64_t arena_bytes = 0;
    /// The session clears the first 256 bytes of the arena at the start of every run.
    bool clears_zero_texel = false;
    /// Some shader reads the arena through the texel view of binding 4.
    bool uses_texel_view = false;
    /// Activations are stored as 16-bit floats.
    bool fp16 = false;
    std::vector<HostBuffer> inputs;
    std::vector<HostBuffer> outputs;

    [[nodiscard]] size_t dispatch_count() const;
    /// Barriers inside a run: one between two steps.
    [[nodiscard]] size_t barrier_count() const { return steps.empty() ? 0 : steps.size() - 1; }
    [[nodiscard]] uint64_t bytes_moved() const;
    [[nodiscard]] uint64_t macs() const;
};

/// Plans a simplified graph at its current size. Throws `Error` when the device's limits do not allow the size.
[[nodiscard]] Plan compile(const Graph& graph, const DeviceFacts& facts, const Choices& choices = {});

/// One line per dispatch, for people and for tests.
[[nodiscard]] std::string to_string(const Plan& plan);

/// Runs every recipe of the plan over the graph's constants. Size is `plan.weights_bytes`.
[[nodiscard]] std::vector<uint8_t> pack_weights(const Plan& plan, const Graph& graph);

}  // namespace vkseg
