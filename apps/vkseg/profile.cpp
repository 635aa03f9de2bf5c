#include "apps/vkseg/profile.hpp"

#include "apps/common/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <map>
#include <set>

namespace vkseg::app {

namespace {

/// "conv2d" of "conv2d_f32_texel". Kernels that touch only host memory have no variants.
std::string family_of(const std::string& kernel) {
    for (const char* storage : {"_f32_", "_f16_"})
        if (const size_t at = kernel.find(storage); at != std::string::npos) return kernel.substr(0, at);
    return kernel;
}

ProfileRow row_of(const Dispatch& dispatch, size_t step, const Profile& profile) {
    ProfileRow row;
    row.label = dispatch.label;
    row.kernel = to_string(dispatch.shader);
    row.family = family_of(row.kernel);
    row.step = step;
    row.threads = dispatch.thread_count();
    row.fills_device = row.threads >= profile.fill.threads();
    row.bytes = dispatch.bytes_moved() + dispatch.weights_bytes;
    row.macs = dispatch.macs;
    const DispatchFloor floor = floor_of(dispatch, profile.peaks);
    row.floor_us = floor.us() - floor.launch_us;
    row.memory_bound = floor.memory_bound();
    return row;
}

/// The dispatches of a step as one row.
ProfileRow merge(const std::vector<ProfileRow>& parts, const DeviceFill& fill) {
    ProfileRow all = parts.front();
    all.dispatches = parts.size();
    std::set<std::string> kernels{all.kernel}, families{all.family};
    for (const ProfileRow& part : std::span(parts).subspan(1)) {
        all.label += " + " + part.label;
        kernels.insert(part.kernel);
        families.insert(part.family);
        all.threads += part.threads;
        all.bytes += part.bytes;
        all.macs += part.macs;
        all.floor_us += part.floor_us;
    }
    all.fills_device = all.threads >= fill.threads();
    all.kernel = fmt::format("{}", fmt::join(kernels, " + "));
    all.family = families.size() == 1 ? all.family : "several";
    return all;
}

Profile begin_profile(const Plan& plan, const DeviceFacts& facts, const DevicePeaks& peaks, size_t runs) {
    Profile profile;
    profile.peaks = peaks;
    profile.fill = device_fill(facts);
    profile.runs = static_cast<int>(runs);
    profile.floor = floor_of(plan, peaks);
    profile.too_small = too_small(plan, profile.fill).size();
    return profile;
}

/// Index of the run whose total is the median.
size_t median_run(const std::vector<double>& totals) {
    std::vector<size_t> order(totals.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [&](size_t i) { return totals[i]; });
    return order[(order.size() - 1) / 2];
}

}  // namespace

Profile make_profile(const Plan& plan, const DeviceFacts& facts, const DevicePeaks& peaks,
                     const std::vector<std::vector<DispatchTime>>& runs) {
    assert(!runs.empty());
    Profile profile = begin_profile(plan, facts, peaks, runs.size());
    std::vector<double> spans;
    for (const std::vector<DispatchTime>& run : runs) {
        assert(run.size() == plan.dispatch_count());
        uint64_t end = 0;
        for (const DispatchTime& time : run) end = std::max(end, time.start_nanoseconds + time.nanoseconds);
        spans.push_back(static_cast<double>(end) / 1e3);
    }
    const std::vector<DispatchTime>& traced = runs[median_run(spans)];
    profile.span_us = summarise(spans).median;
    size_t index = 0;
    for (size_t step = 0; step < plan.steps.size(); ++step)
        for (const Dispatch& dispatch : plan.steps[step].dispatches) {
            ProfileRow row = row_of(dispatch, step, profile);
            std::vector<double> times;
            for (const auto& run : runs) times.push_back(static_cast<double>(run[index].nanoseconds) / 1e3);
            row.us = summarise(std::move(times)).median;
            row.start_us = static_cast<double>(traced[index].start_nanoseconds) / 1e3;
            row.traced_us = static_cast<double>(traced[index].nanoseconds) / 1e3;
            profile.sum_us += row.us;
            profile.rows.push_back(std::move(row));
            ++index;
        }
    return profile;
}

Profile make_profile(const Plan& plan, const DeviceFacts& facts, const DevicePeaks& peaks,
                     const std::vector<std::vector<uint64_t>>& runs) {
    assert(!runs.empty());
    Profile profile = begin_profile(plan, facts, peaks, runs.size());
    profile.wall_clock = true;
    std::vector<double> totals;
    for (const std::vector<uint64_t>& run : runs) {
        assert(run.size() == plan.steps.size());
        double total = 0;
        for (const uint64_t step : run) total += static_cast<double>(step);
        totals.push_back(total);
    }
    const std::vector<uint64_t>& traced = runs[median_run(totals)];
    double start_us = 0;
    for (size_t step = 0; step < plan.steps.size(); ++step) {
        std::vector<ProfileRow> parts;
        for (const Dispatch& dispatch : plan.steps[step].dispatches) parts.push_back(row_of(dispatch, step, profile));
        ProfileRow row = merge(parts, profile.fill);
        std::vector<double> times;
        for (const auto& run : runs) times.push_back(static_cast<double>(run[step]) / 1e3);
        row.us = summarise(std::move(times)).median;
        row.start_us = start_us;
        row.traced_us = static_cast<double>(traced[step]) / 1e3;
        start_us += row.traced_us;
        profile.sum_us += row.us;
        profile.rows.push_back(std::move(row));
    }
    return profile;
}

std::vector<FamilyTime> by_family(const Profile& profile) {
    std::map<std::string, FamilyTime> families;
    for (const ProfileRow& row : profile.rows) {
        FamilyTime& family = families[row.family];
        family.family = row.family;
        family.dispatches += row.dispatches;
        family.us += row.us;
    }
    std::vector<FamilyTime> sorted;
    for (auto& [name, family] : families) sorted.push_back(std::move(family));
    std::ranges::sort(sorted, std::greater(), &FamilyTime::us);
    return sorted;
}

}  // namespace vkseg::app
