#pragma once

#include <chrono>

namespace vkseg::app {

/// Milliseconds on the wall since it was made.
class WallClock {
public:
    [[nodiscard]] double ms() const {
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace vkseg::app
