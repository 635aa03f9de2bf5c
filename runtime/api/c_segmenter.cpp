#include "runtime/api/c_formats.hpp"
#include "runtime/api/c_objects.hpp"

#include <cmath>

using namespace vkseg::capi;
using vkseg::error;

namespace {

constexpr uint32_t max_slots = 16;
constexpr uint32_t max_side = 32767;

bool wants(const vkseg_segmenter_desc& desc, vkseg_output output) {
    return (desc.outputs >> output & 1) != 0;
}

vkseg_segmenter_desc checked(vkseg_segmenter_desc desc, const vkseg::Model& model) {
    for (const uint32_t side : {desc.picture_width, desc.picture_height})
        if (side < 1 || side > max_side)
            throw bad_argument("a picture of {}x{} pixels; expected 1 to {} a side", desc.picture_width,
                               desc.picture_height, max_side);
    if (desc.network_width == 0 && desc.network_height == 0) {
        desc.network_width = static_cast<uint32_t>(model.width);
        desc.network_height = static_cast<uint32_t>(model.height);
    }
    if (desc.network_width < 1 || desc.network_height < 1 || desc.network_width > max_side ||
        desc.network_height > max_side)
        throw bad_argument("the network shall see {}x{} pixels; expected 1 to {} a side, or 0x0 for {}x{}",
                           desc.network_width, desc.network_height, max_side, model.width, model.height);
    if (desc.outputs == 0) desc.outputs = 1u << VKSEG_LABELS;
    if (desc.outputs >> VKSEG_OUTPUT_COUNT != 0)
        throw bad_argument("desc->outputs is {:#x}, expected bits 0 to {}", desc.outputs, VKSEG_OUTPUT_COUNT - 1);
    if (desc.frame_slots == 0) desc.frame_slots = 2;
    if (desc.frame_slots > max_slots)
        throw bad_argument("desc->frame_slots is {}, expected at most {}", desc.frame_slots, max_slots);
    if (!(desc.opacity >= 0 && desc.opacity <= 1))
        throw bad_argument("desc->opacity is {}, expected 0 to 1", desc.opacity);
    if (desc.opacity == 0) desc.opacity = 0.5f;
    if (desc.precision < VKSEG_PRECISION_AUTO || desc.precision > VKSEG_PRECISION_FP16)
        throw bad_argument("desc->precision is {}, expected 0 to 2", static_cast<int>(desc.precision));
    if (desc.upsampling < VKSEG_NEAREST || desc.upsampling > VKSEG_BILINEAR)
        throw bad_argument("desc->upsampling is {}, expected 0 or 1", static_cast<int>(desc.upsampling));
    if (desc.palette_size > 256 || (desc.palette_size > 0 && desc.palette == nullptr))
        throw bad_argument("desc->palette has {} colours{}; expected at most 256", desc.palette_size,
                           desc.palette == nullptr ? " at NULL" : "");
    return desc;
}

void refuse_unsampled(const vkseg::Context& context, VkFormat format) {
    VkFormatProperties support{};
    context.instance_table().GetPhysicalDeviceFormatProperties(context.physical().handle, format, &support);
    if ((support.optimalTilingFeatures & VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT) == 0)
        throw refusal(VKSEG_ERROR_UNSUPPORTED, "'{}' does not sample images of format {} (desc->picture_format)",
                      context.facts().name, static_cast<int>(format));
}

vkseg::Precision choose_precision(const vkseg_segmenter_desc& desc, const vkseg::BakedModel& baked,
                                  const vkseg::Context& context) {
    using vkseg::Precision;
    if (desc.precision != VKSEG_PRECISION_AUTO)
        return desc.precision == VKSEG_PRECISION_FP16 ? Precision::FP16 : Precision::FP32;
    if (!baked.precision_by_device) return baked.choices.precision;
    return context.facts().type == vkseg::DeviceType::Cpu ? Precision::FP32 : Precision::FP16;
}

/// What was tuned for this device, where the host and the file leave the precision that it was tuned for.
void use_tuned(vkseg::Choices& choices, const vkseg_segmenter_desc& desc, const vkseg::BakedModel& baked,
               const vkseg::DeviceFacts& facts) {
    const bool open = desc.precision == VKSEG_PRECISION_AUTO && baked.precision_by_device;
    for (const vkseg::TunedChoices& tuned : baked.tuned) {
        if (!open && tuned.choices.precision != choices.precision) continue;
        if (!misfit(tuned, baked.model->simplified, facts, VKSEG_VERSION).empty()) continue;
        choices.merge_tuned(tuned.choices);
        return;
    }
}

std::vector<uint32_t> read_palette(const vkseg_segmenter_desc& desc, const vkseg::BakedModel& baked) {
    if (desc.palette != nullptr) return {desc.palette, desc.palette + desc.palette_size};
    std::vector<uint32_t> palette;
    for (const vkseg::ClassInfo& one : baked.classes.classes)
        palette.push_back(0xff000000u | uint32_t{one.colour[2]} << 16 | uint32_t{one.colour[1]} << 8 | one.colour[0]);
    return palette;
}

vkseg::Graph make_graph(const vkseg_segmenter& segmenter) {
    const vkseg_segmenter_desc& desc = segmenter.desc;
    const PictureReading reading = read_picture_format(desc);
    vkseg::SegmentationOptions options;
    options.picture_width = static_cast<int>(desc.picture_width);
    options.picture_height = static_cast<int>(desc.picture_height);
    options.format = reading.format;
    options.texels = reading.texels;
    options.network_width = static_cast<int>(desc.network_width);
    options.network_height = static_cast<int>(desc.network_height);
    const vkseg::Model& model = *segmenter.baked->model;
    options.upsampling = desc.upsampling == VKSEG_BILINEAR ? model.mask_sampling : vkseg::Sampling::Nearest;
    options.labels = wants(desc, VKSEG_LABELS);
    options.confidence = wants(desc, VKSEG_CONFIDENCE);
    options.colour = wants(desc, VKSEG_COLOUR);
    options.overlay = wants(desc, VKSEG_OVERLAY);
    options.scores = wants(desc, VKSEG_SCORES);
    options.opacity = static_cast<int>(std::lround(desc.opacity * 256));
    options.palette = segmenter.palette;
    options.blue_first = check_output_formats(desc);
    try {
        return segmentation_graph(model.simplified, model.preprocess, options);
    } catch (const vkseg::Error& reason) {
        const auto nearest = nearest_valid_size(model.simplified, options.network_width, options.network_height);
        throw bad_argument("{} cannot take {}x{} pixels ({}); the nearest size it can take is {}x{}", model.network,
                           options.network_width, options.network_height, reason.what(), nearest[0], nearest[1]);
    }
}

/// Where each of the plan's outputs goes; labels that only colours want stay inside.
std::vector<vkseg::OutputTarget> targets_of(const vkseg_segmenter& segmenter) {
    std::vector<vkseg::OutputTarget> targets(segmenter.plan->outputs.size(), vkseg::OutputTarget::Internal);
    for (int output = 0; output < VKSEG_OUTPUT_COUNT; ++output)
        if (segmenter.plan_output[output] >= 0)
            targets[static_cast<size_t>(segmenter.plan_output[output])] =
                segmenter.desc.output[output].place == VKSEG_IMAGE ? vkseg::OutputTarget::Image
                                                                   : vkseg::OutputTarget::Buffer;
    return targets;
}

std::unique_ptr<vkseg_segmenter> make_segmenter(const vkseg_context& context, const vkseg_model& model,
                                                const vkseg_segmenter_desc& given) {
    auto made = std::make_unique<vkseg_segmenter>();
    made->context = context.context;
    made->baked = model.baked;
    made->desc = checked(given, *model.baked->model);
    made->palette = read_palette(made->desc, *model.baked);
    if (made->desc.picture_place == VKSEG_IMAGE) {
        static_cast<void>(read_picture_format(made->desc));
        refuse_unsampled(*made->context, made->desc.picture_format);
    }
    made->graph = make_graph(*made);
    vkseg::Choices choices = model.baked->choices;
    choices.precision = choose_precision(made->desc, *model.baked, *made->context);
    use_tuned(choices, made->desc, *model.baked, made->context->facts());
    made->plan = with_code(VKSEG_ERROR_UNSUPPORTED, [&] {
        return std::make_shared<const vkseg::Plan>(compile(made->graph, made->context->facts(), choices));
    });
    int next = 0;
    for (int output = 0; output < VKSEG_OUTPUT_COUNT; ++output)
        if ((made->desc.outputs >> output & 1) != 0) made->plan_output[output] = next++;
    if (made->desc.picture_place == VKSEG_HOST_MEMORY) {
        made->session = std::make_unique<vkseg::Session>(*made->context);
    } else {
        vkseg::RecorderOptions options{targets_of(*made), made->desc.frame_slots, context.checked};
        made->recorder = std::make_unique<vkseg::Recorder>(*made->context, made->plan, std::move(options),
                                                           [segmenter = made.get()] { return segmenter->pack(); });
    }
    return made;
}

vkseg_memory_needs needs_of(const vkseg::MemoryRegion& region) {
    const vkseg::MemoryNeeds& needs = region.needs();
    return {needs.size_bytes, needs.alignment_bytes, needs.memory_type_bits, needs.usage,
            needs.device_address ? VK_TRUE : VK_FALSE};
}

void bind(vkseg::MemoryRegion& region, vkseg_memory memory, const vkseg_memory_binding& binding) {
    if (region.bound()) return;
    if (memory.buffer == VK_NULL_HANDLE && memory.memory == VK_NULL_HANDLE && binding.allocate != nullptr) {
        const vkseg_memory_needs needs = needs_of(region);
        const vkseg_result answer = binding.allocate(binding.user, &needs, &memory);
        if (answer != VKSEG_SUCCESS)
            throw refusal(answer, "the host's allocate callback answered {}", vkseg_result_name(answer));
        if (memory.buffer == VK_NULL_HANDLE && memory.memory == VK_NULL_HANDLE)
            throw bad_argument("the host's allocate callback set neither buffer nor memory");
    }
    with_code(VKSEG_ERROR_INVALID_ARGUMENT, [&] { region.bind({memory.buffer, memory.memory, memory.offset}); });
}

}  // namespace

vkseg::Recorder& vkseg::capi::recorder_of(vkseg_segmenter* segmenter) {
    if (required(segmenter, "segmenter").recorder == nullptr)
        throw bad_argument("this segmenter takes pictures in host memory; use vkseg_segmenter_run");
    return *segmenter->recorder;
}

void vkseg::capi::bind_memory(Recorder& recorder, const vkseg_memory_binding& binding) {
    bind(recorder.persistent(), binding.persistent, binding);
    bind(recorder.transient(), binding.transient, binding);
}

vkseg_result vkseg_segmenter_create(vkseg_context* context, const vkseg_model* model, const vkseg_segmenter_desc* desc,
                                    vkseg_segmenter** segmenter) {
    return guarded([&] {
        required(segmenter, "segmenter") = nullptr;
        *segmenter =
            make_segmenter(required(context, "context"), required(model, "model"), whole(desc, "desc")).release();
    });
}

void vkseg_segmenter_destroy(vkseg_segmenter* segmenter) {
    delete segmenter;
}

vkseg_result vkseg_segmenter_get_info(const vkseg_segmenter* segmenter, vkseg_segmenter_info* info) {
    return guarded([&] {
        const vkseg_segmenter& found = required(segmenter, "segmenter");
        vkseg_segmenter_info result{};
        if (found.recorder != nullptr) {
            result.persistent = needs_of(found.recorder->persistent());
            result.transient = needs_of(found.recorder->transient());
        }
        result.step_count = static_cast<uint32_t>(found.plan->steps.size());
        result.dispatch_count = static_cast<uint32_t>(found.plan->dispatch_count());
        result.class_count = static_cast<uint32_t>(found.baked->model->classes);
        for (int output = 0; output < VKSEG_OUTPUT_COUNT; ++output)
            if (found.plan_output[output] >= 0)
                result.output_size[output] =
                    found.plan->outputs[static_cast<size_t>(found.plan_output[output])].size_bytes;
        vkseg::Graph network = found.baked->model->simplified;
        network.set_input_size(static_cast<int>(found.desc.network_width), static_cast<int>(found.desc.network_height));
        result.scores_width = static_cast<uint32_t>(network.desc(network.outputs[0]).width());
        result.scores_height = static_cast<uint32_t>(network.desc(network.outputs[0]).height());
        fill(info, "info", result);
    });
}

vkseg_result vkseg_segmenter_bind_memory(vkseg_segmenter* segmenter, const vkseg_memory_binding* binding) {
    return guarded([&] {
        vkseg::Recorder& recorder = recorder_of(segmenter);
        if (recorder.persistent().bound() && recorder.transient().bound())
            throw bad_argument("this segmenter has its memory already");
        bind_memory(recorder, binding == nullptr ? vkseg_memory_binding{} : whole(binding, "binding"));
    });
}

vkseg_result vkseg_segmenter_prepare(vkseg_segmenter* segmenter,
                                     int (*progress)(void* user, uint32_t done, uint32_t total), void* user) {
    return guarded([&] {
        vkseg::Recorder& recorder = recorder_of(segmenter);
        bind_memory(recorder, {});
        std::function<bool(size_t, size_t)> report;
        if (progress != nullptr)
            report = [&](size_t done, size_t total) {
                return progress(user, static_cast<uint32_t>(done), static_cast<uint32_t>(total)) == 0;
            };
        if (!recorder.prepare(report)) throw vkseg::NotReady("preparing was stopped by its progress callback");
    });
}
