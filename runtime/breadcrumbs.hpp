#pragma once

#include "runtime/vk/buffer.hpp"

#include <cstdint>
#include <optional>

namespace vkseg {

class Context;

/// Marks each dispatch as it begins (see `BreadcrumbMode`): the vendor's markers where there are some; otherwise a
/// four-byte fill before each dispatch, without a barrier. A fill costs a CPU driver about a microsecond, but some GPUs
/// drain their pipelines for it; and a GPU may run it ahead of dispatches that have not begun.
class Breadcrumbs {
public:
    explicit Breadcrumbs(const Context& context);

    [[nodiscard]] bool enabled() const { return method_ != Method::Off; }
    /// Room for a plan of that many dispatches. Only grows; recordings made before it grew must not run any more.
    void reserve(size_t dispatch_count);
    /// Forgets the last run. No run may be under way.
    void clear() const;
    void record(VkCommandBuffer commands, uint32_t index) const;
    /// Index of the last dispatch that had begun when the device was lost.
    [[nodiscard]] std::optional<uint32_t> last() const;

private:
    enum class Method : uint8_t { Off, Fill, Marker, Checkpoint };

    const Context& context_;
    Method method_ = Method::Off;
    /// One word per dispatch: the device writes them in any order.
    vk::Buffer words_;
};

}  // namespace vkseg
