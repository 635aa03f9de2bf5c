#include "graph/fuse/patterns.hpp"
#include "graph/fuse/pyramid.hpp"
#include "graph/lower/convolution.hpp"

#include <algorithm>

namespace vkseg {

namespace {

bool is_branch(const Conv2d& conv, int in_channels) {
    return conv.groups > 1 && conv.groups == in_channels && conv.out_channels == in_channels;
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    const auto pyramid = match_pyramid(anchor, context, is_branch);
    if (!pyramid) return std::nullopt;
    // Each plane comes from the same plane of the map.
    for (const Node* branch : pyramid->branches)
        if (context.map(branch->output) != context.map(pyramid->input())) return std::nullopt;
    return group_of(*pyramid, context);
}

void lower_eesp(const Group& group, LowerContext& context) {
    const Pyramid pyramid = pyramid_of(group, context.graph);
    push::Pyramid push{};
    const LoweredDispatch whole = pyramid_dispatch(pyramid, push, context);
    const ChannelMap in_map = context.planar[static_cast<size_t>(pyramid.input())].map;
    const PlanarValue out = context.planar[static_cast<size_t>(group.output)];
    const LoweredEpilogue epilogue = epilogue_constants(pyramid.epilogue());
    const Axes kernel = pyramid.conv(0).kernel;
    const size_t branches = pyramid.branches.size();
    const auto local = workgroup_size(context);
    const std::vector<int> channels = in_map.channel_of_slot();
    const auto real = [](const std::vector<int>& slots) {
        return static_cast<uint64_t>(std::ranges::count_if(slots, [](int channel) { return channel >= 0; }));
    };

    for (const PlaneBlocks& part : split_planes(in_map.planes, context.cpu_shaped ? 4 : 1, context.cpu_shaped)) {
        LoweredDispatch lowered = whole;
        lowered.variant = catalog::eesp_pyramid;
        const int width = part.planes * part.blocks;
        lowered.in0 = {whole.in0.value, part.first, width};
        // The same planes of every branch.
        const int span = static_cast<int>(branches - 1) * in_map.planes + width,
                  touched = static_cast<int>(branches) * width;
        lowered.out = {whole.out.value, part.first, span, touched};
        if (whole.in1.used()) lowered.in1 = {whole.in1.value, part.first, span, touched};
        for (int block = 0; block < part.blocks; ++block) {
            const uint64_t start = context.packed_bytes;
            const int plane = part.first + block * part.planes;
            const auto own = in_map.channel_of_slot(plane, part.planes);
            for (size_t i = 0; i < branches; ++i) {
                const Conv2d& conv = pyramid.conv(i);
                const int first = context.pack(PackDepthwise{conv.weight, own, all_taps(kernel)});
                context.pack(PackVector{conv.bias, 0.0f, own});
                pack_epilogue(pyramid.epilogue(),
                              out.map.channel_of_slot(static_cast<int>(i) * in_map.planes + plane, part.planes),
                              context);
                if (block == 0 && i == 0) lowered.first_packed = first;
            }
            push.m.block_weights = static_cast<uint32_t>((context.packed_bytes - start) / 16);
        }
        Dispatch& dispatch = lowered.dispatch;
        dispatch.macs = whole.dispatch.macs / real(channels) * real(in_map.channel_of_slot(part.first, width));
        dispatch.specialization = {local[0],
                                   local[1],
                                   local[2],
                                   epilogue.add,
                                   epilogue.scale_shift,
                                   epilogue.activation,
                                   static_cast<uint32_t>(part.planes),
                                   static_cast<uint32_t>(kernel.h),
                                   static_cast<uint32_t>(kernel.w),
                                   context.cpu_shaped ? static_cast<uint32_t>(branches) : 1u};
        set_push(dispatch, push);
        dispatch.group_count = {ceil_div(static_cast<uint32_t>(out.width), local[0]),
                                ceil_div(static_cast<uint32_t>(out.height), local[1]),
                                static_cast<uint32_t>(part.blocks)};
        context.dispatches.push_back(std::move(lowered));
    }
}

}  // namespace

constinit const Pattern eesp_pyramid{"eesp_pyramid", match, lower_eesp};

}  // namespace vkseg
