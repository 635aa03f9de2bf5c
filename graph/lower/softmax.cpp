#include "graph/lower/lower.hpp"

namespace vkseg {

void lower(const Softmax&, const Node& node, LowerContext& context) {
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    const auto local = workgroup_size(context);
    LoweredDispatch lowered;
    lowered.variant = catalog::softmax;
    lowered.in0 = {node.inputs[0], 0, out.map.planes};
    lowered.out = {node.output, 0, out.map.planes};
    push::Copy push{};
    push.channels = static_cast<uint32_t>(context.graph.desc(node.output).channels());
    Dispatch& dispatch = lowered.dispatch;
    dispatch.specialization = {local[0], local[1], local[2]};
    set_push(dispatch, push);
    dispatch.group_count = {ceil_div(static_cast<uint32_t>(out.width), local[0]),
                            ceil_div(static_cast<uint32_t>(out.height), local[1]), 1};
    context.dispatches.push_back(std::move(lowered));
}

}  // namespace vkseg
