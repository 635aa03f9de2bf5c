#pragma once

#include <vector>

namespace vkseg::app {

struct Summary {
    double min = 0;
    /// The mean of the two in the middle when their number is even.
    double median = 0;
    /// The least value that 99 of 100 do not exceed: the largest, below a hundred values.
    double p99 = 0;
};

/// Zeros for none.
[[nodiscard]] Summary summarise(std::vector<double> values);

}  // namespace vkseg::app
