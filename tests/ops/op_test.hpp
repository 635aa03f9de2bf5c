#pragma once

#include "graph/plan/plan.hpp"
#include "tests/ops/op_graph.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <functional>
#include <iosfwd>
#include <set>

// Parity of the kernels with the CPU reference. An operation's test file is a table of cases, each a small graph; here
// every case meets every driver, precision and kernel family.

namespace vkseg::test {

struct OpCase {
    /// Letters, digits and underscores.
    std::string name;
    /// The graph as a network would build it. The reference runs it as it is, the device a simplified one.
    std::function<Graph()> build;
    /// Nodes left when the graph is simplified; 0 when it does not matter. Proves that an epilogue became one.
    size_t simplified_nodes = 0;
    /// Inputs are small whole numbers, so that many scores are equal.
    bool ties = false;
    /// Passes to leave out of the simplification.
    std::set<std::string, std::less<>> disabled_passes{};
    /// Fusions that must not happen: without these, what is under test finds its operands and stores its result in the
    /// arena.
    std::set<std::string, std::less<>> disabled_fusions{"host_load", "host_store"};
};

/// How the kernels of a plan reach their memory.
enum class Family : uint8_t {
    /// Straight-line code on the texel view: CPU drivers with wide vectors.
    CpuShaped,
    /// Storage-buffer windows: every device.
    StorageBuffer,
    /// Device addresses: arenas that no window can show.
    DeviceAddress,
};

/// One case on one driver.
struct OpParam {
    OpCase test;
    const Driver* driver = nullptr;
    Precision precision = Precision::FP32;
    Arithmetic arithmetic = Arithmetic::FP32;
    Family family = Family::StorageBuffer;
};
void PrintTo(const OpParam& param, std::ostream* out);
[[nodiscard]] std::string param_name(const ::testing::TestParamInfo<OpParam>& info);

/// Every case on every driver in both precisions, those with convolutions in 16-bit arithmetic too, and in all families
/// that can take it. A plan uses device addresses only where a binding cannot show a tensor, so small tensors with
/// large weights have no such variant.
[[nodiscard]] ::testing::internal::ParamGenerator<OpParam> everywhere(const std::vector<OpCase>& cases);

/// `INSTANTIATE_TEST_SUITE_P(Pool2d, OpTest, everywhere(pool2d_cases()), param_name);`
class OpTest : public VulkanTest, public ::testing::WithParamInterface<OpParam> {
protected:
    OpTest() : VulkanTest(*GetParam().driver) {}
};

/// Facts of the same device, were its storage-buffer ranges so small that the plan of `graph` needs device addresses;
/// nothing when weights or host buffers would no longer fit either.
[[nodiscard]] std::optional<DeviceFacts> with_narrow_bindings(const Graph& graph, const DeviceFacts& facts,
                                                              Precision precision);

/// The choices that lead a plan to a family.
[[nodiscard]] Choices choices_for(Family family, Precision precision, Arithmetic arithmetic = Arithmetic::FP32);

}  // namespace vkseg::test
