#pragma once

#include "graph/plan/plan_cost.hpp"
#include "runtime/session.hpp"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <string>
#include <vector>

// What each dispatch of a plan took, beside what the device could have done.

namespace vkseg::app {

/// A dispatch, or a whole step where the driver has no timestamps.
struct ProfileRow {
    std::string label;
    /// "conv2d_f32_texel"; for a step of several kernels their names.
    std::string kernel;
    /// Kernel without its variant: "conv2d".
    std::string family;
    size_t step = 0;
    size_t dispatches = 1;
    uint64_t threads = 0;
    bool fills_device = true;
    /// Tensors and weights, each once.
    uint64_t bytes = 0;
    uint64_t macs = 0;
    /// Median over the profiled runs.
    double us = 0;
    /// In the run that a trace shows.
    double start_us = 0;
    double traced_us = 0;
    /// The least time at the measured peaks, launch left out.
    double floor_us = 0;
    bool memory_bound = false;

    [[nodiscard]] double gb_per_s() const { return us > 0 ? static_cast<double>(bytes) / us / 1e3 : 0; }
    [[nodiscard]] double gflops() const { return us > 0 ? 2.0 * static_cast<double>(macs) / us / 1e3 : 0; }
    /// Operations a byte: where it stands under the roof.
    [[nodiscard]] double intensity() const {
        return bytes > 0 ? 2.0 * static_cast<double>(macs) / static_cast<double>(bytes) : 0;
    }
    /// Share of what the roof allows at that intensity.
    [[nodiscard]] double attained() const { return us > 0 ? floor_us / us : 0; }
};

struct Profile {
    DevicePeaks peaks;
    DeviceFill fill;
    /// Steps on the wall instead of dispatches by timestamps.
    bool wall_clock = false;
    int runs = 0;
    std::vector<ProfileRow> rows;
    /// Sum of the rows.
    double sum_us = 0;
    /// From the first row's begin to the last one's end, median; 0 for steps on the wall.
    double span_us = 0;
    PlanFloor floor;
    size_t too_small = 0;

    [[nodiscard]] double share(const ProfileRow& row) const { return sum_us > 0 ? row.us / sum_us : 0; }
};

/// From the dispatches' times of some runs, each in the order of the plan.
[[nodiscard]] Profile make_profile(const Plan& plan, const DeviceFacts& facts, const DevicePeaks& peaks,
                                   const std::vector<std::vector<DispatchTime>>& runs);
/// From the steps' times on the wall, in nanoseconds.
[[nodiscard]] Profile make_profile(const Plan& plan, const DeviceFacts& facts, const DevicePeaks& peaks,
                                   const std::vector<std::vector<uint64_t>>& runs);

/// What the kernels of a family took together, the longest first.
struct FamilyTime {
    std::string family;
    size_t dispatches = 0;
    double us = 0;
};
[[nodiscard]] std::vector<FamilyTime> by_family(const Profile& profile);

/// A profile with what it is of.
struct TitledProfile {
    std::string title;
    const Profile* profile = nullptr;
};

[[nodiscard]] std::string to_text(const Profile& profile);
[[nodiscard]] std::string to_markdown(const Profile& profile);
[[nodiscard]] nlohmann::json to_json(const Profile& profile);
/// Chrome's trace events: each profile a process, dispatches that overlap on lines of their own.
[[nodiscard]] std::string to_trace(std::span<const TitledProfile> profiles);
/// One page that needs nothing else: bars and roofline of each profile. `about` are lines below the heading.
[[nodiscard]] std::string to_page(const std::string& heading, const std::vector<std::string>& about,
                                  std::span<const TitledProfile> profiles);

}  // namespace vkseg::app
