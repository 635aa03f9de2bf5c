#pragma once

#include "graph/ir/error.hpp"
#include "runtime/vk/tables.hpp"

#include <source_location>

namespace vkseg {

/// The device stopped answering (driver reset, time limit, unplugged). What was made on its context is useless; a new
/// context may work. The message names the last dispatch that had begun.
class DeviceLost : public Error {
public:
    using Error::Error;
};

/// Device or host memory ran out.
class OutOfMemory : public Error {
public:
    using Error::Error;
};

namespace vk {

[[nodiscard]] const char* to_string(VkResult result);

/// The one place where a VkResult becomes an exception. `what` says what was being done: "allocate 52 MB".
void check(VkResult result, std::string_view what, std::source_location where = std::source_location::current());

}  // namespace vk

}  // namespace vkseg
