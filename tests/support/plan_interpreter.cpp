#include "tests/support/plan_interpreter.hpp"

#include "tests/support/interpreter.hpp"

namespace vkseg::test {

namespace {

using interpreter::Machine;
using interpreter::Vec4;

void run(const Machine& m) {
    const std::string name = to_string(m.dispatch.shader);
    const auto is = [&](const char* family) { return name.starts_with(family); };
    if (is("conv2d_")) return interpreter::run_conv2d(m);
    if (is("winograd_conv2d_")) return interpreter::run_winograd_conv2d(m);
    if (is("twin_conv_")) return interpreter::run_twin_conv(m);
    if (is("conv_pair_")) return interpreter::run_conv_pair(m);
    if (is("pyramid_unit_")) return interpreter::run_pyramid_unit(m);
    if (is("esp_pyramid_")) return interpreter::run_esp_pyramid(m);
    if (is("eesp_pyramid_")) return interpreter::run_eesp_pyramid(m);
    if (is("depthwise_conv2d_")) return interpreter::run_depthwise(m);
    if (is("scale_pyramid_")) return interpreter::run_scale_pyramid(m);
    if (is("resize_conv_")) return interpreter::run_resize_conv(m);
    if (is("picture_unit_")) return interpreter::run_picture_unit(m);
    if (is("eltwise_")) return interpreter::run_eltwise(m);
    if (is("multiply_")) return interpreter::run_multiply(m);
    if (is("adaptive_avg_pool2d_")) return interpreter::run_adaptive_pool(m);
    if (is("softmax_")) return interpreter::run_softmax(m);
    if (is("down_unit_")) return interpreter::run_down_unit(m);
    if (is("pool2d_")) return interpreter::run_pool(m);
    if (is("resize_")) return interpreter::run_resize(m);
    if (is("relayout_")) return interpreter::run_relayout(m);
    if (is("load_nchw_")) return interpreter::run_host_floats(m, true);
    if (is("store_nchw_")) return interpreter::run_host_floats(m, false);
    if (is("image_to_tensor_")) return interpreter::run_image_to_tensor(m);
    if (is("argmax_")) return interpreter::run_argmax(m);
    if (is("score_head_")) return interpreter::run_score_head(m);
    throw std::logic_error("the interpreter does not know " + name);
}

}  // namespace

std::vector<std::vector<uint8_t>> interpret(const Plan& plan, std::span<const uint8_t> weights,
                                            const std::vector<std::vector<uint8_t>>& inputs) {
    // Memory that nothing has written is NaN: a read of it shows.
    std::vector<Vec4> arena(plan.arena_bytes / (plan.fp16 ? 8 : 16));
    for (Vec4& texel : arena) texel.fill(NAN);
    if (plan.clears_zero_texel) arena[0].fill(0.0f);
    std::vector<std::vector<uint8_t>> outputs;
    for (const HostBuffer& output : plan.outputs) outputs.emplace_back(output.size_bytes);
    for (const Step& step : plan.steps) {
        const std::vector<Vec4> before = arena;
        for (const Dispatch& dispatch : step.dispatches)
            run(Machine{plan, before, arena, weights, inputs, outputs, dispatch});
    }
    return outputs;
}

}  // namespace vkseg::test
