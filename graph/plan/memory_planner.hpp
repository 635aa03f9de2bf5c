#pragma once

#include <cstdint>
#include <vector>

namespace vkseg {

/// A buffer that must keep its bytes from step `first_use` to step `last_use`, both included.
struct BufferLifetime {
    uint64_t size_bytes = 0;
    int first_use = 0;
    int last_use = 0;
};

struct MemoryPlacement {
    std::vector<uint64_t> offset_bytes;
    /// End of the highest buffer.
    uint64_t total_bytes = 0;
};

/// Places buffers in one range so that those alive together never overlap: largest first, each at the lowest offset
/// that is free throughout its life. Offsets are multiples of `alignment_bytes` and at least `reserved_bytes`.
[[nodiscard]] MemoryPlacement plan_memory(const std::vector<BufferLifetime>& buffers, uint64_t alignment_bytes,
                                          uint64_t reserved_bytes);

/// Largest sum of buffers alive at one step: no placement can need less.
[[nodiscard]] uint64_t peak_live_bytes(const std::vector<BufferLifetime>& buffers);

}  // namespace vkseg
