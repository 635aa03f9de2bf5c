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

TEST(MemoryPlanner, BuffersThatAllLiveTogetherLieSideBySide) {
    const std::vector<BufferLifetime> buffers{{256, 0, 9}, {512, 3, 3}, {1024, 1, 5}, {256, 3, 9}};
    EXPECT_EQ(peak_live_bytes(buffers), 2048u);
    EXPECT_EQ(plan_memory(buffers, 256, 0).total_bytes, 2048u);
    EXPECT_EQ(plan_memory(buffers, 256, 256).total_bytes, 2304u);
}

TEST(MemoryPlanner, NestedLivesReachThePeak) {
    // A residual block: the input lives on while two buffers of the branch come and go.
    const std::vector<BufferLifetime> block{{1024, 0, 4}, {512, 1, 2}, {512, 2, 3}, {1024, 3, 4}, {1024, 4, 5}};
    EXPECT_EQ(peak_live_bytes(block), 3072u);
    EXPECT_EQ(plan_memory(block, 256, 0).total_bytes, 3072u);
}

TEST(MemoryPlanner, UsesOfOneStepAreTogetherAndThoseOfTheNextAreNot) {
    EXPECT_EQ(plan_memory({{256, 0, 1}, {256, 1, 2}}, 256, 0).total_bytes, 512u);
    EXPECT_EQ(plan_memory({{256, 0, 1}, {256, 2, 3}}, 256, 0).total_bytes, 256u);
}

TEST(MemoryPlanner, OffsetsAreAlignedWhateverTheSizes) {
    const MemoryPlacement placed = plan_memory({{1, 0, 0}, {2, 0, 0}, {3, 0, 0}}, 64, 100);
    for (uint64_t offset : placed.offset_bytes) {
        EXPECT_EQ(offset % 64, 0u);
        EXPECT_GE(offset, 128u);
    }
    EXPECT_EQ(placed.total_bytes, 128u + 2 * 64 + 1);
}

TEST(MemoryPlanner, BuffersAliveTogetherNeverOverlap) {
    std::mt19937 random(7);
    double planned = 0, needed = 0;
    for (int round = 0; round < 500; ++round) {
        const uint64_t alignment = uint64_t{1} << random() % 10, reserved = random() % 600;
        std::vector<BufferLifetime> buffers(random() % 40);
        for (BufferLifetime& buffer : buffers) {
            buffer.size_bytes = 1 + random() % 5000;
            buffer.first_use = static_cast<int>(random() % 30);
            buffer.last_use = buffer.first_use + static_cast<int>(random() % 8);
        }
        const MemoryPlacement placed = plan_memory(buffers, alignment, reserved);
        expect_sound(buffers, placed, alignment, reserved);
        EXPECT_GE(placed.total_bytes, peak_live_bytes(buffers));
        planned += static_cast<double>(plan_memory(buffers, 1, 0).total_bytes);
        needed += static_cast<double>(peak_live_bytes(buffers));
    }
    // Greedy, not ideal: a few percent above what nobody can go below.
    EXPECT_LE(planned, needed * 1.1);
}

}  // namespace
}  // namespace vkseg
