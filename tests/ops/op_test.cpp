#include "tests/ops/op_test.hpp"

#include "graph/passes/passes.hpp"
#include "runtime/session.hpp"
#include "tests/ops/compare.hpp"

#include <algorithm>
#include <cstring>
#include <ostream>
#include <string_view>

namespace vkseg::test {

namespace {

Graph simplified(const Graph& raw, const OpCase& test) {
    Graph graph = raw;
    simplify(graph, {.disabled = test.disabled_passes, .observer = {}});
    return graph;
}

bool copies_for_host(const Dispatch& dispatch) {
    const std::string_view name = to_string(dispatch.shader);
    return name.starts_with("load_nchw") || name.starts_with("store_nchw");
}

const char* access_name(Family family) {
    switch (family) {
        case Family::CpuShaped:
            return "_texel";
        case Family::StorageBuffer:
            return "_ssbo";
        case Family::DeviceAddress:
            return "_bda";
    }
    return "";
}

template <typename Predicate>
bool any_dispatch(const Plan& plan, Predicate&& predicate) {
    return std::ranges::any_of(plan.steps,
                               [&](const Step& step) { return std::ranges::any_of(step.dispatches, predicate); });
}

/// A case must not pass because its plan runs on other kernels than those it is meant for.
void expect_family(const Plan& plan, Family family) {
    const std::string access = access_name(family);
    const auto reaches = [&](const Dispatch& dispatch) {
        return std::string_view(to_string(dispatch.shader)).ends_with(access);
    };
    // With narrow bindings some tensors still fit one.
    const auto wrong = [&](const Dispatch& dispatch) {
        return !reaches(dispatch) && dispatch.shader != ShaderId::colourise;
    };
    const bool right = family == Family::DeviceAddress
                           ? any_dispatch(plan, [&](const Dispatch& d) { return reaches(d) && !copies_for_host(d); })
                           : !any_dispatch(plan, wrong);
    EXPECT_TRUE(right) << "the plan is not of the family" << access << "\n" << vkseg::to_string(plan);
}

void set_plan(Session& session, const std::shared_ptr<const Plan>& plan, const Graph& graph) {
    session.set_plan(plan, [&] { return pack_weights(*plan, graph); });
}

/// Fills the arena with words that are NaN in 32 and in 16 bits: whatever a plan reads before it was written shows.
void poison(Session& session, const DeviceFacts& facts, uint64_t arena_bytes) {
    constexpr int width = 64;
    constexpr uint64_t row_bytes = width * 16;
    OpGraph net;
    const auto rows = static_cast<int>(arena_bytes / row_bytes + 1);
    const ValueId all = net.input(4, {rows, width});
    const Graph graph = net.with_outputs({all});
    set_plan(session, std::make_shared<const Plan>(compile(graph, facts)), graph);
    const uint32_t nan = 0x7fc07fc0;
    const std::span<uint8_t> bytes = session.input(0);
    for (size_t i = 0; i + sizeof(nan) <= bytes.size(); i += sizeof(nan)) std::memcpy(&bytes[i], &nan, sizeof(nan));
    session.run();
}

void fill_input(std::span<uint8_t> target, const HostValue& value) {
    const auto* bytes = value.desc.kind == ValueKind::Features ? reinterpret_cast<const uint8_t*>(value.floats.data())
                                                               : value.bytes.data();
    std::memcpy(target.data(), bytes, value.desc.host_size_bytes());
}

std::vector<std::vector<uint8_t>> outputs_of(const Session& session, size_t count) {
    std::vector<std::vector<uint8_t>> outputs;
    for (size_t i = 0; i < count; ++i) outputs.emplace_back(session.output(i).begin(), session.output(i).end());
    return outputs;
}

bool multiplies_in_halves(const Dispatch& dispatch) {
    return dispatch.fp16_arithmetic;
}

/// Whether the plan of a device with 16-bit arithmetic has use for it.
bool has_use_for_halves(const Graph& graph, DeviceFacts facts) {
    facts.fp16_arithmetic = true;
    const Choices choices = choices_for(Family::StorageBuffer, Precision::FP16, Arithmetic::FP16);
    return any_dispatch(compile(graph, facts, choices), multiplies_in_halves);
}

std::string variant_name(const OpParam& param) {
    const char* precision = param.arithmetic == Arithmetic::FP16 ? "_half"
                            : param.precision == Precision::FP16 ? "_fp16"
                                                                 : "_fp32";
    const char* family = param.family == Family::CpuShaped ? "_cpu" : access_name(param.family);
    return param.driver->name + precision + family;
}

bool takes_cpu_shape(const DeviceFacts& facts) {
    OpGraph net;
    const ValueId x = net.input(4, {1, 1});
    return compile(net.with_outputs({x}), facts).uses_texel_view;
}

}  // namespace

void PrintTo(const OpParam& param, std::ostream* out) {
    *out << param.test.name << " on " << variant_name(param);
}

std::string param_name(const ::testing::TestParamInfo<OpParam>& info) {
    return variant_name(info.param) + "_" + info.param.test.name;
}

Choices choices_for(Family family, Precision precision, Arithmetic arithmetic) {
    Choices choices;
    choices.precision = precision;
    choices.arithmetic = arithmetic;
    if (family != Family::CpuShaped) choices.denied_families = {"cpu_shaped"};
    return choices;
}

std::optional<DeviceFacts> with_narrow_bindings(const Graph& graph, const DeviceFacts& facts, Precision precision) {
    if (!facts.buffer_device_address) return std::nullopt;
    const Plan plan = compile(graph, facts, choices_for(Family::StorageBuffer, precision));
    // Weights and host bytes stay in bindings; floats of the host are shown plane by plane.
    const uint64_t slack = facts.min_storage_buffer_offset_alignment;
    uint64_t range = plan.weights_bytes;
    for (const auto* buffers : {&plan.inputs, &plan.outputs})
        for (const HostBuffer& buffer : *buffers) {
            const auto pixels =
                static_cast<uint64_t>(buffer.desc.height()) * static_cast<uint64_t>(buffer.desc.width());
            const bool floats = buffer.desc.kind == ValueKind::Features;
            range = std::max(range, floats ? pixels * 16 + slack : buffer.size_bytes);
        }
    const bool narrow = any_dispatch(plan, [&](const Dispatch& dispatch) {
        return !copies_for_host(dispatch) && std::ranges::any_of(dispatch.windows, [&](const ArenaSlice& window) {
            return window.size_bytes > range;
        });
    });
    if (!narrow) return std::nullopt;
    DeviceFacts narrowed = facts;
    narrowed.max_storage_buffer_range = range;
    return narrowed;
}

::testing::internal::ParamGenerator<OpParam> everywhere(const std::vector<OpCase>& cases) {
    std::vector<OpParam> params;
    for (const OpCase& test : cases) {
        const Graph graph = simplified(test.build(), test);
        for (const Driver& driver : drivers())
            for (const Precision precision : {Precision::FP32, Precision::FP16}) {
                const auto add = [&](Family family, Arithmetic arithmetic = Arithmetic::FP32) {
                    params.push_back({test, &driver, precision, arithmetic, family});
                };
                add(Family::StorageBuffer);
                if (!driver.facts) continue;  // to be skipped once is enough
                if (takes_cpu_shape(*driver.facts)) add(Family::CpuShaped);
                const bool narrow = with_narrow_bindings(graph, *driver.facts, precision).has_value();
                if (narrow) add(Family::DeviceAddress);
                if (precision == Precision::FP32 || !has_use_for_halves(graph, *driver.facts)) continue;
                add(Family::StorageBuffer, Arithmetic::FP16);
                if (narrow) add(Family::DeviceAddress, Arithmetic::FP16);
            }
    }
    return ::testing::ValuesIn(params);
}

TEST_P(OpTest, AgreesWithReference) {
    const OpParam& param = GetParam();
    if (param.arithmetic == Arithmetic::FP16 && !context().facts().fp16_arithmetic)
        GTEST_SKIP() << context().facts().name << " has no 16-bit arithmetic";
    const Graph raw = param.test.build();
    const Graph graph = simplified(raw, param.test);
    if (param.test.simplified_nodes != 0) {
        ASSERT_EQ(graph.nodes.size(), param.test.simplified_nodes) << vkseg::to_string(graph);
    }

    DeviceFacts facts = context().facts();
    if (param.family == Family::DeviceAddress) facts = with_narrow_bindings(graph, facts, param.precision).value();
    Choices choices = choices_for(param.family, param.precision, param.arithmetic);
    choices.disabled_fusions = param.test.disabled_fusions;
    const auto plan = std::make_shared<const Plan>(compile(graph, facts, choices));
    expect_family(*plan, param.family);
    EXPECT_EQ(any_dispatch(*plan, multiplies_in_halves), param.arithmetic == Arithmetic::FP16);

    Session session(context());
    poison(session, context().facts(), plan->arena_bytes);
    set_plan(session, plan, graph);
    const std::vector<HostValue> inputs = random_inputs(raw, param.test.ties);
    for (size_t i = 0; i < inputs.size(); ++i) fill_input(session.input(i), inputs[i]);
    session.run();
    const auto first = outputs_of(session, raw.outputs.size());

    const std::vector<HostValue> values = reference_values(raw, inputs);
    for (size_t i = 0; i < raw.outputs.size(); ++i)
        EXPECT_TRUE(agrees(raw, values, raw.outputs[i], first[i], param.precision, param.arithmetic))
            << vkseg::to_string(graph) << vkseg::to_string(*plan);

    // What a run leaves behind must not matter to the next.
    session.run();
    EXPECT_EQ(outputs_of(session, raw.outputs.size()), first) << "a second run gave other bytes";
}

}  // namespace vkseg::test
