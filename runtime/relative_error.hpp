#pragma once

#include <cmath>
#include <span>

namespace vkseg {

/// L2 norm of the difference over that of `wanted`. Infinite where sizes differ, where something found is no number,
/// and for any difference from zeros alone.
[[nodiscard]] inline double relative_error(std::span<const float> found, std::span<const float> wanted) {
    if (found.size() != wanted.size()) return INFINITY;
    double errors = 0, squares = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
        const double difference = double{found[i]} - wanted[i];
        errors += std::isfinite(difference) ? difference * difference : INFINITY;
        squares += double{wanted[i]} * wanted[i];
    }
    return errors == 0 ? 0 : std::sqrt(errors / squares);
}

}  // namespace vkseg
