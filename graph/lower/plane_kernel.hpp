#pragma once

#include "graph/lower/lower.hpp"

#include <utility>

namespace vkseg {

/// Dispatches of a kernel on shaders/include/plane_kernel.glsl: each output plane from the same plane of the first
/// operand, then the epilogue. `push` carries what the kernel wants beside `push::Memory`; `constants` follow
/// constant_id 6.
template <typename Push>
void lower_plane_kernel(ShaderId (*variant)(catalog::Storage, catalog::Access, catalog::Arithmetic), Push push,
                        const std::vector<uint32_t>& constants, const Node& node, const Epilogue& epilogue,
                        LowerContext& context) {
    // The second operand: what the epilogue adds, or a product's own.
    const bool reads_second = epilogue.add || std::holds_alternative<Multiply>(node.op);
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    const auto local = workgroup_size(context);
    const LoweredEpilogue flags = epilogue_constants(epilogue);
    for (const PlaneBlocks& part : split_planes(out.map.planes, context.cpu_shaped ? 8 : 1, context.cpu_shaped)) {
        LoweredDispatch lowered;
        lowered.variant = variant;
        lowered.in0 = {node.inputs[0], part.first, part.planes * part.blocks};
        lowered.out = {node.output, part.first, part.planes * part.blocks};
        if (reads_second) lowered.in1 = {node.inputs.back(), part.first, part.planes * part.blocks};

        uint64_t block_bytes = 0;
        for (int block = 0; block < part.blocks; ++block) {
            const uint64_t start = context.packed_bytes;
            const int first = pack_epilogue(
                epilogue, out.map.channel_of_slot(part.first + block * part.planes, part.planes), context);
            if (block == 0) lowered.first_packed = first;
            block_bytes = context.packed_bytes - start;
        }
        push.m.block_weights = static_cast<uint32_t>(block_bytes / 16);

        Dispatch& dispatch = lowered.dispatch;
        dispatch.specialization = {local[0],
                                   local[1],
                                   local[2],
                                   flags.add,
                                   flags.scale_shift,
                                   flags.activation,
                                   static_cast<uint32_t>(part.planes)};
        dispatch.specialization.insert(dispatch.specialization.end(), constants.begin(), constants.end());
        set_push(dispatch, push);
        dispatch.group_count = {ceil_div(static_cast<uint32_t>(out.width), local[0]),
                                ceil_div(static_cast<uint32_t>(out.height), local[1]),
                                static_cast<uint32_t>(part.blocks)};
        context.dispatches.push_back(std::move(lowered));
    }
}

/// out = epilogue(first operand) for operands of one channel map.
void lower_eltwise(const Node& node, const Epilogue& epilogue, LowerContext& context);

/// Copies planes of `source` to planes of `target` in their own maps, which must hold the same channels.
void lower_relayout(ValueId source, ValueId target, const std::string& label, LowerContext& context);

}  // namespace vkseg
