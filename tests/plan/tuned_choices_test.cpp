#include "graph/plan/tuned_choices.hpp"

#include "graph/ir/error.hpp"
#include "graph/passes/passes.hpp"
#include "models/network.hpp"

#include <gtest/gtest.h>

// Tuned choices as text, and whom they are for.

namespace vkseg {
namespace {

Graph small_network(const Config& config = {}, int width = 64, int height = 32) {
    Graph graph = build_network("espnet", config, width, height).graph;
    simplify(graph);
    return graph;
}

TunedChoices example() {
    TunedChoices tuned = tuned_choices_for(small_network(), "espnet", paper_device("nvidia-discrete"), "1.2.3");
    tuned.untuned_us = 1234.5;
    tuned.tuned_us = 1000.0;
    tuned.choices.precision = Precision::FP16;
    tuned.choices.arithmetic = Arithmetic::FP16;
    tuned.choices.denied_families = {"cpu_shaped"};
    tuned.choices.disabled_fusions = {"esp_pyramid"};
    LayerChoice tiling;
    tiling.planes = 4;
    tiling.pixels = 2;
    LayerChoice separate;
    separate.separate = separate.addresses = true;
    LayerChoice chunked;
    chunked.unrolled_macs = 3600;
    chunked.direct = true;
    LayerChoice exact;
    exact.fp32_arithmetic = true;
    tuned.choices.layers = {{"level1.conv", tiling},
                            {"encoder.level3.4 [esp_pyramid]", separate},
                            {"odd: name = x", chunked},
                            {"encoder [norm_load]", exact}};
    return tuned;
}

std::string refusal(const std::string& text) {
    try {
        (void)parse_tuned_choices(text);
    } catch (const Error& reason) {
        return reason.what();
    }
    return "";
}

/// The text with one part replaced and a checksum that is right again.
std::string altered(std::string_view from, std::string_view to) {
    std::string text = to_string(example());
    const size_t at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    text.replace(at, from.size(), to);
    text.erase(text.rfind("checksum "));
    uint64_t sum = 14695981039346656037ull;
    for (const char c : text) sum = (sum ^ static_cast<uint8_t>(c)) * 1099511628211ull;
    return text + fmt::format("checksum {:016x}\n", sum);
}

TEST(TunedChoices, ComeBackFromText) {
    const TunedChoices tuned = example();
    EXPECT_EQ(parse_tuned_choices(to_string(tuned)), tuned) << to_string(tuned);
    TunedChoices plain = tuned;
    plain.choices = {};
    EXPECT_EQ(parse_tuned_choices(to_string(plain)), plain);
    EXPECT_EQ(parse_tuned_choices(altered("planes=4", "planes=4")), tuned);
    // As files were before there was a choice.
    TunedChoices older = tuned;
    older.choices.arithmetic = Arithmetic::FP32;
    EXPECT_EQ(parse_tuned_choices(altered("arithmetic fp16\n", "")), older);
}

TEST(TunedChoices, DamageIsFoundWhereverItIs) {
    const std::string text = to_string(example());
    for (size_t length = 0; length < text.size(); ++length) EXPECT_NE(refusal(text.substr(0, length)), "") << length;
    for (size_t at = 0; at < text.size(); ++at) {
        std::string bad = text;
        bad[at] = static_cast<char>(bad[at] ^ 4);
        EXPECT_NE(refusal(bad), "") << at;
    }
    EXPECT_EQ(refusal("something else"),
              "expected tuned choices that begin with 'vkseg tuned choices 1', found something else");
}

TEST(TunedChoices, WhatIsUnknownIsNamed) {
    EXPECT_EQ(refusal(altered("planes=4", "plains=4")), "there is no choice 'plains=4' for a layer");
    EXPECT_EQ(refusal(altered("planes=4", "planes=17")), "expected planes from 1 to 16, found '17'");
    EXPECT_EQ(refusal(altered("planes=4", "planes=0")), "expected planes from 1 to 16, found '0'");
    EXPECT_EQ(refusal(altered("planes=4", "planes=4x")), "expected planes from 1 to 16, found '4x'");
    EXPECT_EQ(refusal(altered("deny cpu_shaped", "deny anything")), "there is no kernel family 'anything' to deny");
    EXPECT_NE(refusal(altered("disable esp_pyramid", "disable nothing")).find("there is no fusion 'nothing'"),
              std::string::npos);
    EXPECT_EQ(refusal(altered("precision fp16", "precision fp8")), "expected precision fp32 or fp16, found 'fp8'");
    EXPECT_EQ(refusal(altered("arithmetic fp16", "arithmetic fp8")), "expected arithmetic fp32 or fp16, found 'fp8'");
    EXPECT_EQ(refusal(altered("precision fp16", "precision fp32")),
              "expected precision fp16 where arithmetic is fp16, found fp32");
    EXPECT_EQ(refusal(altered("deny cpu_shaped", "wish speed")), "there is no line 'wish' in tuned choices");
}

TEST(TunedChoices, HoldForOneDeviceDriverVersionAndGraph) {
    const TunedChoices tuned = example();
    const Graph graph = small_network();
    const DeviceFacts& facts = paper_device("nvidia-discrete");
    EXPECT_EQ(misfit(tuned, graph, facts, "1.2.3"), "");
    // The size is not part of it.
    EXPECT_EQ(misfit(tuned, small_network({}, 128, 96), facts, "1.2.3"), "");
    EXPECT_EQ(misfit(tuned, graph, facts, "1.2.4"), "they were measured with vkseg 1.2.3, and this is 1.2.4");
    EXPECT_NE(misfit(tuned, graph, paper_device("amd-rdna2"), "1.2.3").find("they were measured on '"),
              std::string::npos);
    DeviceFacts newer = facts;
    newer.driver = "another driver 2.0";
    EXPECT_NE(misfit(tuned, graph, newer, "1.2.3").find("and this is 'another driver 2.0'"), std::string::npos);
    newer = facts;
    newer.driver_version += 1;
    EXPECT_NE(misfit(tuned, graph, newer, "1.2.3").find("they were measured with driver"), std::string::npos);
    EXPECT_NE(misfit(tuned, small_network({{"classes", 7.0}}), facts, "1.2.3").find("for another graph"),
              std::string::npos);
    EXPECT_NE(misfit_of_graph(tuned, small_network({{"alpha3", 4.0}})), "");
}

TEST(TunedChoices, MergeLeavesSwitchesOn) {
    Choices choices;
    choices.disabled_fusions = {"score_head"};
    choices.in_place = false;
    choices.merge_tuned(example().choices);
    EXPECT_EQ(choices.disabled_fusions, (std::set<std::string, std::less<>>{"score_head", "esp_pyramid"}));
    EXPECT_FALSE(choices.in_place);
    EXPECT_EQ(choices.arithmetic, Arithmetic::FP16);
    EXPECT_EQ(choices.layers, example().choices.layers);
}

}  // namespace
}  // namespace vkseg
