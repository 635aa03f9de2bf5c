#include "tests/plan/plan_checks.hpp"

#include "runtime/reflection.hpp"
#include "shader_binaries.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

namespace vkseg::test {

namespace {

/// Word after `constant_id` decorations: the largest id that a shader reads, -1 for none.
int largest_constant_id(std::span<const uint32_t> words) {
    constexpr uint32_t op_decorate = 71, decoration_spec_id = 1;
    int largest = -1;
    for (size_t at = 5; at < words.size(); at += words[at] >> 16)
        if ((words[at] & 0xffff) == op_decorate && words[at + 2] == decoration_spec_id)
            largest = std::max(largest, static_cast<int>(words[at + 3]));
    return largest;
}

bool is_family(const Dispatch& dispatch, std::string_view family) {
    return std::string_view(to_string(dispatch.shader)).starts_with(family);
}

bool overlap(const std::vector<ArenaSlice>& left, const std::vector<ArenaSlice>& right) {
    return std::ranges::any_of(left, [&](const ArenaSlice& l) {
        return std::ranges::any_of(right, [&](const ArenaSlice& r) { return l.overlaps(r); });
    });
}

bool overlap(const HostBinding& a, const HostBinding& b) {
    return a.direction == b.direction && a.index == b.index && a.offset_bytes < b.offset_bytes + b.size_bytes &&
           b.offset_bytes < a.offset_bytes + a.size_bytes;
}

void expect_bindings(const Dispatch& dispatch, const Plan& plan, const DeviceFacts& facts) {
    uint32_t storage_buffers = 0;
    for (const ShaderBinding& binding : reflect_bindings(spirv(dispatch.shader))) {
        if (binding.type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER) ++storage_buffers;
        if (binding.set == 1) {
            EXPECT_EQ(std::ranges::count(dispatch.host, binding.binding, &HostBinding::binding), 1)
                << "host binding " << binding.binding;
        }
    }
    EXPECT_LE(storage_buffers, facts.max_storage_buffers_per_stage);
    for (const ArenaSlice& window : dispatch.windows) {
        EXPECT_LE(window.size_bytes, facts.max_storage_buffer_range);
        EXPECT_EQ(window.offset_bytes % facts.min_storage_buffer_offset_alignment, 0u);
        EXPECT_LE(window.offset_bytes + window.size_bytes, plan.arena_bytes);
    }
    for (const HostBinding& host : dispatch.host) {
        EXPECT_LE(host.size_bytes, facts.max_storage_buffer_range);
        EXPECT_EQ(host.offset_bytes % facts.min_storage_buffer_offset_alignment, 0u);
        const auto& buffers = host.direction == HostBinding::Direction::Input ? plan.inputs : plan.outputs;
        ASSERT_LT(host.index, buffers.size());
        EXPECT_LE(host.offset_bytes + host.size_bytes, buffers[host.index].size_bytes);
    }
    for (const Relocation& relocation : dispatch.relocations) {
        EXPECT_TRUE(facts.buffer_device_address);
        EXPECT_LE(relocation.push_offset_bytes + sizeof(uint64_t), dispatch.push.size());
    }
}

}  // namespace

Choices at(Precision precision, Arithmetic arithmetic) {
    Choices choices;
    choices.precision = precision;
    choices.arithmetic = arithmetic;
    return choices;
}

std::vector<const Dispatch*> dispatches_of(const Plan& plan) {
    std::vector<const Dispatch*> all;
    for (const Step& step : plan.steps)
        for (const Dispatch& dispatch : step.dispatches) all.push_back(&dispatch);
    return all;
}

Pipelines pipelines_of(const Plan& plan) {
    Pipelines pipelines;
    for (const Dispatch* dispatch : dispatches_of(plan)) pipelines.insert({dispatch->shader, dispatch->specialization});
    return pipelines;
}

std::set<std::string> accesses_of(const Plan& plan) {
    std::set<std::string> accesses;
    for (const Dispatch* dispatch : dispatches_of(plan)) {
        const std::string name = to_string(dispatch->shader);
        if (name.find("_f") != std::string::npos) accesses.insert(name.substr(name.rfind('_') + 1));
    }
    return accesses;
}

bool conflict(const Dispatch& a, const Dispatch& b) {
    if (overlap(a.writes, b.writes) || overlap(a.writes, b.reads) || overlap(a.reads, b.writes)) return true;
    return std::ranges::any_of(a.host, [&](const HostBinding& left) {
        return std::ranges::any_of(
            b.host, [&](const HostBinding& right) { return (left.writes || right.writes) && overlap(left, right); });
    });
}

void expect_within_limits(const Plan& plan, const DeviceFacts& facts) {
    EXPECT_LE(plan.arena_bytes, facts.max_allocation_bytes);
    EXPECT_LE(plan.weights_bytes, facts.max_storage_buffer_range);
    if (plan.uses_texel_view) {
        EXPECT_LE(plan.arena_bytes / (plan.fp16 ? 8 : 16), facts.max_texel_buffer_elements);
    }
    for (const Dispatch* dispatch : dispatches_of(plan)) {
        SCOPED_TRACE(dispatch->label + " " + to_string(dispatch->shader));
        EXPECT_LE(dispatch->push.size(), 128u);
        ASSERT_GE(dispatch->specialization.size(), 3u);
        uint32_t invocations = 1;
        for (size_t axis = 0; axis < 3; ++axis) {
            invocations *= dispatch->specialization[axis];
            EXPECT_LE(dispatch->specialization[axis], facts.max_workgroup_size[axis]);
            EXPECT_GE(dispatch->group_count[axis], 1u);
            EXPECT_LE(dispatch->group_count[axis], facts.max_workgroup_count[axis]);
        }
        EXPECT_GE(invocations, 1u);
        EXPECT_LE(invocations, facts.max_workgroup_invocations);
        const bool half = std::string_view(to_string(dispatch->shader)).find("_half_") != std::string_view::npos;
        EXPECT_EQ(half, dispatch->fp16_arithmetic);
        EXPECT_TRUE(!half || (facts.fp16_arithmetic && plan.fp16));
        // A constant that is left out silently takes the shader's default.
        EXPECT_LT(largest_constant_id(spirv(dispatch->shader)), static_cast<int>(dispatch->specialization.size()));
        expect_bindings(*dispatch, plan, facts);
    }
}

void expect_ordered(const Plan& plan) {
    std::vector<ArenaSlice> written;
    const auto covered = [&](ArenaSlice part) {
        // Parts of a concatenation are written one by one.
        for (bool moved = true; moved && part.size_bytes > 0;) {
            moved = false;
            for (const ArenaSlice& slice : written)
                if (slice.offset_bytes <= part.offset_bytes &&
                    part.offset_bytes < slice.offset_bytes + slice.size_bytes) {
                    const uint64_t reach =
                        std::min(slice.offset_bytes + slice.size_bytes - part.offset_bytes, part.size_bytes);
                    part.offset_bytes += reach;
                    part.size_bytes -= reach;
                    moved = true;
                    break;
                }
        }
        return part.size_bytes == 0;
    };
    for (const Step& step : plan.steps) {
        for (const Dispatch& dispatch : step.dispatches)
            for (const ArenaSlice& part : dispatch.reads)
                EXPECT_TRUE(covered(part)) << dispatch.label << " reads memory that nothing has written";
        for (const Dispatch& a : step.dispatches)
            for (const Dispatch& b : step.dispatches)
                if (&a != &b) {
                    EXPECT_FALSE(conflict(a, b)) << a.label << " and " << b.label << " share a step";
                }
        for (const Dispatch& dispatch : step.dispatches) {
            for (const ArenaSlice& part : dispatch.writes) {
                EXPECT_LE(part.offset_bytes + part.size_bytes, plan.arena_bytes);
                // The zeros at the start are for everyone.
                EXPECT_GE(part.offset_bytes, plan.clears_zero_texel ? 256u : 0u) << dispatch.label;
            }
            written.insert(written.end(), dispatch.writes.begin(), dispatch.writes.end());
        }
    }
}

void expect_in_place_by_texel(const Plan& plan) {
    for (const Dispatch* dispatch : dispatches_of(plan)) {
        SCOPED_TRACE(dispatch->label + " " + to_string(dispatch->shader));
        const bool elementwise = is_family(*dispatch, "eltwise_") || is_family(*dispatch, "multiply_");
        for (size_t i = 0; i < dispatch->reads.size(); ++i)
            for (const ArenaSlice& write : dispatch->writes) {
                if (!dispatch->reads[i].overlaps(write)) continue;
                // The first operand is read with neighbours, or for several planes; what an epilogue adds is not.
                const bool by_texel = elementwise || i > 0;
                EXPECT_TRUE(by_texel && dispatch->reads[i] == write)
                    << "operand " << i << " is overwritten while other invocations still read it";
            }
    }
}

void expect_fewest_barriers(const Plan& plan) {
    // Filling each step as far as its dispatches allow is optimal for a fixed order.
    std::vector<const Dispatch*> step;
    size_t steps = plan.steps.empty() ? 0 : 1;
    for (const Dispatch* dispatch : dispatches_of(plan)) {
        const bool fits =
            std::ranges::none_of(step, [&](const Dispatch* other) { return conflict(*other, *dispatch); });
        if (!fits) {
            ++steps;
            step.clear();
        }
        step.push_back(dispatch);
    }
    EXPECT_EQ(plan.steps.size(), steps);
    EXPECT_EQ(plan.barrier_count(), steps - (steps > 0 ? 1 : 0));
}

void expect_sound(const Plan& plan, const DeviceFacts& facts) {
    expect_within_limits(plan, facts);
    expect_ordered(plan);
    expect_in_place_by_texel(plan);
    expect_fewest_barriers(plan);
}

}  // namespace vkseg::test
