#include "apps/vkseg/bench_report.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

// Reports of made-up times, whose every number is known.

namespace vkseg::app {
namespace {

using nlohmann::json;

Dispatch dispatch_of(const char* label, ShaderId shader, uint64_t bytes, uint64_t macs, uint32_t groups) {
    Dispatch dispatch;
    dispatch.shader = shader;
    dispatch.label = label;
    dispatch.specialization = {64, 1, 1};
    dispatch.group_count = {groups, 1, 1};
    dispatch.bytes_read = bytes;
    dispatch.macs = macs;
    return dispatch;
}

/// Three dispatches in two steps; the name of one would end a script.
Plan made_up_plan() {
    Plan plan;
    plan.steps = {{{dispatch_of("first</script>|", ShaderId::conv2d_f32_ssbo, 100'000, 4'000'000, 1000),
                    dispatch_of("second", ShaderId::conv2d_f16_bda, 100'000, 1'000'000, 1000)}},
                  {{dispatch_of("third", ShaderId::eltwise_f32_ssbo, 200'000, 0, 1)}}};
    return plan;
}

/// 10 GB/s: 10 us for 100 kB; 1000 GFLOP/s: 8 us for 4 million multiply-adds.
const DevicePeaks peaks{1000, 0, 10, 20, 1, "made up"};

DeviceFacts facts() {
    DeviceFacts facts;
    facts.type = DeviceType::Discrete;
    facts.compute_units = 4;
    return facts;
}

std::vector<DispatchTime> run_of(uint64_t first_ns, uint64_t second_ns, uint64_t third_ns) {
    return {{"", {}, first_ns, 0}, {"", {}, second_ns, first_ns / 2}, {"", {}, third_ns, first_ns / 2 + second_ns}};
}

Profile made_up_profile() {
    return make_profile(
        made_up_plan(), facts(), peaks,
        std::vector{run_of(40'000, 30'000, 20'000), run_of(50'000, 35'000, 90'000), run_of(20'000, 25'000, 25'000)});
}

BenchReport made_up_report() {
    BenchReport report;
    report.task = "scores";
    BenchResult result;
    result.network = "made-up";
    result.width = 64;
    result.height = 32;
    result.precision = "fp32";
    result.device = "a device";
    result.driver = "a driver";
    result.repeat = 2;
    result.gpu_ms = {2, 1};
    result.end_to_end_ms = {4, 3};
    result.memory = SessionMemory{1, 2, 3};
    result.profile = made_up_profile();
    report.results = {result};
    return report;
}

TEST(Profiles, HoldMediansAndWhatFollowsFromThem) {
    const Profile profile = made_up_profile();
    ASSERT_EQ(profile.rows.size(), 3u);
    const ProfileRow &first = profile.rows[0], &third = profile.rows[2];
    EXPECT_DOUBLE_EQ(first.us, 40);
    EXPECT_DOUBLE_EQ(first.gb_per_s(), 2.5);
    EXPECT_DOUBLE_EQ(first.gflops(), 200);
    EXPECT_DOUBLE_EQ(first.intensity(), 80);
    EXPECT_DOUBLE_EQ(first.floor_us, 10);
    EXPECT_DOUBLE_EQ(first.attained(), 0.25);
    EXPECT_TRUE(first.memory_bound);
    EXPECT_EQ(first.family, "conv2d");
    EXPECT_EQ(profile.rows[1].family, "conv2d");
    EXPECT_EQ(third.family, "eltwise");
    EXPECT_EQ(first.threads, 64'000u);
    EXPECT_TRUE(first.fills_device);
    EXPECT_FALSE(third.fills_device);
    EXPECT_EQ(profile.too_small, 1u);
    EXPECT_DOUBLE_EQ(third.floor_us, 20);
    EXPECT_DOUBLE_EQ(profile.floor.us, 10 + 10 + 20 + 3 * 1);
}

TEST(Profiles, SumsMatchTheTotal) {
    const Profile profile = made_up_profile();
    double rows = 0, shares = 0, families = 0;
    size_t dispatches = 0;
    for (const ProfileRow& row : profile.rows) {
        rows += row.us;
        shares += profile.share(row);
    }
    for (const FamilyTime& family : by_family(profile)) {
        families += family.us;
        dispatches += family.dispatches;
    }
    EXPECT_DOUBLE_EQ(profile.sum_us, 40 + 30 + 25);
    EXPECT_DOUBLE_EQ(rows, profile.sum_us);
    EXPECT_DOUBLE_EQ(families, profile.sum_us);
    EXPECT_DOUBLE_EQ(shares, 1);
    EXPECT_EQ(dispatches, 3u);
    EXPECT_EQ(by_family(profile).front().family, "conv2d");
    // 70, 150 and 60 us from the first begin to the last end.
    EXPECT_DOUBLE_EQ(profile.span_us, 70);
}

TEST(Profiles, OnTheWallAreOfSteps) {
    const std::vector<std::vector<uint64_t>> runs{{100'000, 50'000}, {300'000, 40'000}, {110'000, 60'000}};
    const Profile profile = make_profile(made_up_plan(), facts(), peaks, runs);
    ASSERT_EQ(profile.rows.size(), 2u);
    EXPECT_TRUE(profile.wall_clock);
    EXPECT_DOUBLE_EQ(profile.rows[0].us, 110);
    EXPECT_DOUBLE_EQ(profile.sum_us, 160);
    EXPECT_EQ(profile.rows[0].label, "first</script>| + second");
    EXPECT_EQ(profile.rows[0].dispatches, 2u);
    EXPECT_EQ(profile.rows[0].macs, 5'000'000u);
    EXPECT_EQ(profile.rows[0].threads, 128'000u);
    EXPECT_EQ(profile.rows[0].family, "conv2d");
    EXPECT_TRUE(to_json(profile).at("span_us").is_null());
    EXPECT_NE(to_text(profile).find("sum of the steps"), std::string::npos);
}

TEST(BenchReports, KeepTheirFields) {
    const json report = to_json(made_up_report());
    const json& result = report.at("results").at(0);
    EXPECT_EQ(result.at("network"), "made-up");
    EXPECT_EQ(result.at("size"), json({64, 32}));
    EXPECT_EQ(result.at("precision"), "fp32");
    EXPECT_EQ(result.at("device"), "a device");
    EXPECT_EQ(result.at("driver"), "a driver");
    EXPECT_EQ(result.at("gpu_ms"), json({{"min", 1.0}, {"median", 1.5}, {"p99", 2.0}}));
    EXPECT_EQ(result.at("end_to_end_ms"), json({{"min", 3.0}, {"median", 3.5}, {"p99", 4.0}}));
    double sum = 0;
    for (const json& row : result.at("profile").at("dispatches")) sum += row.at("us").get<double>();
    EXPECT_DOUBLE_EQ(sum, result.at("profile").at("sum_us").get<double>());
}

TEST(BenchReports, WithoutTimestampsHaveNoGpuTime) {
    BenchReport report = made_up_report();
    report.results[0].gpu_ms.clear();
    EXPECT_TRUE(to_json(report).at("results").at(0).at("gpu_ms").is_null());
    EXPECT_NE(to_text(report).find("no timestamps"), std::string::npos);
}

TEST(BenchReports, SayWhatIsInside) {
    for (const std::string& text :
         {to_text(made_up_report()), to_markdown(made_up_report()), to_page(made_up_report())})
        for (const std::string& note : made_up_report().notes()) EXPECT_NE(text.find(note), std::string::npos) << note;
}

TEST(BenchReports, MarkdownTablesAreEven) {
    const std::string text = to_markdown(made_up_report());
    std::vector<size_t> columns;
    size_t rows = 0;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        const auto count = static_cast<size_t>(std::ranges::count(line, '|'));
        if (!line.starts_with('|')) {
            columns.clear();
            continue;
        }
        columns.push_back(count);
        EXPECT_EQ(count, columns.front()) << line;
        ++rows;
    }
    EXPECT_EQ(rows, 3u + 5u);
}

TEST(Traces, ParseAndDoNotOverlapOnALine) {
    const BenchReport report = made_up_report();
    const json trace = json::parse(to_trace(report));
    std::map<int, double> end_of_line;
    double total = 0;
    size_t events = 0;
    for (const json& event : trace.at("traceEvents")) {
        if (event.at("ph") == "M") {
            EXPECT_EQ(event.at("args").at("name"), report.results[0].title());
            continue;
        }
        ASSERT_EQ(event.at("ph"), "X");
        double& end = end_of_line[event.at("tid").get<int>()];
        EXPECT_GE(event.at("ts").get<double>(), end);
        end = event.at("ts").get<double>() + event.at("dur").get<double>();
        total += event.at("dur").get<double>();
        ++events;
    }
    EXPECT_EQ(events, 3u);
    EXPECT_EQ(end_of_line.size(), 2u) << "the first two overlap";
    EXPECT_DOUBLE_EQ(total, 90) << "the dispatches of the run of the median";
}

TEST(Pages, FetchNothingAndHoldTheProfile) {
    const BenchReport report = made_up_report();
    const std::string page = to_page(report);
    for (const char* outside :
         {"http:", "https:", "//cdn", "src=", "@import", "url(", "<link", "fetch(", "XMLHttpRequest"})
        EXPECT_EQ(page.find(outside), std::string::npos) << outside;
    // What was put in the script's place is the profile, and no layer's name ends the script.
    const std::string before = "const data = ";
    const size_t start = page.find(before) + before.size();
    const json data = json::parse(page.substr(start, page.find(";\n", start) - start));
    EXPECT_EQ(data.at("profiles").at(0).at("title"), report.results[0].title());
    EXPECT_EQ(data.at("profiles").at(0).at("dispatches").at(0).at("layer"), "first</script>|");
    size_t ends = 0;
    for (size_t at = 0; (at = page.find("</script>", at)) != std::string::npos; ++at) ++ends;
    EXPECT_EQ(ends, 1u);
}

}  // namespace
}  // namespace vkseg::app
