#include "graph/passes/passes.hpp"
#include "runtime/session.hpp"
#include "tests/ops/op_graph.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string_view>

// The CPU-shaped kernels are ordinary GLSL that one driver turns into straight-line vector code. What it makes of a
// small change (a lost unroll hint, weights in a storage buffer, a load inside a branch) is right and 5 to 30 times
// slower, which no parity test sees.

namespace vkseg::test {
namespace {

/// CPU time of all threads of this process: other processes on the machine do not enter it.
double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Keeps Mesa's own disk cache out of instances that are made meanwhile, so that compilation is seen.
class WithoutMesaCache {
public:
    WithoutMesaCache() {
        if (const char* before = std::getenv(name)) before_ = before;
        setenv(name, "true", 1);
    }
    ~WithoutMesaCache() {
        if (before_.empty())
            unsetenv(name);
        else
            setenv(name, before_.c_str(), 1);
    }
    WithoutMesaCache(const WithoutMesaCache&) = delete;
    WithoutMesaCache& operator=(const WithoutMesaCache&) = delete;

private:
    static constexpr const char* name = "MESA_SHADER_CACHE_DISABLE";
    std::string before_;
};

/// A 3x3 convolution of 25 to 28 channels, as ESPNet has them.
Graph conv_25_to_28(Axes size, Axes stride) {
    OpGraph net;
    Conv2d op{.kernel = {3, 3}, .stride = stride, .padding = pad_all(1, 1), .out_channels = 28};
    op.weight = net.weights({28, 25, 3, 3}, 25 * 9);
    op.bias = net.vector(28, -1.0f, 1.0f);
    return net.with_outputs({net.add(op, {net.input(25, size)})});
}

/// Stride 2 is computed directly, stride 1 by minimal filtering.
class CpuKernelSpeed : public testing::TestWithParam<int> {};

TEST_P(CpuKernelSpeed, ConvolutionIsStraightLineCode) {
#ifndef NDEBUG
    GTEST_SKIP() << "speed counts in release builds";
#endif
    const Driver& driver = drivers()[0];
    if (!driver.facts) GTEST_SKIP() << driver.absence;
    if (driver.facts->driver.find("llvmpipe") == std::string::npos) GTEST_SKIP() << driver.facts->driver;

    // A device of its own: nothing compiled yet, and no validation layer in the times.
    const WithoutMesaCache cold;
    ContextOptions options;
    options.device = driver.device;
    options.disk_cache = false;
    Context context(options);

    const int stride = GetParam();
    constexpr Axes size{64, 128};
    Graph graph = conv_25_to_28({size.h * stride, size.w * stride}, {stride, stride});
    simplify(graph);
    const auto plan = std::make_shared<const Plan>(compile(graph, context.facts()));
    ASSERT_TRUE(plan->uses_texel_view) << vkseg::to_string(*plan);
    Session session(context);

    const double start = cpu_seconds();
    session.set_plan(plan, [&] { return pack_weights(*plan, graph); });
    session.run();  // the driver compiles at the first dispatch
    const double first = cpu_seconds() - start;

    double best = std::numeric_limits<double>::max();
    for (int i = 0; i < 20; ++i) {
        const double before = cpu_seconds();
        session.run();
        best = std::min(best, cpu_seconds() - before);
    }
    // Both sides padded to whole planes: 7 input planes of 4 lanes and 7 output planes at 9 taps; or for two pixels 4
    // products of 3 lines.
    const double unrolled_macs = 7 * 4 * (stride == 1 ? 12 : 9) * 7 * 4;
    const double vector_macs = unrolled_macs * size.h * size.w / 8 / (stride == 1 ? 2 : 1);
    const double ns_per_mac = best * 1e9 / vector_macs;
    const double compile_ms_per_mac = (first - best) * 1e3 / unrolled_macs;
    RecordProperty("picoseconds_per_vector_mac", static_cast<int>(ns_per_mac * 1e3));
    RecordProperty("compile_microseconds_per_mac", static_cast<int>(compile_ms_per_mac * 1e3));

    // Measured with Mesa 22.3.6, import and export included: 0.8 ns; 1.2 with activations by address, 2.9 with weights
    // in a storage buffer, 8.7 without the unroll hint. A third of the speed still passes, for slow and busy machines.
    EXPECT_LT(ns_per_mac, 3.0) << "a multiply-add of 8 lanes takes " << ns_per_mac << " ns";
    // 0.25 ms; 12 with weights in a storage buffer, 19 with loads inside a branch.
    EXPECT_LT(compile_ms_per_mac, 2.0) << "compiling took " << (first - best) << " s";
}

INSTANTIATE_TEST_SUITE_P(Strides, CpuKernelSpeed, testing::Values(1, 2));

}  // namespace
}  // namespace vkseg::test
