#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/image.hpp"
#include "apps/common/palette.hpp"

namespace vkseg::app {

struct LegendEntry {
    std::string name;
    Colour colour{};
    double share = 0;  ///< of the picture's pixels, 0..1
};

/// Pixels of each class in a picture of class indices; indices outside the set are not counted.
[[nodiscard]] std::vector<uint64_t> count_classes(std::span<const uint8_t> class_indices, size_t classes);

/// The classes that occur, largest first. Shares are of the sum of all counts.
[[nodiscard]] std::vector<LegendEntry> legend_entries(const ClassList& set, std::span<const uint64_t> pixel_counts);

/// "21.7%"; "<0.1%" rather than "0.0%" for something that is there.
[[nodiscard]] std::string share_text(double share);

/// The RGB picture with a panel below it that shows colour, name and share of every entry, so that nothing of the
/// picture is hidden. Text grows with the picture's width and columns fill it; a picture too narrow for one
/// column gets a margin on its right. Without entries the picture comes back as it is. `note` stands below
/// the entries, in as many lines as it needs.
[[nodiscard]] Image add_legend(const Image& picture, std::span<const LegendEntry> entries, std::string_view note = {});

}  // namespace vkseg::app
