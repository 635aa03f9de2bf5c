#include "graph/plan/memory_planner.hpp"

#include <gtest/gtest.h>

#include <random>

namespace vkseg {
namespace {

bool alive_together(const BufferLifetime& a, const BufferLifetime& b) {
    return a.first_use <= b.last_use && b.first_use <= a.last_use;
}

void expect_sound(const std::vector<BufferLifetime>& buffers, const MemoryPlacement& placed, uint64_t alignment,
                  uint64_t reserved) {
    for (size_t i = 0; i < buffers.size(); ++i) {
        EXPECT_EQ(placed.offset_bytes[i] % alignment, 0u);
        EXPECT_GE(placed.offset_bytes[i], reserved);
        EXPECT_LE(placed.offset_bytes[i] + buffers[i].size_bytes, placed.total_bytes);
        for (size_t j = 0; j < i; ++j) {
            if (!alive_together(buffers[i], buffers[j])) continue;
            EXPECT_TRUE(placed.offset_bytes[i] + buffers[i].size_bytes <= placed.offset_bytes[j] ||
                        placed.offset_bytes[j] + buffers[j].size_bytes <= placed.offset_bytes[i])
                << "buffers " << i << " and " << j << " overlap while both are alive";
        }
    }
}

TEST(MemoryPlanner, NothingNeedsOnlyTheReserve) {
    EXPECT_EQ(plan_memory({}, 256, 256).total_bytes, 256u);
    EXPECT_EQ(plan_memory({}, 256, 0).total_bytes, 0u);
}

TEST(MemoryPlanner, AChainReusesTwoBuffers) {
    const std::vector<BufferLifetime> chain{{1024, 0, 1}, {1024, 1, 2}, {1024, 2, 3}, {1024, 3, 4}};
    EXPECT_EQ(plan_memory(chain, 256, 0).total_bytes, 2048u);
    EXPECT_EQ(peak_live_bytes(chain), 2048u);
}

TEST(MemoryPlanner, SmallBuffersFillTheGapOfALargeOne) {
    // The large one dies before the two small ones are born.
    const std::vector<BufferLifetime> buffers{{4096, 0, 1}, {2048, 2, 3}, {2048, 2, 3}};
    EXPECT_EQ(plan_memory(buffers, 256, 0).total_bytes, 4096u);
}

TEST(MemoryPlanner, BuffersAliveTogetherNeverOverlap) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        std::vector<BufferLifetime> buffers(random() % 40);
        for (BufferLifetime& buffer : buffers) {
            buffer.size_bytes = 1 + random() % 5000;
            buffer.first_use = static_cast<int>(random() % 30);
            buffer.last_use = buffer.first_use + static_cast<int>(random() % 8);
        }
        const MemoryPlacement placed = plan_memory(buffers, 256, 256);
        expect_sound(buffers, placed, 256, 256);
        EXPECT_GE(placed.total_bytes, peak_live_bytes(buffers));
    }
}

}  // namespace
}  // namespace vkseg
