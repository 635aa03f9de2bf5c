#pragma once

#include "apps/common/palette.hpp"
#include "apps/vkseg/commands.hpp"
#include "runtime/api/model_loader.hpp"
#include "runtime/api/runner.hpp"

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <memory>
#include <string>

namespace vkseg::app {

/// A model on the device that the options name: what every command that computes begins with.
struct Engine {
    std::unique_ptr<Context> context;  // null for the reference
    std::shared_ptr<const Model> model;
    std::unique_ptr<Runner> runner;

    /// "llvmpipe (LLVM 15.0.6, 256 bits)", "CPU reference"
    [[nodiscard]] std::string device_name() const;
    [[nodiscard]] std::string driver_name() const;
    [[nodiscard]] const char* precision_name() const;
};

[[nodiscard]] std::unique_ptr<Context> open_context(const CommonOptions& options);
/// `size` {0, 0} takes the network's default.
[[nodiscard]] Engine open_engine(const CommonOptions& options, const std::string& network, const Config& config,
                                 std::array<int, 2> size);
[[nodiscard]] std::shared_ptr<const Model> open_model(const CommonOptions& options, const std::string& network,
                                                      const Config& config, std::array<int, 2> size);

/// {width, height} of "1024x512"; {0, 0} for "".
[[nodiscard]] std::array<int, 2> parse_size(const std::string& text);
[[nodiscard]] PrecisionChoice parse_precision(const std::string& text);
/// `text` is a JSON object, or names a file with one.
[[nodiscard]] Config parse_config(const std::string& text);
[[nodiscard]] Config config_from_json(const nlohmann::json& object, const std::string& source);
/// A class set by name, from a JSON file, or by the number of classes when `wanted` is empty.
[[nodiscard]] ClassSet choose_classes(const std::string& wanted, const std::string& network, int classes);

/// Writes JSON where `--json` says: standard output for "-", else the file.
void write_json(const nlohmann::json& value, const std::string& target);
/// A line on standard error that is no error.
void warn(const std::string& text);

}  // namespace vkseg::app
