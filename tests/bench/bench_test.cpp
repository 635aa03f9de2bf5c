#include "apps/vkseg/commands.hpp"
#include "apps/vkseg/driver_clock.hpp"
#include "graph/ir/error.hpp"
#include "tests/runtime/environment.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

// `vkseg bench` from options to files, on every device, with networks small enough for the slowest.

namespace vkseg::app {
namespace {

using nlohmann::json;

json read_json(const std::filesystem::path& path) {
    std::ifstream file(path);
    return json::parse(file);
}

BenchOptions small_bench(const std::string& device) {
    BenchOptions options;
    options.common.device = device;
    options.common.size = "64x32";
    options.networks = {"espnet"};
    options.repeat = 2;
    options.warm_up = 0;
    return options;
}

void expect_summary(const json& summary) {
    EXPECT_GT(summary.at("min").get<double>(), 0);
    EXPECT_LE(summary.at("min").get<double>(), summary.at("median").get<double>());
    EXPECT_LE(summary.at("median").get<double>(), summary.at("p99").get<double>());
}

class Bench : public test::EachDriver {
protected:
    test::ScopedFolder folder_;
};

TEST_P(Bench, MeasuresPrecisionsAndFusionsInTurn) {
    BenchOptions options = small_bench(driver().device);
    options.common.precision = "fp32,fp16";
    // SwiftShader compiles for seconds.
    const bool both = driver().name != "swiftshader";
    options.without_fusions = both;
    options.common.json = folder_.path() / "report.json";
    ASSERT_EQ(run_bench(options), 0);
    const json report = read_json(options.common.json);
    const json& results = report.at("results");
    const size_t half = both ? 2 : 1;
    ASSERT_EQ(results.size(), 2 * half);
    for (size_t i = 0; i < results.size(); ++i) {
        const json& result = results[i];
        EXPECT_EQ(result.at("precision"), i < half ? "fp32" : "fp16");
        EXPECT_EQ(result.at("fusions"), i % half == 0);
        expect_summary(result.at("end_to_end_ms"));
        if (context().facts().timestamps) {
            expect_summary(result.at("gpu_ms"));
            EXPECT_LE(result.at("gpu_ms").at("min"), result.at("end_to_end_ms").at("p99"));
        }
        EXPECT_GT(result.at("start_up_ms").at("total").get<double>(), 0);
        EXPECT_GT(result.at("start_up_ms").at("pipelines").get<double>(), 0);
        EXPECT_GT(result.at("memory_bytes").at("activations").get<uint64_t>(), 0u);
        expect_summary(result.at("record_cpu_us"));
        expect_summary(result.at("frame_cpu_us"));
        EXPECT_LT(result.at("frame_cpu_us").at("min").get<double>(), 5000);
    }
    EXPECT_TRUE(results[0].at("difference").is_null());
    if (both) {
        EXPECT_LT(results[1].at("difference").get<double>(), 1e-5);
    }
    EXPECT_LT(results[half].at("difference").get<double>(), 5e-3);
    EXPECT_GT(results[half].at("difference").get<double>(), 0) << "halves cannot give the same";
}

TEST_P(Bench, ProfilesEveryDispatchOfTheLabels) {
    BenchOptions options = small_bench(driver().device);
    options.task = "labels";
    options.common.json = folder_.path() / "report.json";
    options.trace = folder_.path() / "trace.json";
    options.html = folder_.path() / "page.html";
    options.markdown = folder_.path() / "report.md";
    ASSERT_EQ(run_bench(options), 0);
    const json result = read_json(options.common.json).at("results").at(0);
    const json& profile = result.at("profile");
    EXPECT_GT(profile.at("peaks").at("fp32_gflops").get<double>(), 0);
    double sum = 0;
    uint64_t macs = 0;
    for (const json& row : profile.at("dispatches")) {
        sum += row.at("us").get<double>();
        macs += row.at("macs").get<uint64_t>();
        EXPECT_GT(row.at("threads").get<uint64_t>(), 0u);
    }
    EXPECT_NEAR(sum, profile.at("sum_us").get<double>(), 1e-6 * sum);
    EXPECT_GT(macs, 0u);
    size_t events = 0;
    const json trace = read_json(options.trace);
    for (const json& event : trace.at("traceEvents")) events += event.at("ph") == "X" ? 1 : 0;
    EXPECT_EQ(events, profile.at("dispatches").size());
    EXPECT_GT(std::filesystem::file_size(options.html), 10'000u);
    EXPECT_GT(std::filesystem::file_size(options.markdown), 1'000u);
}

INSTANTIATE_TEST_SUITE_P(, Bench, test::each_driver(), test::driver_name);

void expect_refusal(const BenchOptions& options, const std::string& part) {
    try {
        (void)run_bench(options);
        FAIL() << "expected: " << part;
    } catch (const Error& reason) {
        EXPECT_NE(std::string(reason.what()).find(part), std::string::npos) << reason.what();
    }
}

TEST(BenchOptionsThatMakeNoSense, AreRefused) {
    BenchOptions options = small_bench("reference");
    options.repeat = 0;
    expect_refusal(options, "--repeat 0");
    options = small_bench("reference");
    options.warm_up = -1;
    expect_refusal(options, "--warm-up -1");
    options = small_bench("reference");
    options.task = "poetry";
    expect_refusal(options, "--task 'poetry': expected scores or labels");
    options = small_bench("reference");
    options.common.precision = "fp32,fp8";
    expect_refusal(options, "fp8");
    options = small_bench("reference");
    options.html = "page.html";
    expect_refusal(options, "the reference has no dispatches");
    options = small_bench("reference");
    options.common.json = options.markdown = "-";
    expect_refusal(options, "standard output");
}

TEST(DriverClocks, CountOnlyThisThreadsCpu) {
    const double before = thread_cpu_us();
    volatile double x = 1;
    for (int i = 0; i < 200'000; ++i) x = x * 1.0000001;
    EXPECT_GT(thread_cpu_us(), before);
}

}  // namespace
}  // namespace vkseg::app
