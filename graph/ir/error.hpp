#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace vkseg {

/// Wrong input or a machine that cannot do what was asked. The message is one sentence that names the
/// file, tensor or option, what was expected and what was found. A programmer's mistake asserts instead.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// `throw error("'{}' has {} channels, expected {}", name, found, expected);`
template <typename... Args>
[[nodiscard]] Error error(fmt::format_string<Args...> text, Args&&... args) {
    return Error(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace vkseg
