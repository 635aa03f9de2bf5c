#pragma once

#include "graph/ir/config.hpp"

#include <string>

namespace vkseg {

/// A network's configuration from a JSON object. Throws `Error`, "<source>: ..." and one sentence.
[[nodiscard]] Config config_from_json(const std::string& json, const std::string& source);

}  // namespace vkseg
