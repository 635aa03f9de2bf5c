#pragma once

#include "graph/plan/channel_map.hpp"
#include "graph/plan/plan.hpp"
#include "shaders/shared/push.h"

#include <functional>
#include <span>

// From one node to its dispatches. A lowering never knows where memory lies: it names planes of values, and `compile`
// fills in the offsets when the planner has placed them.

namespace vkseg {

/// Planes of a value in the arena.
struct PlanarValue {
    ValueId value = no_value;
    ChannelMap map;
    int width = 0;
    int height = 0;
};

/// A run of whole planes of one value.
struct PlaneRange {
    ValueId value = no_value;
    int first_plane = 0;
    int plane_count = 0;
    /// How many of them are read or written, where not all.
    int touched_planes = plane_count;
    [[nodiscard]] bool used() const { return value != no_value; }
};

/// A dispatch before memory is planned. `push` begins with `push::Memory` when `touches_arena`; compile() fills in its
/// addresses, bases and strides.
struct LoweredDispatch {
    Dispatch dispatch;
    PlaneRange in0, in1, out;
    /// A second result, and where its `push::SecondOut` lies in the push constants. Both are shown by one binding, from
    /// the one to the other.
    PlaneRange out2{};
    size_t out2_push_offset = 0;
    /// Further operands, all shown by the binding of `in1`; and where their bases lie in the push constants.
    std::vector<PlaneRange> more_in{};
    size_t more_in_push_offset = 0;
    bool touches_arena = true;
    /// Variants of the kernel by access; compile() picks one that the arena's size allows.
    ShaderId (*variant)(catalog::Storage, catalog::Access, catalog::Arithmetic) = nullptr;
    /// That of the variant, for which its weights were packed.
    catalog::Arithmetic arithmetic = catalog::Arithmetic::f32;
    /// Index of the first packed weight that the dispatch reads in `LowerContext::packed`, -1 for none.
    int first_packed = -1;
};

/// What a lowering may know, and where it puts its dispatches.
class LowerContext {
public:
    LowerContext(const Graph& graph, const DeviceFacts& facts, const Choices& choices, bool cpu_shaped,
                 bool second_outputs = true)
        : graph(graph),
          facts(facts),
          choices(choices),
          cpu_shaped(cpu_shaped),
          gpu_code_on_cpu(!cpu_shaped && facts.type == DeviceType::Cpu &&
                          !choices.denied_families.contains("cpu_shaped")),
          may_wait(!cpu_shaped && !gpu_code_on_cpu),
          second_outputs(second_outputs && !cpu_shaped) {}

    const Graph& graph;
    const DeviceFacts& facts;
    const Choices& choices;
    /// The CPU-shaped kernel family: straight-line code, texel-view reads, one block of planes per dispatch.
    const bool cpu_shaped;
    /// Code for GPUs on a CPU that is not to be taken for one: several pixels to an invocation, because each load goes
    /// lane by lane.
    const bool gpu_code_on_cpu;
    /// Kernels whose invocations meet in shared memory are worth it. CPU drivers pay for them: some with a coroutine
    /// for every invocation.
    const bool may_wait;
    /// A binding may show several values, from the first to the last: two results, or operands.
    const bool second_outputs;

    /// What a choice for the layer that is being lowered may go by: its label in the plan, and the names of its nodes.
    std::vector<std::string> names;
    /// What the layer's convolutions are to compute in: kernels that can.
    [[nodiscard]] catalog::Arithmetic arithmetic() const;

    std::vector<PlanarValue> planar;  // by ValueId; no planes for host values
    /// A further value in the arena, for what lies between two dispatches of one node.
    std::function<ValueId(const PlanarValue& like)> add_temporary;
    /// The value in that map: itself, or a copy.
    std::function<ValueId(ValueId value, const ChannelMap& map)> in_map;
    std::vector<LoweredDispatch> dispatches;
    std::vector<PackedWeight> packed;
    uint64_t packed_bytes = 0;
    /// Host input index (Plan::inputs) and output index (Plan::outputs) by ValueId, -1 for none.
    std::vector<int> host_input, host_output;

    /// Appends a packed weight at the next 16-byte place and returns its index.
    int pack(PackConv recipe);
    int pack(PackDepthwise recipe);
    int pack(PackVector recipe);
    int pack(PackWords recipe);

    /// Binding of a host value in set 1, all of it.
    [[nodiscard]] HostBinding host_binding(uint32_t binding, ValueId value, bool writes) const;

private:
    int place(uint64_t size_bytes, std::variant<PackConv, PackDepthwise, PackVector, PackWords> recipe);
};

// Lowerings, one per operation; an operation without one does not compile.
void lower(const Conv2d&, const Node&, LowerContext&);
void lower(const ConvTranspose2d&, const Node&, LowerContext&);
void lower(const BatchNorm&, const Node&, LowerContext&);
void lower(const ScaleShift&, const Node&, LowerContext&);
void lower(const Relu&, const Node&, LowerContext&);
void lower(const PRelu&, const Node&, LowerContext&);
void lower(const Add&, const Node&, LowerContext&);
void lower(const Identity&, const Node&, LowerContext&);
void lower(const Concat&, const Node&, LowerContext&);
void lower(const Pool2d&, const Node&, LowerContext&);
void lower(const Resize&, const Node&, LowerContext&);
void lower(const ImageToTensor&, const Node&, LowerContext&);
void lower(const Argmax&, const Node&, LowerContext&);
void lower(const Confidence&, const Node&, LowerContext&);
void lower(const Colourise&, const Node&, LowerContext&);
void lower(const Sigmoid&, const Node&, LowerContext&);
void lower(const Multiply&, const Node&, LowerContext&);
void lower(const Slice&, const Node&, LowerContext&);
void lower(const ChannelShuffle&, const Node&, LowerContext&);
void lower(const Linear&, const Node&, LowerContext&);
void lower(const Softmax&, const Node&, LowerContext&);
void lower(const AdaptiveAvgPool2d&, const Node&, LowerContext&);

void lower(const Node& node, LowerContext& context);

/// Host floats to planes, and planes to host floats: the two ends of a graph on raw tensors. `dense` holds the value's
/// channels in dense order.
void lower_import(ValueId value, LowerContext& context);
void lower_export(ValueId value, ValueId dense, LowerContext& context);

/// How the kernel of Argmax and Confidence reads scores; the numbers are those of argmax.comp.
enum class ScoreSampling : uint32_t {
    /// The score below the pixel's centre.
    Nearest,
    /// Between pixel centres.
    Bilinear,
    /// The same with aligned corners.
    BilinearAligned,
    /// Resize's nearest: rounds towards zero.
    Floor,
};
/// One byte per pixel of `labels` from dense scores.
void lower_argmax(ValueId scores, ValueId labels, ScoreSampling sampling, bool confidence, LowerContext& context);

// Tools for lowerings.

/// Bytes of a pixel in the order of the network's channels, in bits 0-7, 8-15, 16-23.
[[nodiscard]] uint32_t colour_order(const ImageToTensor& op);

/// A dispatch whose invocations write four bytes of `labels` each, in memory order: grid, host binding and the
/// specialisation constants of the workgroup.
[[nodiscard]] LoweredDispatch labels_dispatch(ValueId labels, const LowerContext& context);
/// Width and height of a value that lies in host memory.
[[nodiscard]] uint32_t labels_size(ValueId labels, const LowerContext& context);

/// `blocks` blocks of `planes` planes, from plane `first` on: what one dispatch covers.
struct PlaneBlocks {
    int first = 0;
    int planes = 1;
    int blocks = 1;
};
/// Covers `plane_count` planes with blocks of at most `largest`; the CPU-shaped family gets one dispatch per block.
[[nodiscard]] std::vector<PlaneBlocks> split_planes(int plane_count, int largest, bool cpu_shaped);

/// Workgroup size for one invocation per pixel (and z block).
[[nodiscard]] std::array<uint32_t, 3> workgroup_size(const LowerContext& context);

/// Pixels of an invocation of `gpu_code_on_cpu`: they share the loads of weights.
constexpr uint32_t pixels_on_cpu = 8;

/// Channels of planes [first, first + count) of a run of `width` planes from `start` on; pad lanes where it ends
/// before.
[[nodiscard]] std::vector<int> slots_of(const ChannelMap& map, int start, int width, int first, int count);

[[nodiscard]] uint32_t pack_halves(int low, int high);
[[nodiscard]] uint32_t ceil_div(uint32_t value, uint32_t divisor);
/// Pixels of the source per pixel of the result: from edge to edge, or with aligned corners from centre to centre.
[[nodiscard]] float sampling_scale(int from, int to, bool aligned_corners);

/// Specialisation constants 3..6 and packed vectors of an epilogue for planes [first, first + planes) of `map`.
struct LoweredEpilogue {
    uint32_t add = 0, scale_shift = 0, activation = 0;
};
[[nodiscard]] LoweredEpilogue epilogue_constants(const Epilogue& epilogue);
/// Packs the epilogue's vectors behind what was packed last, returns the index of the first or -1.
int pack_epilogue(const Epilogue& epilogue, const std::vector<int>& channel_of_slot, LowerContext& context);
/// The epilogue's operand of a node, if it has one.
[[nodiscard]] ValueId added_value(const Node& node);

template <typename Push>
void set_push(Dispatch& dispatch, const Push& push) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&push);
    dispatch.push.assign(bytes, bytes + sizeof(Push));
}

}  // namespace vkseg
