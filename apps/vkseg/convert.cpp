#include "apps/vkseg/support.hpp"
#include "graph/ir/error.hpp"
#include "importer/importer.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace vkseg::app {

int run_convert(const ConvertOptions& options) {
    if (std::filesystem::path(options.to).extension() != ".safetensors")
        throw error("'{}': weights are written as .safetensors", options.to);
    const Weights weights = load_weights(options.from);
    for (const std::string& name : names_of_non_finite(weights))
        warn(fmt::format("'{}': tensor '{}' holds values that are not finite", options.from, name));
    save_safetensors(options.to, weights);
    fmt::print("{} tensors written to {}\n", weights.tensors.size(), options.to);
    return 0;
}

}  // namespace vkseg::app
