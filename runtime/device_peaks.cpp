#include "runtime/device_peaks.hpp"

#include "runtime/context.hpp"
#include "runtime/session.hpp"
#include "shaders/shared/push.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <memory>
#include <numeric>

namespace vkseg {

namespace {

constexpr uint32_t workgroup = 64, copied_texels = 2, unrolled_links = 16, chains = 12;
constexpr uint64_t texel_bytes = 16;

template <typename Push>
std::vector<uint8_t> bytes_of(const Push& push) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&push);
    return {bytes, bytes + sizeof(Push)};
}

ShaderId copy_shader(PeakAccess access) {
    switch (access) {
        case PeakAccess::Ssbo:
            return ShaderId::peak_copy_f32_ssbo;
        case PeakAccess::Bda:
            return ShaderId::peak_copy_f32_bda;
        case PeakAccess::Texel:
            break;
    }
    return ShaderId::peak_copy_f32_texel;
}

uint64_t time_plan(Session& session, const Context& context, Plan plan, int runs) {
    session.set_plan(std::make_shared<const Plan>(std::move(plan)), [] { return std::vector<uint8_t>(); });
    session.run();  // compiles, and touches the memory for the first time
    return std::max<uint64_t>(fastest_run_ns(session, context, runs), 1);
}

/// GB/s of the best of the ways in which kernels reach memory here. Copies follow one another `steps` times, and each
/// step's launch is left out.
double measure_copy(Context& context, uint64_t wanted_bytes, int steps, double launch_us) {
    const DeviceFacts& facts = context.facts();
    // Not much of a small device's memory.
    const uint64_t bytes = std::min({wanted_bytes, facts.device_memory_bytes / 16, facts.max_allocation_bytes / 2,
                                     facts.max_storage_buffer_range}) >>
                           16 << 16;
    double best = 0;
    for (const PeakAccess access : {PeakAccess::Ssbo, PeakAccess::Bda, PeakAccess::Texel}) {
        if (access != PeakAccess::Ssbo && !facts.buffer_device_address) continue;
        if (access == PeakAccess::Texel && !facts.shader_int64) continue;
        if (access == PeakAccess::Texel && 2 * bytes / texel_bytes > facts.max_texel_buffer_elements) continue;
        Session session(context);
        session.time_runs(true);
        const auto ns = static_cast<double>(time_plan(session, context, peak_copy_plan(bytes, access, steps), 10));
        // Launches overlap with what is under way, so no more than half is taken off.
        const double copying_ns = std::max(ns - launch_us * 1e3 * steps, ns / 2);
        best = std::max(best, 2.0 * static_cast<double>(bytes) * steps / copying_ns);
    }
    return best;
}

double measure_fma(Context& context) {
    const bool cpu = context.facts().type == DeviceType::Cpu;
    // Some workgroups for each of any device's units.
    const uint32_t workgroups = cpu ? 256 : 4096;
    constexpr uint64_t enough_ns = 10'000'000;
    Session session(context);
    session.time_runs(true);
    uint32_t iterations = 4;
    for (;;) {
        const Plan plan = peak_fma_plan(workgroups, iterations, 0.99f, 0.01f);
        const auto flops = 2.0 * static_cast<double>(plan.macs());
        const uint64_t ns = time_plan(session, context, plan, 8);
        constexpr uint32_t most = 1u << 18;
        if (ns >= enough_ns / 2 || iterations >= most) return flops / static_cast<double>(ns);
        // Short runs tell little about long ones; creep up on them.
        iterations = std::min(most, iterations * static_cast<uint32_t>(std::clamp<uint64_t>(enough_ns / ns, 2, 16)));
    }
}

double measure_launch_us(Context& context) {
    constexpr int steps = 64;
    Session session(context);
    session.time_runs(true);
    const Plan plan = peak_copy_plan(workgroup * copied_texels * texel_bytes, PeakAccess::Ssbo, steps);
    return static_cast<double>(time_plan(session, context, plan, 6)) / 1e3 / steps;
}

}  // namespace

Plan peak_copy_plan(uint64_t bytes, PeakAccess access, int steps) {
    constexpr uint64_t group_bytes = workgroup * copied_texels * texel_bytes;
    assert(bytes % group_bytes == 0);
    const uint64_t groups = bytes / group_bytes;
    const bool ssbo = access == PeakAccess::Ssbo;
    push::Peak push{};
    push.m.out_base = ssbo ? 0 : static_cast<uint32_t>(bytes / texel_bytes);

    Dispatch dispatch;
    dispatch.shader = copy_shader(access);
    dispatch.specialization = {workgroup, 1, 1, copied_texels};
    dispatch.push = bytes_of(push);
    // 1024 and what remains of a power of two stay below what every device starts along an axis.
    const auto wide = static_cast<uint32_t>(std::gcd(groups, uint64_t{1024}));
    dispatch.group_count = {wide, static_cast<uint32_t>(groups / wide), 1};
    const ArenaSlice from{0, bytes}, to{bytes, bytes};
    if (ssbo) {
        dispatch.windows[0] = from;
        dispatch.windows[2] = to;
    } else {
        dispatch.relocations.push_back({offsetof(push::Memory, arena), Relocation::Base::Arena, 0});
    }
    dispatch.reads = {from};
    dispatch.writes = {to};
    dispatch.label = "copy";
    dispatch.bytes_read = dispatch.bytes_written = bytes;

    Plan plan;
    plan.steps.assign(static_cast<size_t>(steps), Step{{dispatch}});
    plan.arena_bytes = 2 * bytes;
    plan.uses_texel_view = access == PeakAccess::Texel;
    return plan;
}

Plan peak_fma_plan(uint32_t workgroups, uint32_t iterations, float multiplier, float addend) {
    const uint32_t threads = workgroups * workgroup;
    Dispatch dispatch;
    dispatch.shader = ShaderId::peak_fma;
    dispatch.specialization = {workgroup, 1, 1, unrolled_links};
    dispatch.push = bytes_of(push::PeakFma{iterations, multiplier, addend});
    dispatch.group_count = {workgroups, 1, 1};
    const uint64_t bytes = uint64_t{threads} * sizeof(float);
    dispatch.host = {{0, HostBinding::Direction::Output, 0, true, 0, bytes}};
    dispatch.label = "multiply-adds";
    dispatch.macs = uint64_t{threads} * iterations * unrolled_links * chains;
    dispatch.bytes_written = bytes;

    TensorDesc desc;
    desc.shape = {1, 1, static_cast<int>(threads)};
    Plan plan;
    plan.steps = {{{dispatch}}};
    plan.arena_bytes = 256;
    plan.outputs = {{"sums", desc, bytes}};
    return plan;
}

uint64_t fastest_run_ns(Session& session, const Context& context, int runs) {
    uint64_t fastest = UINT64_MAX, spent = 0;
    // Slow devices are as well known after fewer.
    constexpr uint64_t enough_ns = 150'000'000;
    for (int i = 0; i < runs && (i < 3 || spent < enough_ns); ++i) {
        uint64_t ns = 0;
        if (context.facts().timestamps) {
            session.run();
            ns = session.run_nanoseconds();
        } else {
            for (const uint64_t step : session.profile_steps()) ns += step;
        }
        fastest = std::min(fastest, ns);
        spent += ns;
    }
    return fastest;
}

DevicePeaks measure_peaks(Context& context) {
    DevicePeaks peaks;
    const bool cpu = context.facts().type == DeviceType::Cpu;
    peaks.launch_us = measure_launch_us(context);
    peaks.memory_gb_per_s = measure_copy(context, uint64_t{cpu ? 64u : 256u} << 20, 1, peaks.launch_us);
    // Two halves that fit the last cache of most devices.
    peaks.cache_gb_per_s =
        std::max(measure_copy(context, uint64_t{cpu ? 512u : 2048u} << 10, 16, peaks.launch_us), peaks.memory_gb_per_s);
    peaks.fp32_gflops = measure_fma(context);
    peaks.source = "measured on " + context.facts().name;
    return peaks;
}

}  // namespace vkseg
