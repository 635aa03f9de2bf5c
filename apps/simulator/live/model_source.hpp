#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vkseg::sim {

/// Where the network comes from that segments the pictures.
struct ModelSource {
    std::string baked;    ///< what `vkseg bake` wrote
    std::string network;  ///< with `weights`: what they are for
    std::string weights;
    std::string config;
    uint32_t width = 0, height = 0;  ///< that the network sees; 0: its default
};

/// The baked network that is installed beside the program, where there is one. The one place that knows.
[[nodiscard]] std::optional<std::filesystem::path> default_model();

/// A baked network, for vkseg_model_load. Throws a sentence when nothing was named and nothing is installed: made-up
/// weights would colour pictures that mean nothing.
[[nodiscard]] std::vector<uint8_t> load_baked(const ModelSource& source);

}  // namespace vkseg::sim
