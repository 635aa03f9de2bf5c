#include "apps/common/npy.hpp"
#include "apps/vkseg/support.hpp"
#include "graph/ir/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vkseg::app {

int run_run(const RunOptions& options) {
    Tensor input = read_npy(options.input);
    // NCHW with a batch of one, or CHW.
    const bool batched = input.shape.size() == 4;
    if (batched && input.shape[0] == 1) input.shape.erase(input.shape.begin());
    if (input.shape.size() != 3 || input.shape[0] != 3 || input.shape[1] < 1 || input.shape[2] < 1 ||
        input.shape[1] > 32767 || input.shape[2] > 32767)
        throw error(
            "'{}' is {}, expected 1x3xHxW or 3xHxW with sides of 1 to 32767 (batches above 1 are not supported)",
            options.input, to_string(input.shape));
    const auto width = static_cast<int>(input.shape[2]), height = static_cast<int>(input.shape[1]);
    if (const auto wanted = parse_size(options.common.size);
        wanted[0] != 0 && (wanted[0] != width || wanted[1] != height))
        throw error("'{}' is {}x{} pixels, but --size says {}", options.input, width, height, options.common.size);
    if (std::any_of(input.data.begin(), input.data.end(), [](float v) { return !std::isfinite(v); }))
        warn(fmt::format("'{}' holds values that are not finite", options.input));
    Engine engine = open_engine(options.common, options.network, parse_config(options.common.config), {width, height});
    Tensor output = engine.runner->scores(input);
    if (batched) output.shape.insert(output.shape.begin(), 1);
    write_npy(options.output, output.shape, output.data);
    return 0;
}

}  // namespace vkseg::app
