#include "graph/lower/lower.hpp"

#include <algorithm>

namespace vkseg {

namespace {

/// Byte positions of red, green, blue in one pixel.
std::array<uint32_t, 3> byte_order(PixelFormat format) {
    if (format == PixelFormat::BGR8 || format == PixelFormat::BGRA8) return {2, 1, 0};
    return {0, 1, 2};
}

uint32_t pack_order(const std::array<uint32_t, 3>& order) {
    return order[0] | order[1] << 8 | order[2] << 16;
}

std::array<uint32_t, 3> pixel_groups(int width, int height, const std::array<uint32_t, 3>& local) {
    return {ceil_div(static_cast<uint32_t>(width), local[0]), ceil_div(static_cast<uint32_t>(height), local[1]), 1};
}

/// Host binding `index` is a sampled image; the kernel's last specialisation constants say how to read it.
void read_texels(Dispatch& dispatch, size_t index, const TexelReading& texels) {
    dispatch.host[index].sampled_image = true;
    dispatch.specialization.insert(dispatch.specialization.end(), {texels.linear ? 1u : 0u, texels.rounded ? 1u : 0u});
}

/// Import or export of planes [first, first + count): the host's buffer can be larger than one binding may show.
void lower_host_floats(ValueId value, ValueId dense, bool import, LowerContext& context) {
    const PlanarValue& planar = context.planar[static_cast<size_t>(dense)];
    const auto local = workgroup_size(context);
    const uint64_t pixels = static_cast<uint64_t>(planar.width) * static_cast<uint64_t>(planar.height);
    const uint64_t alignment = std::max<uint64_t>(context.facts.min_storage_buffer_offset_alignment, 4);
    const uint64_t plane_bytes = pixels * 4 * sizeof(float);
    const HostBinding whole = context.host_binding(0, value, !import);
    const int planes_per_part = static_cast<int>(
        std::min<uint64_t>(static_cast<uint64_t>(planar.map.planes),
                           std::max<uint64_t>(1, (context.facts.max_storage_buffer_range - alignment) / plane_bytes)));
    const int channels = context.graph.desc(value).channels();
    for (int first = 0; first < planar.map.planes; first += planes_per_part) {
        const int count = std::min(planes_per_part, planar.map.planes - first);
        LoweredDispatch lowered;
        lowered.variant = import ? catalog::load_nchw : catalog::store_nchw;
        (import ? lowered.out : lowered.in0) = {dense, first, count};
        HostBinding host = whole;
        const uint64_t start = static_cast<uint64_t>(first) * plane_bytes;
        host.offset_bytes = start / alignment * alignment;
        host.size_bytes =
            std::min(whole.size_bytes, start + static_cast<uint64_t>(count) * plane_bytes) - host.offset_bytes;
        push::Copy push{};
        push.channels = static_cast<uint32_t>(channels - first * 4);
        push.host_base = static_cast<uint32_t>((start - host.offset_bytes) / sizeof(float));
        Dispatch& dispatch = lowered.dispatch;
        dispatch.label = context.graph.values[static_cast<size_t>(value)].name;
        dispatch.host = {host};
        dispatch.specialization = {local[0], local[1], local[2]};
        set_push(dispatch, push);
        dispatch.group_count = pixel_groups(planar.width, planar.height, local);
        dispatch.group_count[2] = static_cast<uint32_t>(count);
        (import ? dispatch.bytes_read : dispatch.bytes_written) = host.size_bytes;
        context.dispatches.push_back(std::move(lowered));
    }
}

ScoreSampling score_sampling(Sampling sampling) {
    switch (sampling) {
        case Sampling::Nearest:
            return ScoreSampling::Nearest;
        case Sampling::Bilinear:
            return ScoreSampling::Bilinear;
        case Sampling::BilinearAligned:
            return ScoreSampling::BilinearAligned;
    }
    return ScoreSampling::Nearest;
}

}  // namespace

void lower_import(ValueId value, LowerContext& context) {
    lower_host_floats(value, value, true, context);
}
void lower_export(ValueId value, ValueId dense, LowerContext& context) {
    lower_host_floats(value, dense, false, context);
}

uint32_t colour_order(const ImageToTensor& op) {
    auto order = byte_order(op.format);
    if (op.bgr) std::swap(order[0], order[2]);
    return pack_order(order);
}

void lower(const ImageToTensor& op, const Node& node, LowerContext& context) {
    const PlanarValue& out = context.planar[static_cast<size_t>(node.output)];
    const TensorDesc& picture = context.graph.desc(node.inputs[0]);
    const auto local = workgroup_size(context);
    LoweredDispatch lowered;
    const bool sampled = op.format == PixelFormat::Image;
    lowered.variant = sampled ? catalog::sampled_image_to_tensor : catalog::image_to_tensor;
    lowered.out = {node.output, 0, 1};
    push::Image push{};
    push.m.in_size = pack_halves(picture.width(), picture.height());
    push.bytes_per_pixel = static_cast<uint32_t>(bytes_per_pixel(op.format));
    push.order = colour_order(op);
    push.scale_x = static_cast<float>(picture.width()) / static_cast<float>(out.width);
    push.scale_y = static_cast<float>(picture.height()) / static_cast<float>(out.height);
    push.subtract = {op.subtract[0], op.subtract[1], op.subtract[2], 0.0f};
    push.multiply = {op.multiply[0], op.multiply[1], op.multiply[2], 0.0f};
    Dispatch& dispatch = lowered.dispatch;
    dispatch.specialization = {local[0], local[1], local[2]};
    dispatch.host = {context.host_binding(0, node.inputs[0], false)};
    if (sampled) read_texels(dispatch, 0, op.texels);
    dispatch.bytes_read = dispatch.host[0].size_bytes;
    set_push(dispatch, push);
    dispatch.group_count = pixel_groups(out.width, out.height, local);
    context.dispatches.push_back(std::move(lowered));
}

uint32_t labels_size(ValueId labels, const LowerContext& context) {
    const TensorDesc& out = context.graph.desc(labels);
    return pack_halves(out.width(), out.height());
}

LoweredDispatch labels_dispatch(ValueId labels, const LowerContext& context) {
    const uint32_t local = context.cpu_shaped ? 64 : 128;
    const auto words = static_cast<uint32_t>((context.graph.desc(labels).host_size_bytes() + 3) / 4);
    const uint32_t groups = ceil_div(words, local);
    const uint32_t groups_x = std::min(groups, context.facts.max_workgroup_count[0]);
    LoweredDispatch lowered;
    Dispatch& dispatch = lowered.dispatch;
    dispatch.specialization = {local, 1, 1};
    dispatch.host = {context.host_binding(0, labels, true)};
    dispatch.bytes_written = dispatch.host[0].size_bytes;
    dispatch.group_count = {groups_x, ceil_div(groups, groups_x), 1};
    return lowered;
}

void lower_argmax(ValueId scores, ValueId labels, ScoreSampling sampling, bool confidence, LowerContext& context) {
    const PlanarValue& in = context.planar[static_cast<size_t>(scores)];
    const TensorDesc& out = context.graph.desc(labels);
    LoweredDispatch lowered = labels_dispatch(labels, context);
    lowered.variant = catalog::argmax;
    lowered.in0 = {scores, 0, in.map.planes};
    const bool aligned = sampling == ScoreSampling::BilinearAligned;
    push::Argmax push{};
    push.m.out_size = labels_size(labels, context);
    // Not the graph's description: the scores may be a dense copy, which the graph does not know.
    push.channels = static_cast<uint32_t>(in.map.slot_of_channel.size());
    push.scale_x = sampling_scale(in.width, out.width(), aligned);
    push.scale_y = sampling_scale(in.height, out.height(), aligned);
    lowered.dispatch.specialization.push_back(confidence ? 1u : 0u);
    lowered.dispatch.specialization.push_back(static_cast<uint32_t>(sampling));
    set_push(lowered.dispatch, push);
    context.dispatches.push_back(std::move(lowered));
}

void lower(const Argmax& op, const Node& node, LowerContext& context) {
    lower_argmax(node.inputs[0], node.output, score_sampling(op.sampling), false, context);
}

void lower(const Confidence& op, const Node& node, LowerContext& context) {
    lower_argmax(node.inputs[0], node.output, score_sampling(op.sampling), true, context);
}

void lower(const Colourise& op, const Node& node, LowerContext& context) {
    const TensorDesc& labels = context.graph.desc(node.inputs[0]);
    const bool blend = node.inputs.size() > 1 && op.opacity < 256;
    LoweredDispatch lowered;
    lowered.touches_arena = false;
    PackWords palette{op.palette};
    palette.words.resize(256, 0);
    lowered.first_packed = context.pack(std::move(palette));
    push::Colourise push{};
    push.pixels = static_cast<uint32_t>(labels.width()) * static_cast<uint32_t>(labels.height());
    push.bytes_per_pixel = static_cast<uint32_t>(bytes_per_pixel(op.format));
    push.order = pack_order(byte_order(op.format));
    push.opacity = static_cast<uint32_t>(op.opacity);
    push.width = static_cast<uint32_t>(labels.width());
    push.blue_first = op.blue_first ? 1 : 0;
    Dispatch& dispatch = lowered.dispatch;
    const bool sampled = blend && op.format == PixelFormat::Image;
    dispatch.shader = sampled ? ShaderId::colourise_over_image : ShaderId::colourise;
    const uint32_t local = 128;
    dispatch.specialization = {local, 1, 1, blend ? 1u : 0u};
    dispatch.host = {context.host_binding(0, node.inputs[0], false), context.host_binding(1, node.output, true),
                     context.host_binding(2, blend ? node.inputs[1] : node.inputs[0], false)};
    if (sampled) read_texels(dispatch, 2, op.texels);
    for (const HostBinding& host : dispatch.host)
        (host.writes ? dispatch.bytes_written : dispatch.bytes_read) += host.size_bytes;
    set_push(dispatch, push);
    const uint32_t groups = ceil_div(push.pixels, local);
    const uint32_t groups_x = std::min(groups, context.facts.max_workgroup_count[0]);
    dispatch.group_count = {groups_x, ceil_div(groups, groups_x), 1};
    context.dispatches.push_back(std::move(lowered));
}

}  // namespace vkseg
