#include "graph/fuse/patterns.hpp"
#include "graph/fuse/pyramid.hpp"
#include "graph/lower/convolution.hpp"

#include <algorithm>

namespace vkseg {

namespace {

bool is_branch(const Conv2d& conv, int) {
    return conv.groups == 1;
}

/// Straight-line code through all branches of one pixel pays on a CPU while the instruction cache holds it: 720
/// multiply-adds take two thirds of the time of the branches apart, 6,912 take a tenth to a third more.
constexpr int max_fused_macs = 2000;

bool stays_in_instruction_cache(const Pyramid& pyramid, const LowerContext& context) {
    const PyramidPlanes planes = planes_of(pyramid, context);
    const int in_planes = context.planar[static_cast<size_t>(pyramid.input())].map.planes;
    const Axes kernel = pyramid.conv(0).kernel;
    return 16 * kernel.h * kernel.w * in_planes * planes.start_of(pyramid.branches.size()) <= max_fused_macs;
}

/// Planes of each branch that one invocation makes. A GPU wants many invocations, and blocks of one plane waste nothing
/// where branches differ in width. A CPU has threads enough: fewer loads count for more there, up to a sixth of waste.
int planes_per_block(const PyramidPlanes& planes, size_t branches, const LowerContext& context) {
    if (context.cpu_shaped) return planes.rest;
    if (context.facts.type != DeviceType::Cpu) return 1;
    const auto padded = [](int count, int block) { return (count + block - 1) / block * block; };
    for (int block = std::min(8, std::max(planes.first, planes.rest)); block > 1; --block) {
        const int all = padded(planes.first, block) + static_cast<int>(branches - 1) * padded(planes.rest, block);
        if (all * 6 <= planes.start_of(branches) * 7) return block;
    }
    return 1;
}

std::optional<Group> match(const Node& anchor, const MatchContext& context) {
    const auto pyramid = match_pyramid(anchor, context, is_branch);
    if (!pyramid) return std::nullopt;
    if (context.lower.cpu_shaped && !stays_in_instruction_cache(*pyramid, context.lower)) return std::nullopt;
    return group_of(*pyramid, context);
}

void lower_esp(const Group& group, LowerContext& context) {
    const Pyramid pyramid = pyramid_of(group, context.graph);
    push::Pyramid push{};
    LoweredDispatch lowered = pyramid_dispatch(pyramid, push, context);
    lowered.variant = catalog::esp_pyramid;
    lowered.arithmetic = context.arithmetic();
    const ChannelMap in_map = context.planar[static_cast<size_t>(pyramid.input())].map;
    const PlanarValue out = context.planar[static_cast<size_t>(group.output)];
    const PyramidPlanes planes = planes_of(pyramid, context);
    const LoweredEpilogue epilogue = epilogue_constants(pyramid.epilogue());
    const Axes kernel = pyramid.conv(0).kernel;

    const int block_planes = planes_per_block(planes, pyramid.branches.size(), context);
    const int blocks = context.cpu_shaped ? 1 : (std::max(planes.first, planes.rest) + block_planes - 1) / block_planes;
    const uint32_t pixels = context.gpu_code_on_cpu ? pixels_on_cpu : context.cpu_shaped || block_planes > 4 ? 1 : 2;
    for (int block = 0; block < blocks; ++block) {
        const uint64_t start = context.packed_bytes;
        for (size_t i = 0; i < pyramid.branches.size(); ++i) {
            const ChannelMap& branch = context.planar[static_cast<size_t>(pyramid.branches[i]->output)].map;
            const int width = context.cpu_shaped ? planes.of(i) : block_planes;
            // A branch may end inside a block or before it.
            const auto slots = [&](const ChannelMap& map, int start) {
                return slots_of(map, start, planes.of(i), block * block_planes, width);
            };
            const int first = pack_convolution(pyramid.conv(i), in_map, slots(branch, 0), lowered.arithmetic, context);
            pack_epilogue(pyramid.epilogue(), slots(out.map, planes.start_of(i)), context);
            if (block == 0 && i == 0) lowered.first_packed = first;
        }
        push.m.block_weights = static_cast<uint32_t>((context.packed_bytes - start) / 16);
    }

    const auto local = workgroup_size(context);
    const auto unrolled = [&](size_t count) { return context.cpu_shaped ? static_cast<uint32_t>(count) : 1u; };
    Dispatch& dispatch = lowered.dispatch;
    dispatch.specialization = {local[0],
                               local[1],
                               local[2],
                               epilogue.add,
                               epilogue.scale_shift,
                               epilogue.activation,
                               static_cast<uint32_t>(block_planes),
                               static_cast<uint32_t>(kernel.h),
                               static_cast<uint32_t>(kernel.w),
                               pixels,
                               unrolled(push.in_planes),
                               unrolled(push.branches),
                               unrolled(push.first_planes)};
    set_push(dispatch, push);
    dispatch.group_count = {ceil_div(static_cast<uint32_t>(out.width), local[0] * pixels),
                            ceil_div(static_cast<uint32_t>(out.height), local[1]), static_cast<uint32_t>(blocks)};
    context.dispatches.push_back(std::move(lowered));
}

}  // namespace

constinit const Pattern esp_pyramid{"esp_pyramid", match, lower_esp};

}  // namespace vkseg
