#include "apps/vkseg/profile.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

// Profiles as tables and as JSON.

namespace vkseg::app {

namespace {

std::string peaks_line(const Profile& profile) {
    return fmt::format(
        "{}: {:.1f} GB/s (copy; {:.1f} in a cache), {:.1f} GFLOP/s (multiply-adds in fp32), {:.1f} us a dispatch that "
        "does "
        "nothing",
        profile.peaks.source, profile.peaks.memory_gb_per_s, profile.peaks.cache_gb_per_s, profile.peaks.fp32_gflops,
        profile.peaks.launch_us);
}

std::string total_line(const Profile& profile) {
    std::string text = fmt::format("sum of the {} {:.1f} us, medians of {} runs",
                                   profile.wall_clock ? "steps" : "dispatches", profile.sum_us, profile.runs);
    if (!profile.wall_clock)
        text += fmt::format("; first begin to last end {:.1f} us (gaps {:+.1f} us)", profile.span_us,
                            profile.span_us - profile.sum_us);
    return text;
}

std::string floor_line(const Profile& profile) {
    return fmt::format("floor at these peaks {:.1f} us ({:.0f} % of the sum), launches included", profile.floor.us,
                       profile.sum_us > 0 ? 100 * profile.floor.us / profile.sum_us : 0);
}

std::string fill_line(const Profile& profile) {
    return fmt::format("{} dispatches are too small to fill the device ({})", profile.too_small,
                       to_string(profile.fill));
}

double percent(double part, double whole) {
    return whole > 0 ? 100 * part / whole : 0;
}

const char* unit_of(const Profile& profile) {
    return profile.wall_clock ? "step, on the wall" : "dispatch";
}

}  // namespace

std::string to_text(const Profile& profile) {
    std::string text = fmt::format("peaks {}\n", peaks_line(profile));
    text += fmt::format("{:>4} {:28} {:>9} {:>10} {:>6} {:>8} {:>7} {:>9} {:>7} {:>6}  layer\n", "step", "kernel",
                        "threads", "us", "share", "GB/s", "of peak", "GFLOP/s", "of peak", "roof");
    for (const ProfileRow& row : profile.rows)
        text += fmt::format("{:4} {:28} {:>8}{} {:10.1f} {:5.1f}% {:8.2f} {:6.0f}% {:9.1f} {:6.0f}% {:5.0f}%  {}\n",
                            row.step, row.kernel, row.threads, row.fills_device ? ' ' : '*', row.us,
                            100 * profile.share(row), row.gb_per_s(),
                            percent(row.gb_per_s(), profile.peaks.memory_gb_per_s), row.gflops(),
                            percent(row.gflops(), profile.peaks.fp32_gflops), 100 * row.attained(), row.label);
    text += fmt::format("{}\n{}\n", total_line(profile), floor_line(profile));
    for (const FamilyTime& family : by_family(profile))
        text += fmt::format("  {:24} {:4} dispatches {:10.1f} us {:5.1f}%\n", family.family, family.dispatches,
                            family.us, percent(family.us, profile.sum_us));
    text += fill_line(profile) + (profile.too_small > 0 ? ", marked * above\n" : "\n");
    return text;
}

std::string to_markdown(const Profile& profile) {
    std::string text = fmt::format("Peaks {}.\n\n", peaks_line(profile));
    text += fmt::format(
        "| {} | kernel | threads | us | share | GB/s | of peak | GFLOP/s | of peak | of roof |\n"
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        unit_of(profile));
    for (const ProfileRow& row : profile.rows) {
        std::string label = row.label;
        std::ranges::replace(label, '|', '/');
        text += fmt::format(
            "| {} | `{}` | {}{} | {:.1f} | {:.1f} % | {:.2f} | {:.0f} % | {:.1f} | {:.0f} % | {:.0f} % |\n", label,
            row.kernel, row.threads, row.fills_device ? "" : " \\*", row.us, 100 * profile.share(row), row.gb_per_s(),
            percent(row.gb_per_s(), profile.peaks.memory_gb_per_s), row.gflops(),
            percent(row.gflops(), profile.peaks.fp32_gflops), 100 * row.attained());
    }
    text += fmt::format("\nTotal: {}; {}. \\* {}.\n", total_line(profile), floor_line(profile), fill_line(profile));
    return text;
}

nlohmann::json to_json(const Profile& profile) {
    nlohmann::json rows = nlohmann::json::array(), families = nlohmann::json::array();
    for (const ProfileRow& row : profile.rows)
        rows.push_back({{"layer", row.label},
                        {"kernel", row.kernel},
                        {"family", row.family},
                        {"step", row.step},
                        {"dispatches", row.dispatches},
                        {"threads", row.threads},
                        {"fills_device", row.fills_device},
                        {"bytes", row.bytes},
                        {"macs", row.macs},
                        {"us", row.us},
                        {"start_us", row.start_us},
                        {"gb_per_s", row.gb_per_s()},
                        {"gflops", row.gflops()},
                        {"intensity", row.intensity()},
                        {"memory_share", row.gb_per_s() / profile.peaks.memory_gb_per_s},
                        {"arithmetic_share", row.gflops() / profile.peaks.fp32_gflops},
                        {"floor_us", row.floor_us},
                        {"memory_bound", row.memory_bound},
                        {"roof_share", row.attained()}});
    for (const FamilyTime& family : by_family(profile))
        families.push_back({{"family", family.family}, {"dispatches", family.dispatches}, {"us", family.us}});
    return {{"clock", profile.wall_clock ? "wall, per step" : "timestamps, per dispatch"},
            {"runs", profile.runs},
            {"peaks",
             {{"source", profile.peaks.source},
              {"memory_gb_per_s", profile.peaks.memory_gb_per_s},
              {"cache_gb_per_s", profile.peaks.cache_gb_per_s},
              {"fp32_gflops", profile.peaks.fp32_gflops},
              {"launch_us", profile.peaks.launch_us}}},
            {"sum_us", profile.sum_us},
            {"span_us", profile.wall_clock ? nlohmann::json() : nlohmann::json(profile.span_us)},
            {"floor_us", profile.floor.us},
            {"compute_units", profile.fill.compute_units},
            {"compute_units_assumed", profile.fill.assumed},
            {"threads_that_fill", profile.fill.threads()},
            {"too_small", profile.too_small},
            {"families", families},
            {"dispatches", rows}};
}

}  // namespace vkseg::app
