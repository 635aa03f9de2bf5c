#include "apps/common/statistics.hpp"

#include <algorithm>

namespace vkseg::app {

Summary summarise(std::vector<double> values) {
    if (values.empty()) return {};
    std::ranges::sort(values);
    const size_t count = values.size();
    const double median = (values[(count - 1) / 2] + values[count / 2]) / 2;
    return {values.front(), median, values[(count * 99 + 99) / 100 - 1]};
}

}  // namespace vkseg::app
