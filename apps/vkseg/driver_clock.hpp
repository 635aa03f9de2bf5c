#pragma once

#include "runtime/vk/tables.hpp"

namespace vkseg::app {

/// CPU time of the calling thread so far, in microseconds.
[[nodiscard]] double thread_cpu_us();

/// Tells apart what a frame costs in the driver and in our own code: the functions that a run calls, with a clock
/// around each. The table is a context's, and one driver's contexts share the clock.
class DriverClock {
public:
    /// For ContextOptions::intercept. Contexts of a second driver in one process are left as they are.
    static void install(vk::DeviceTable& table);
    /// CPU microseconds that the calling thread spent in the driver since the last `take`; negative when nothing is
    /// installed.
    static double take_us();
};

}  // namespace vkseg::app
