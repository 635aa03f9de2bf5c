#include "graph/lower/plane_kernel.hpp"

#include <stdexcept>

namespace vkseg {

void lower_eltwise(const Node& original, const Epilogue& epilogue, LowerContext& context) {
    Node node = original;
    const ChannelMap map = context.planar[static_cast<size_t>(node.output)].map;
    if (context.planar[static_cast<size_t>(node.inputs[0])].map != map)
        node.inputs[0] = context.in_map(node.inputs[0], map);
    lower_plane_kernel(catalog::eltwise, push::Copy{}, {}, node, epilogue, context);
}

void lower_relayout(ValueId source, ValueId target, const std::string& label, LowerContext& context) {
    const PlanarValue& from = context.planar[static_cast<size_t>(source)];
    const PlanarValue& to = context.planar[static_cast<size_t>(target)];
    const auto local = workgroup_size(context);
    LoweredDispatch lowered;
    lowered.variant = catalog::relayout;
    lowered.in0 = {source, 0, from.map.planes};
    lowered.out = {target, 0, to.map.planes};
    PackWords table;
    for (int channel : to.map.channel_of_slot())
        table.words.push_back(
            channel < 0 ? 0xffffffffu : static_cast<uint32_t>(from.map.slot_of_channel[static_cast<size_t>(channel)]));
    lowered.first_packed = context.pack(std::move(table));
    lowered.dispatch.label = label;
    lowered.dispatch.specialization = {local[0], local[1], local[2]};
    set_push(lowered.dispatch, push::Copy{});
    lowered.dispatch.group_count = {ceil_div(static_cast<uint32_t>(to.width), local[0]),
                                    ceil_div(static_cast<uint32_t>(to.height), local[1]),
                                    static_cast<uint32_t>(to.map.planes)};
    context.dispatches.push_back(std::move(lowered));
}

void lower(const Identity&, const Node& node, LowerContext& context) {
    if (node.epilogue.empty()) {
        lower_relayout(node.inputs[0], node.output, node.name, context);
        return;
    }
    lower_eltwise(node, node.epilogue, context);
}

// Left over when fuse_epilogue is switched off.

void lower(const Add&, const Node& node, LowerContext& context) {
    Epilogue epilogue;
    epilogue.add = true;
    lower_eltwise(node, epilogue, context);
}

void lower(const ScaleShift& op, const Node& node, LowerContext& context) {
    Epilogue epilogue;
    epilogue.scale = op.scale;
    epilogue.shift = op.shift;
    lower_eltwise(node, epilogue, context);
}

void lower(const Relu&, const Node& node, LowerContext& context) {
    Epilogue epilogue;
    epilogue.activation = Epilogue::Activation::Relu;
    lower_eltwise(node, epilogue, context);
}

void lower(const Sigmoid&, const Node& node, LowerContext& context) {
    Epilogue epilogue;
    epilogue.activation = Epilogue::Activation::Sigmoid;
    lower_eltwise(node, epilogue, context);
}

void lower(const PRelu& op, const Node& node, LowerContext& context) {
    Epilogue epilogue;
    epilogue.activation = Epilogue::Activation::PRelu;
    epilogue.slope = op.slope;
    lower_eltwise(node, epilogue, context);
}

void lower(const BatchNorm&, const Node& node, LowerContext&) {
    throw std::logic_error("'" + node.name + "': a graph is simplified before it is planned; batch norms fold");
}

}  // namespace vkseg
