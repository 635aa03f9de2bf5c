#include "apps/vkseg/profile.hpp"

#include <nlohmann/json.hpp>

namespace vkseg::app {

namespace {

/// Lines without overlaps: an event goes to the first line that is free when it begins.
class Lines {
public:
    size_t place(double start, double end) {
        for (size_t line = 0; line < free_from_.size(); ++line)
            if (free_from_[line] <= start) {
                free_from_[line] = end;
                return line;
            }
        free_from_.push_back(end);
        return free_from_.size() - 1;
    }

private:
    std::vector<double> free_from_;
};

}  // namespace

std::string to_trace(std::span<const TitledProfile> profiles) {
    nlohmann::json events = nlohmann::json::array();
    for (size_t process = 0; process < profiles.size(); ++process) {
        const Profile& profile = *profiles[process].profile;
        events.push_back(
            {{"ph", "M"}, {"name", "process_name"}, {"pid", process}, {"args", {{"name", profiles[process].title}}}});
        Lines lines;
        for (const ProfileRow& row : profile.rows)
            events.push_back({{"ph", "X"},
                              {"name", row.label},
                              {"cat", row.family},
                              {"pid", process},
                              {"tid", lines.place(row.start_us, row.start_us + row.traced_us)},
                              {"ts", row.start_us},
                              {"dur", row.traced_us},
                              {"args",
                               {{"kernel", row.kernel},
                                {"step", row.step},
                                {"threads", row.threads},
                                {"bytes", row.bytes},
                                {"macs", row.macs},
                                {"GB/s", row.gb_per_s()},
                                {"GFLOP/s", row.gflops()},
                                {"roof share", row.attained()}}}});
    }
    const nlohmann::json trace{{"displayTimeUnit", "ms"}, {"traceEvents", events}};
    return trace.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace vkseg::app
