#include "apps/simulator/classes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vkseg::sim {

void ClassStatistics::add(const app::Image& labels) {
    std::array<uint64_t, 256> here{};
    for (const uint8_t label : labels.pixels) ++here[label];
    for (size_t i = 0; i < here.size(); ++i) {
        pixels_[i] += here[i];
        frames_with_[i] += here[i] >= 20 ? 1 : 0;
    }
    all_pixels_ += labels.pixels.size();
    ++frames_;
}

std::string ClassStatistics::table() const {
    std::string text = fmt::format("{:<14} {:>9} {:>9}\n", "class", "pixels", "frames");
    for (const SimulatedClass& each : classes) {
        const auto index = static_cast<size_t>(each.label);
        text += fmt::format(
            "{:<14} {:>8.3f}% {:>8.1f}%\n", each.name,
            100.0 * static_cast<double>(pixels_[index]) / static_cast<double>(std::max<uint64_t>(1, all_pixels_)),
            100.0 * static_cast<double>(frames_with_[index]) / static_cast<double>(std::max<uint64_t>(1, frames_)));
    }
    return text;
}

app::Image coloured(const app::Image& labels) {
    app::Image picture(labels.width, labels.height, 3);
    std::array<Colour, 256> colours{};
    for (const SimulatedClass& each : classes) colours[static_cast<size_t>(each.label)] = each.colour;
    for (size_t i = 0; i < labels.pixels.size(); ++i)
        std::copy_n(colours[labels.pixels[i]].begin(), 3, picture.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i));
    return picture;
}

}  // namespace vkseg::sim
