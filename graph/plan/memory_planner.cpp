#include "graph/plan/memory_planner.hpp"

#include <algorithm>
#include <numeric>

namespace vkseg {

namespace {

bool alive_together(const BufferLifetime& a, const BufferLifetime& b) {
    return a.first_use <= b.last_use && b.first_use <= a.last_use;
}

uint64_t round_up(uint64_t value, uint64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

MemoryPlacement plan_memory(const std::vector<BufferLifetime>& buffers, uint64_t alignment_bytes,
                            uint64_t reserved_bytes) {
    MemoryPlacement placement;
    placement.offset_bytes.resize(buffers.size());
    placement.total_bytes = reserved_bytes;
    const uint64_t start = round_up(reserved_bytes, alignment_bytes);

    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return buffers[a].size_bytes > buffers[b].size_bytes; });

    std::vector<size_t> placed;  // by offset
    for (size_t index : order) {
        uint64_t offset = start;
        for (size_t other : placed) {
            if (!alive_together(buffers[index], buffers[other])) continue;
            if (offset + buffers[index].size_bytes <= placement.offset_bytes[other]) break;
            offset =
                std::max(offset, round_up(placement.offset_bytes[other] + buffers[other].size_bytes, alignment_bytes));
        }
        placement.offset_bytes[index] = offset;
        placement.total_bytes = std::max(placement.total_bytes, offset + buffers[index].size_bytes);
        placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                       [&](uint64_t at, size_t p) { return at < placement.offset_bytes[p]; }),
                      index);
    }
    return placement;
}

uint64_t peak_live_bytes(const std::vector<BufferLifetime>& buffers) {
    uint64_t peak = 0;
    for (const BufferLifetime& at : buffers) {
        uint64_t live = 0;
        for (const BufferLifetime& other : buffers)
            if (other.first_use <= at.first_use && at.first_use <= other.last_use) live += other.size_bytes;
        peak = std::max(peak, live);
    }
    return peak;
}

}  // namespace vkseg
