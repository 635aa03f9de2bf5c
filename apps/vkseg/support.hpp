#pragma once

#include "apps/vkseg/commands.hpp"
#include "runtime/api/baked_model.hpp"
#include "runtime/api/model_loader.hpp"
#include "runtime/api/runner.hpp"

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vkseg::app {

/// A model on the device that the options name: what every command that computes begins with.
struct Engine {
    std::unique_ptr<Context> context;  // null for the reference
    std::shared_ptr<const Model> model;
    std::unique_ptr<Runner> runner;
    /// Those of a baked network; none for others.
    ClassList classes;

    /// "llvmpipe (LLVM 15.0.6, 256 bits)", "CPU reference"
    [[nodiscard]] std::string device_name() const;
    [[nodiscard]] std::string driver_name() const;
    [[nodiscard]] const char* precision_name() const;
    [[nodiscard]] const char* arithmetic_name() const;
};

/// What NETWORK on the command line stands for: a network's name, or a baked file that holds one.
struct OpenedNetwork {
    std::shared_ptr<const Model> model;
    /// Empty but for a baked network.
    ClassList classes;
    Choices choices;
    /// Baked ones.
    std::vector<TunedChoices> tuned;
    /// That of the command line, else the baked one.
    PrecisionChoice precision = PrecisionChoice::Auto;
};

/// Null for the reference. `adjust` may change how a context is opened.
[[nodiscard]] std::unique_ptr<Context> open_context(const CommonOptions& options,
                                                    const std::function<void(ContextOptions&)>& adjust = {});
[[nodiscard]] OpenedNetwork open_network(const CommonOptions& options, const std::string& network, const Config& config,
                                         std::array<int, 2> size);
/// Throws `Error` when neither `--weights` nor a baked network is named.
void expect_trained(const CommonOptions& options, const std::string& network, const char* command);
/// Names the weights that come with the program when the options name none and the network has some.
void take_shipped_weights(CommonOptions& options, const std::string& network);
/// What the weights' maker wants known, and where other weights are; "" when there is nothing to say.
[[nodiscard]] std::string weights_notice(const Model& model);
/// `size` {0, 0} takes the network's default.
[[nodiscard]] Engine open_engine(const CommonOptions& options, const std::string& network, const Config& config,
                                 std::array<int, 2> size);
[[nodiscard]] std::shared_ptr<const Model> open_model(const CommonOptions& options, const std::string& network,
                                                      const Config& config, std::array<int, 2> size);

/// {width, height} of "1024x512"; {0, 0} for "".
[[nodiscard]] std::array<int, 2> parse_size(const std::string& text);
/// How the device is to run a network.
[[nodiscard]] RunnerOptions runner_options(const CommonOptions& options);
/// What `--upsample nearest|bilinear` says.
[[nodiscard]] bool wants_bilinear(const std::string& upsample);
[[nodiscard]] PrecisionChoice parse_precision(const std::string& text);
/// Nothing for "".
[[nodiscard]] std::optional<Arithmetic> parse_arithmetic(const std::string& text);
/// That of the options, else fp32.
[[nodiscard]] Arithmetic wanted_arithmetic(const CommonOptions& options);
[[nodiscard]] const char* name_of(Precision precision);
[[nodiscard]] const char* name_of(Arithmetic arithmetic);
/// `text` is a JSON object, or names a file with one.
[[nodiscard]] Config parse_config(const std::string& text);
/// A class set by name or from a JSON file. When `wanted` is empty: those that were baked, else by the number of
/// classes.
[[nodiscard]] ClassList choose_classes(const std::string& wanted, const Model& model, const ClassList& baked);

/// Writes JSON where `--json` says: standard output for "-", else the file.
void write_json(const nlohmann::json& value, const std::string& target);
/// A line on standard error that is no error.
void warn(const std::string& text);

}  // namespace vkseg::app
