#include "graph/lower/convolution.hpp"

#include <algorithm>

namespace vkseg {

bool is_depthwise(const Conv2d& op, int in_channels) {
    return op.groups > 1 && op.groups == in_channels && op.out_channels == in_channels;
}

namespace {

void lower_depthwise(const Conv2d& op, const Node& node, LowerContext& context) {
    const PlanarValue& in = context.planar[static_cast<size_t>(node.inputs[0])];
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    const auto local = workgroup_size(context);
    const LoweredEpilogue epilogue = epilogue_constants(node.epilogue);
    const int tuned_planes = context.choices.layer(node.name).planes;
    const int largest = tuned_planes > 0 ? tuned_planes : context.cpu_shaped ? 8 : 1;
    for (const PlaneBlocks& part : split_planes(out.map.planes, largest, context.cpu_shaped)) {
        LoweredDispatch lowered;
        lowered.variant = catalog::depthwise_conv2d;
        lowered.in0 = {node.inputs[0], part.first, part.planes * part.blocks};
        lowered.out = {node.output, part.first, part.planes * part.blocks};
        if (node.epilogue.add) lowered.in1 = {added_value(node), part.first, part.planes * part.blocks};

        uint64_t block_bytes = 0;
        for (int block = 0; block < part.blocks; ++block) {
            const auto slots = in.map.channel_of_slot(part.first + block * part.planes, part.planes);
            const uint64_t start = context.packed_bytes;
            const int first = context.pack(PackDepthwise{op.weight, slots, all_taps(op.kernel)});
            context.pack(PackVector{op.bias, 0.0f, slots});
            pack_epilogue(node.epilogue, slots, context);
            if (block == 0) lowered.first_packed = first;
            block_bytes = context.packed_bytes - start;
        }

        push::Conv push{};
        push.m.block_weights = static_cast<uint32_t>(block_bytes / 16);
        push.grid_size = pack_halves(out.width, out.height);
        push.stride = pack_halves(op.stride.w, op.stride.h);
        push.dilation = pack_halves(op.dilation.w, op.dilation.h);
        push.origin = pack_halves(-op.padding.left, -op.padding.top);
        push.out_step = pack_halves(1, 1);
        push.plane_step = 1;

        Dispatch& dispatch = lowered.dispatch;
        dispatch.specialization = {local[0],
                                   local[1],
                                   local[2],
                                   epilogue.add,
                                   epilogue.scale_shift,
                                   epilogue.activation,
                                   static_cast<uint32_t>(part.planes),
                                   static_cast<uint32_t>(op.kernel.h),
                                   static_cast<uint32_t>(op.kernel.w),
                                   /* gated */ 0u};
        set_push(dispatch, push);
        dispatch.group_count = {ceil_div(static_cast<uint32_t>(out.width), local[0]),
                                ceil_div(static_cast<uint32_t>(out.height), local[1]),
                                static_cast<uint32_t>(part.blocks)};
        dispatch.macs =
            static_cast<uint64_t>(out.width) * static_cast<uint64_t>(out.height) *
            static_cast<uint64_t>(op.kernel.h * op.kernel.w) *
            static_cast<uint64_t>(std::ranges::count_if(in.map.channel_of_slot(part.first, part.planes * part.blocks),
                                                        [](int channel) { return channel >= 0; }));
        context.dispatches.push_back(std::move(lowered));
    }
}

}  // namespace

void lower(const Conv2d& op, const Node& node, LowerContext& context) {
    lower_conv2d(op, node, {}, context);
}

void lower_conv2d(const Conv2d& op, const Node& node, const Epilogue& prologue, LowerContext& context) {
    const int in_channels = context.graph.desc(node.inputs[0]).channels();
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    if (is_depthwise(op, in_channels) && out.map == context.planar[static_cast<size_t>(node.inputs[0])].map) {
        lower_depthwise(op, node, context);
        return;
    }
    ConvGeometry geometry;
    geometry.taps = all_taps(op.kernel);
    geometry.kernel = op.kernel;
    geometry.stride = op.stride;
    geometry.dilation = op.dilation;
    geometry.origin = {-op.padding.top, -op.padding.left};
    geometry.grid = {out.height, out.width};
    lower_convolution({op.weight, op.bias, false, op.groups, in_channels, op.out_channels, prologue}, geometry, node,
                      context);
}

}  // namespace vkseg
