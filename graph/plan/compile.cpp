#include "graph/fuse/fuse.hpp"
#include "graph/ir/error.hpp"
#include "graph/lower/plane_kernel.hpp"
#include "graph/plan/memory_planner.hpp"
#include "graph/plan/placement.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <map>
#include <set>

// From a graph to a plan: channel maps, groups, placement, lowering, memory, addresses, barriers.

namespace vkseg {

namespace {

/// Larger extents would overflow the 32-bit arithmetic of the kernels.
constexpr int max_extent = 32767;
constexpr uint64_t plane_alignment_texels = 64;
constexpr uint64_t tensor_alignment_bytes = 256;
/// A texel of zeros at the start of the arena, for taps outside the image.
constexpr uint64_t zero_texel_bytes = 256;

uint64_t round_up(uint64_t value, uint64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

bool wants_cpu_shape(const DeviceFacts& facts, const Choices& choices) {
    return suits_cpu_shape(facts) && !choices.denied_families.contains("cpu_shaped");
}

class Compiler {
public:
    Compiler(const Graph& graph, const DeviceFacts& facts, const Choices& choices, bool cpu_shaped,
             bool second_outputs = true)
        : graph_(graph),
          facts_(facts),
          texel_bytes_(choices.precision == Precision::FP16 ? 8 : 16),
          storage_(choices.precision == Precision::FP16 ? catalog::Storage::f16 : catalog::Storage::f32),
          context_(graph, facts, choices, cpu_shaped, second_outputs),
          placement_(0) {}

    Plan run() {
        refuse_large_extents();
        list_host_buffers();
        context_.planar = choose_maps(graph_, context_.cpu_shaped);
        const std::vector<Group> groups = form_groups(context_);
        placement_ = place_values(graph_, groups, context_.planar, context_.choices.in_place);
        context_.add_temporary = [this](const PlanarValue& like) {
            const ValueId id = placement_.add_value();
            context_.planar.push_back(like);
            context_.planar.back().value = id;
            return id;
        };
        context_.in_map = [this](ValueId value, const ChannelMap& map) { return in_map(value, map); };
        for (ValueId value : graph_.inputs)
            if (graph_.desc(value).kind == ValueKind::Features && !only_read_from_host(value, groups))
                lower_import(value, context_);
        for (const Group& group : groups) {
            context_.names = {label_of(group, graph_)};
            for (const int place : group.nodes) context_.names.push_back(graph_.nodes[static_cast<size_t>(place)].name);
            if (group.is_fused())
                lower(group, context_);
            else
                lower_node(graph_.nodes[static_cast<size_t>(group.nodes[0])]);
        }
        for (ValueId value : graph_.outputs)
            if (graph_.desc(value).kind == ValueKind::Features && std::ranges::none_of(groups, [&](const Group& group) {
                    return group.to_host && group.output == value;
                }))
                lower_export(value, dense(value), context_);
        plan_arena();
        for (LoweredDispatch& lowered : context_.dispatches) finish(lowered);
        measure_weights();
        plan_.packed_weights = std::move(context_.packed);
        plan_.weights_bytes = context_.packed_bytes;
        refuse_beyond_device();
        place_barriers();
        mark_sampled_images();
        return std::move(plan_);
    }

    /// No binding shows what some dispatch wants it to, two results or many operands: the plan cannot run.
    [[nodiscard]] bool has_values_too_far_apart() const { return values_too_far_apart_; }

private:
    void refuse_large_extents() const {
        for (const Value& value : graph_.values)
            if (value.desc.width() > max_extent || value.desc.height() > max_extent)
                throw error("'{}' would be {}x{} pixels, but a side has at most {}", value.name, value.desc.width(),
                            value.desc.height(), max_extent);
    }

    [[nodiscard]] bool only_read_from_host(ValueId input, const std::vector<Group>& groups) const {
        bool from_host = false;
        for (const Group& group : groups) {
            for (int place : group.nodes) {
                const Node& node = graph_.nodes[static_cast<size_t>(place)];
                for (size_t i = 0; i < node.inputs.size(); ++i) {
                    if (node.inputs[i] != input || !reads_numbers(node, i)) continue;
                    if (!group.from_host) return false;
                    from_host = true;
                }
            }
        }
        return from_host && std::ranges::find(graph_.outputs, input) == graph_.outputs.end();
    }

    void list_host_buffers() {
        context_.host_input.assign(graph_.values.size(), -1);
        context_.host_output.assign(graph_.values.size(), -1);
        const auto buffer = [&](ValueId value) {
            const Value& v = graph_.values[static_cast<size_t>(value)];
            return HostBuffer{v.name, v.desc, round_up(v.desc.host_size_bytes(), 4)};
        };
        for (ValueId value : graph_.inputs) {
            context_.host_input[static_cast<size_t>(value)] = static_cast<int>(plan_.inputs.size());
            plan_.inputs.push_back(buffer(value));
        }
        const auto add_output = [&](ValueId value) {
            int& index = context_.host_output[static_cast<size_t>(value)];
            if (index >= 0) return;
            index = static_cast<int>(plan_.outputs.size());
            plan_.outputs.push_back(buffer(value));
        };
        for (ValueId value : graph_.outputs) add_output(value);
        // Bytes never lie in the arena: labels that only a later operation wants are an output too.
        for (const Node& node : graph_.nodes)
            if (graph_.desc(node.output).kind != ValueKind::Features) add_output(node.output);
    }

    ValueId add_temporary(const ChannelMap& map, ValueId like) {
        PlanarValue planar = context_.planar[static_cast<size_t>(like)];
        planar.map = map;
        return context_.add_temporary(planar);
    }

    /// The value in that map: itself, or a copy.
    ValueId in_map(ValueId value, const ChannelMap& map) {
        if (context_.planar[static_cast<size_t>(value)].map == map) return value;
        const ValueId copy = add_temporary(map, value);
        lower_relayout(value, copy, graph_.values[static_cast<size_t>(value)].name + ".relayout", context_);
        return copy;
    }

    ValueId dense(ValueId value) { return in_map(value, ChannelMap::dense(graph_.desc(value).channels())); }

    void lower_node(const Node& original) {
        Node node = original;
        if (std::holds_alternative<Concat>(node.op)) {
            copy_strays(node);
            return;
        }
        if (std::holds_alternative<Argmax>(node.op) || std::holds_alternative<Confidence>(node.op) ||
            std::holds_alternative<Softmax>(node.op))
            node.inputs[0] = dense(node.inputs[0]);
        if (node.epilogue.add || std::holds_alternative<Add>(node.op) || std::holds_alternative<Multiply>(node.op))
            node.inputs.back() = in_map(node.inputs.back(), context_.planar[static_cast<size_t>(node.output)].map);
        lower(node, context_);
    }

    /// Copies the operands of a concatenation that do not lie inside it.
    void copy_strays(const Node& node) {
        int first_plane = 0;
        for (size_t i = 0; i < node.inputs.size(); ++i) {
            const ValueId operand = node.inputs[i];
            const ChannelMap& map = context_.planar[static_cast<size_t>(operand)].map;
            const int planes = map.planes;
            const Placement::Place at = placement_.resolve(operand), whole = placement_.resolve(node.output);
            if (at.root != whole.root || at.first_plane != whole.first_plane + first_plane) {
                const ValueId part = add_temporary(map, operand);
                placement_.put_inside(part, node.output, first_plane);
                lower_relayout(operand, part, node.name + ".copy", context_);
            }
            first_plane += planes;
        }
    }

    [[nodiscard]] uint64_t plane_stride_texels(const PlanarValue& value) const {
        return round_up(static_cast<uint64_t>(value.width) * static_cast<uint64_t>(value.height),
                        plane_alignment_texels);
    }

    void plan_arena() {
        std::map<ValueId, size_t> buffer_of_root;
        std::vector<BufferLifetime> lifetimes;
        const auto use = [&](const PlaneRange& range, int step) {
            if (!range.used()) return;
            const ValueId root = placement_.resolve(range.value).root;
            const auto [found, is_new] = buffer_of_root.try_emplace(root, lifetimes.size());
            if (is_new) {
                const PlanarValue& planar = context_.planar[static_cast<size_t>(root)];
                lifetimes.push_back(
                    {static_cast<uint64_t>(planar.map.planes) * plane_stride_texels(planar) * texel_bytes_, step,
                     step});
            }
            lifetimes[found->second].last_use = step;
        };
        for (size_t i = 0; i < context_.dispatches.size(); ++i) {
            const LoweredDispatch& lowered = context_.dispatches[i];
            for (const PlaneRange& range : {lowered.in0, lowered.in1, lowered.out, lowered.out2})
                use(range, static_cast<int>(i));
            for (const PlaneRange& range : lowered.more_in) use(range, static_cast<int>(i));
        }
        const MemoryPlacement placed =
            plan_memory(lifetimes, tensor_alignment_bytes, context_.cpu_shaped ? zero_texel_bytes : 0);
        for (const auto& [root, buffer] : buffer_of_root) root_offset_[root] = placed.offset_bytes[buffer];
        plan_.arena_bytes = std::max<uint64_t>(round_up(placed.total_bytes, tensor_alignment_bytes), 256);
        plan_.clears_zero_texel = context_.cpu_shaped;
        plan_.uses_texel_view = context_.cpu_shaped;
        plan_.fp16 = storage_ == catalog::Storage::f16;
    }

    [[nodiscard]] ArenaSlice slice(const PlaneRange& range) const {
        if (!range.used()) return {};
        const Placement::Place place = placement_.resolve(range.value);
        const uint64_t plane_bytes =
            plane_stride_texels(context_.planar[static_cast<size_t>(range.value)]) * texel_bytes_;
        return {
            root_offset_.at(place.root) + static_cast<uint64_t>(place.first_plane + range.first_plane) * plane_bytes,
            static_cast<uint64_t>(range.plane_count) * plane_bytes};
    }

    /// What is bound for a slice: an aligned range around it. Exact windows let synchronisation validation tell apart
    /// dispatches of one step, and an arena may be larger than a binding can show.
    [[nodiscard]] ArenaSlice window(const ArenaSlice& part) const {
        const uint64_t alignment = std::max<uint64_t>(facts_.min_storage_buffer_offset_alignment, 1);
        const uint64_t start = part.offset_bytes / alignment * alignment;
        return {start, part.offset_bytes + part.size_bytes - start};
    }

    /// From the first byte of one slice to the last of both.
    static ArenaSlice hull(const ArenaSlice& a, const ArenaSlice& b) {
        if (!a.used() || !b.used()) return a.used() ? a : b;
        const uint64_t start = std::min(a.offset_bytes, b.offset_bytes);
        return {start, std::max(a.offset_bytes + a.size_bytes, b.offset_bytes + b.size_bytes) - start};
    }

    /// `shown` is what each binding has to show.
    catalog::Access access(const LoweredDispatch& lowered, const std::array<ArenaSlice, 3>& shown) {
        if (context_.cpu_shaped) return catalog::Access::texel;
        const bool fits = std::ranges::all_of(shown, [&](const ArenaSlice& part) {
            return !part.used() || window(part).size_bytes <= facts_.max_storage_buffer_range;
        });
        const bool prefers_addresses =
            facts_.buffer_device_address && context_.choices.layer(lowered.dispatch.label).addresses;
        if (fits && !prefers_addresses) return catalog::Access::ssbo;
        if (facts_.buffer_device_address) return catalog::Access::bda;
        if (lowered.out2.used() || !lowered.more_in.empty()) {
            values_too_far_apart_ = true;
            return catalog::Access::ssbo;
        }
        throw error(
            "layer '{}' needs {} MB in one binding, but '{}' shows at most {} MB and has no buffer device addresses; "
            "use a smaller --size or --precision fp16",
            lowered.dispatch.label, std::ranges::max(shown, {}, &ArenaSlice::size_bytes).size_bytes >> 20, facts_.name,
            facts_.max_storage_buffer_range >> 20);
    }

    void finish(LoweredDispatch& lowered) {
        Dispatch& dispatch = lowered.dispatch;
        const std::array<ArenaSlice, 3> slices{slice(lowered.in0), slice(lowered.in1), slice(lowered.out)};
        const uint64_t weights_offset =
            lowered.first_packed < 0 ? 0 : context_.packed[static_cast<size_t>(lowered.first_packed)].offset_bytes;
        if (!lowered.touches_arena) {
            const auto first_vector = static_cast<uint32_t>(weights_offset / 16);
            std::memcpy(dispatch.push.data() + offsetof(push::Colourise, weights), &first_vector, sizeof(first_vector));
            return;
        }
        const ArenaSlice second = slice(lowered.out2);
        std::vector<ArenaSlice> more_in;
        ArenaSlice all_in1 = slices[1];
        for (const PlaneRange& range : lowered.more_in) {
            more_in.push_back(slice(range));
            all_in1 = hull(all_in1, more_in.back());
        }
        const std::array<ArenaSlice, 3> shown{slices[0], all_in1, hull(slices[2], second)};
        const catalog::Access kind = access(lowered, shown);
        dispatch.shader = lowered.variant(storage_, kind, lowered.arithmetic);
        dispatch.fp16_arithmetic = lowered.arithmetic == catalog::Arithmetic::f16;

        push::Memory memory;
        std::memcpy(&memory, dispatch.push.data(), sizeof(memory));
        if (kind == catalog::Access::ssbo)
            for (size_t operand = 0; operand < shown.size(); ++operand)
                if (shown[operand].used()) dispatch.windows[operand] = window(shown[operand]);
        const auto base = [&](const ArenaSlice& part, size_t operand) {
            return static_cast<uint32_t>((part.offset_bytes - dispatch.windows[operand].offset_bytes) / texel_bytes_);
        };
        const auto planar = [&](const PlaneRange& range) -> const PlanarValue& {
            return context_.planar[static_cast<size_t>(range.value)];
        };
        const auto describe = [&](const PlaneRange& range, size_t operand, uint32_t& first, uint32_t& stride) {
            if (!range.used()) return;
            first = base(slices[operand], operand);
            stride = static_cast<uint32_t>(plane_stride_texels(planar(range)));
        };
        describe(lowered.in0, 0, memory.in_base, memory.in_stride);
        describe(lowered.in1, 1, memory.add_base, memory.add_stride);
        describe(lowered.out, 2, memory.out_base, memory.out_stride);
        const auto pixels = [&](const PlaneRange& range) {
            return int64_t{planar(range).width} * planar(range).height;
        };
        memory.add_pixel =
            lowered.in1.used() && lowered.out.used() && pixels(lowered.in1) >= pixels(lowered.out) ? 1 : 0;
        if (lowered.in0.used()) memory.in_size = pack_halves(planar(lowered.in0).width, planar(lowered.in0).height);
        if (lowered.out.used()) memory.out_size = pack_halves(planar(lowered.out).width, planar(lowered.out).height);
        if (kind == catalog::Access::texel) memory.block_weights = push::weights_from_one_base * 16;
        if (kind == catalog::Access::ssbo) {
            memory.weights = {static_cast<uint32_t>(weights_offset / 16), 0};
        } else {
            dispatch.relocations.push_back({offsetof(push::Memory, arena), Relocation::Base::Arena, 0});
            dispatch.relocations.push_back(
                {offsetof(push::Memory, weights), Relocation::Base::Weights, weights_offset});
        }
        std::memcpy(dispatch.push.data(), &memory, sizeof(memory));
        if (lowered.out2.used()) {
            const push::SecondOut out2{base(second, 2),
                                       static_cast<uint32_t>(plane_stride_texels(planar(lowered.out2)))};
            std::memcpy(dispatch.push.data() + lowered.out2_push_offset, &out2, sizeof(out2));
        }
        for (size_t i = 0; i < more_in.size(); ++i) {
            const uint32_t first = base(more_in[i], 1);
            std::memcpy(dispatch.push.data() + lowered.more_in_push_offset + i * sizeof(first), &first, sizeof(first));
        }

        const auto tensor_bytes = [&](const PlaneRange& range) {
            return static_cast<uint64_t>(range.touched_planes) * static_cast<uint64_t>(planar(range).width) *
                   static_cast<uint64_t>(planar(range).height) * texel_bytes_;
        };
        const auto reads = [&](const PlaneRange& range, const ArenaSlice& part) {
            if (!range.used()) return;
            dispatch.reads.push_back(part);
            dispatch.bytes_read += tensor_bytes(range);
        };
        reads(lowered.in0, slices[0]);
        reads(lowered.in1, slices[1]);
        for (size_t i = 0; i < more_in.size(); ++i) reads(lowered.more_in[i], more_in[i]);
        const auto writes = [&](const PlaneRange& range, const ArenaSlice& part) {
            if (!range.used()) return;
            dispatch.writes.push_back(part);
            dispatch.bytes_written += tensor_bytes(range);
        };
        writes(lowered.out, slices[2]);
        writes(lowered.out2, second);
    }

    /// Weights were packed dispatch by dispatch: each one's reach to those of the next.
    void measure_weights() {
        const auto start_of = [&](const LoweredDispatch& lowered) {
            return context_.packed[static_cast<size_t>(lowered.first_packed)].offset_bytes;
        };
        std::set<uint64_t> starts{context_.packed_bytes};
        for (const LoweredDispatch& lowered : context_.dispatches)
            if (lowered.first_packed >= 0) starts.insert(start_of(lowered));
        for (LoweredDispatch& lowered : context_.dispatches)
            if (lowered.first_packed >= 0)
                lowered.dispatch.weights_bytes = *starts.upper_bound(start_of(lowered)) - start_of(lowered);
    }

    void refuse_beyond_device() const {
        const auto megabytes = [](uint64_t bytes) { return (bytes + (1 << 20) - 1) >> 20; };
        if (plan_.arena_bytes > std::min(facts_.max_allocation_bytes, facts_.device_memory_bytes))
            throw error("this size needs {} MB for activations, but '{}' allocates at most {} MB; use a smaller --size",
                        megabytes(plan_.arena_bytes), facts_.name,
                        megabytes(std::min(facts_.max_allocation_bytes, facts_.device_memory_bytes)));
        if (plan_.weights_bytes > facts_.max_storage_buffer_range)
            throw error("the weights need {} MB in one binding, but '{}' shows at most {} MB",
                        megabytes(plan_.weights_bytes), facts_.name, megabytes(facts_.max_storage_buffer_range));
        for (const LoweredDispatch& lowered : context_.dispatches) {
            const Dispatch& dispatch = lowered.dispatch;
            for (const HostBinding& host : dispatch.host)
                if (!host.sampled_image && host.size_bytes > facts_.max_storage_buffer_range)
                    throw error("a picture of {} MB does not fit one binding of '{}', which shows at most {} MB",
                                megabytes(host.size_bytes), facts_.name, megabytes(facts_.max_storage_buffer_range));
            for (size_t axis = 0; axis < 3; ++axis)
                if (dispatch.group_count[axis] > facts_.max_workgroup_count[axis])
                    throw error("layer '{}' needs {} workgroups, but '{}' starts at most {} along one axis",
                                dispatch.label, dispatch.group_count[axis], facts_.name,
                                facts_.max_workgroup_count[axis]);
        }
    }

    /// What lies between two results or operands counts too: a binding shows it, and synchronisation validation
    /// believes bindings.
    static bool conflict(const LoweredDispatch& a, const LoweredDispatch& b) {
        const auto may_read = [](const LoweredDispatch& lowered, const LoweredDispatch& other) {
            const ArenaSlice& shown = lowered.dispatch.windows[1];
            const auto overlaps = [&](const ArenaSlice& part) { return part.overlaps(shown); };
            return !lowered.more_in.empty() && shown.used() &&
                   (std::ranges::any_of(other.dispatch.writes, overlaps) ||
                    (other.out2.used() && overlaps(other.dispatch.windows[2])));
        };
        if (may_read(a, b) || may_read(b, a)) return true;
        const auto shows = [](const LoweredDispatch& lowered, const LoweredDispatch& other) {
            const ArenaSlice& shown = lowered.dispatch.windows[2];
            const auto overlaps = [&](const ArenaSlice& part) { return part.overlaps(shown); };
            return lowered.out2.used() && shown.used() &&
                   (std::ranges::any_of(other.dispatch.reads, overlaps) ||
                    std::ranges::any_of(other.dispatch.writes, overlaps) ||
                    (other.out2.used() && overlaps(other.dispatch.windows[2])));
        };
        if (shows(a, b) || shows(b, a)) return true;
        const auto touches = [](const std::vector<ArenaSlice>& left, const std::vector<ArenaSlice>& right) {
            return std::ranges::any_of(left, [&](const ArenaSlice& l) {
                return std::ranges::any_of(right, [&](const ArenaSlice& r) { return l.overlaps(r); });
            });
        };
        if (touches(a.dispatch.writes, b.dispatch.writes) || touches(a.dispatch.writes, b.dispatch.reads) ||
            touches(a.dispatch.reads, b.dispatch.writes))
            return true;
        for (const HostBinding& left : a.dispatch.host)
            for (const HostBinding& right : b.dispatch.host)
                if ((left.writes || right.writes) && left.direction == right.direction && left.index == right.index &&
                    left.offset_bytes < right.offset_bytes + right.size_bytes &&
                    right.offset_bytes < left.offset_bytes + left.size_bytes)
                    return true;
        return false;
    }

    /// Dispatches join the current step until one conflicts with it: barriers stand only where data requires them.
    void place_barriers() {
        size_t step_start = 0;
        for (size_t i = 0; i < context_.dispatches.size(); ++i) {
            bool starts_step = plan_.steps.empty();
            for (size_t j = step_start; j < i && !starts_step; ++j)
                starts_step = conflict(context_.dispatches[j], context_.dispatches[i]);
            if (starts_step) {
                plan_.steps.emplace_back();
                step_start = i;
            }
            plan_.steps.back().dispatches.push_back(context_.dispatches[i].dispatch);
        }
    }

    void mark_sampled_images() {
        for (const LoweredDispatch& lowered : context_.dispatches)
            for (const HostBinding& host : lowered.dispatch.host)
                if (host.sampled_image) plan_.inputs[host.index].sampled_image = true;
    }

    const Graph& graph_;
    const DeviceFacts& facts_;
    const uint64_t texel_bytes_;
    const catalog::Storage storage_;
    LowerContext context_;
    Placement placement_;
    std::map<ValueId, uint64_t> root_offset_;
    bool values_too_far_apart_ = false;
    Plan plan_;
};

}  // namespace

Plan compile(const Graph& graph, const DeviceFacts& facts, const Choices& choices) {
    if (wants_cpu_shape(facts, choices)) {
        Compiler compiler(graph, facts, choices, true);
        Plan plan = compiler.run();
        const uint64_t texels = plan.arena_bytes / (plan.fp16 ? 8 : 16);
        if (texels <= facts.max_texel_buffer_elements) return plan;
    }
    Compiler compiler(graph, facts, choices, false);
    Plan plan = compiler.run();
    if (!compiler.has_values_too_far_apart()) return plan;
    return Compiler(graph, facts, choices, false, false).run();
}

}  // namespace vkseg
