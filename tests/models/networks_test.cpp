#include "graph/ir/error.hpp"
#include "models/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

// What each network is: parameters as published, multiply-adds within a part in a thousand, and sentences for what
// cannot be.

namespace vkseg {
namespace {

struct Expected {
    const char* network;
    Config config;
    int width, height;
    uint64_t parameters;
    double giga_macs;  // 0: not published
};

class Counts : public testing::TestWithParam<Expected> {};

TEST_P(Counts, AreThePublishedOnes) {
    const Expected& expected = GetParam();
    const BuiltNetwork built = build_network(expected.network, expected.config, expected.width, expected.height);
    EXPECT_EQ(built.parameters, expected.parameters);
    if (expected.giga_macs > 0) {
        EXPECT_NEAR(static_cast<double>(count_macs(built.graph)) / 1e9, expected.giga_macs, expected.giga_macs * 1e-3);
    }
}

Config depth(double alpha3) {
    return {{"alpha2", 2.0}, {"alpha3", alpha3}};
}
Config branches(double k) {
    return {{"alpha2", 2.0}, {"alpha3", 3.0}, {"k", k}};
}

INSTANTIATE_TEST_SUITE_P(EspNet, Counts,
                         testing::Values(Expected{"espnet", depth(3), 1024, 512, 202649, 3.399},
                                         Expected{"espnet", depth(5), 1024, 512, 267417, 3.923},
                                         Expected{"espnet", depth(8), 1024, 512, 364569, 4.709},
                                         Expected{"espnet-c", depth(3), 1024, 512, 187529, 2.159},
                                         Expected{"espnet-c", depth(5), 1024, 512, 252297, 2.684},
                                         Expected{"espnet-c", depth(8), 1024, 512, 349449, 3.470},
                                         Expected{"espnet-b", branches(5), 512, 256, 186464, 0},
                                         Expected{"espnet-a", branches(2), 512, 256, 425504, 0},
                                         Expected{"espnet-a", branches(4), 512, 256, 215328, 0},
                                         Expected{"espnet-a", branches(5), 512, 256, 168352, 0},
                                         Expected{"espnet-a", branches(6), 512, 256, 142080, 0},
                                         Expected{"espnet-a", branches(7), 512, 256, 123376, 0},
                                         Expected{"espnet-a", branches(8), 512, 256, 110240, 0}));
INSTANTIATE_TEST_SUITE_P(Factorised, Counts,
                         testing::Values(Expected{"erfnet", {}, 1024, 512, 2066836, 26.61},
                                         Expected{"esnet", {}, 1024, 512, 1661716, 24.06}));

Config scale(double s) {
    return {{"s", s}};
}
Config psp(double s) {
    return {{"s", s}, {"decoder", std::string("psp")}};
}

INSTANTIATE_TEST_SUITE_P(EspNetV2Classifier, Counts,
                         testing::Values(Expected{"espnetv2-cls", scale(0.5), 224, 224, 1241332, 0.0294},
                                         Expected{"espnetv2-cls", scale(1), 224, 224, 1670072, 0.0867},
                                         Expected{"espnetv2-cls", scale(1.25), 224, 224, 1965440, 0.1244},
                                         Expected{"espnetv2-cls", scale(1.5), 224, 224, 2314856, 0.1696},
                                         Expected{"espnetv2-cls", scale(2), 224, 224, 3498136, 0.2861}));
INSTANTIATE_TEST_SUITE_P(EspNetV2, Counts,
                         testing::Values(Expected{"espnetv2", scale(0.5), 1024, 512, 80342, 0.596248},
                                         Expected{"espnetv2", scale(1), 1024, 512, 234010, 1.085284},
                                         Expected{"espnetv2", scale(1.5), 1024, 512, 468362, 1.713},
                                         Expected{"espnetv2", scale(2), 1024, 512, 789242, 2.698},
                                         Expected{"espnetv2", psp(0.5), 1024, 512, 99418, 0.564},
                                         Expected{"espnetv2", psp(1), 1024, 512, 340782, 1.689},
                                         Expected{"espnetv2", psp(1.5), 1024, 512, 725166, 3.361},
                                         Expected{"espnetv2", psp(2), 1024, 512, 1253038, 5.671}));
INSTANTIATE_TEST_SUITE_P(LpsNet, Counts,
                         testing::Values(Expected{"lpsnet-s", {}, 2048, 1024, 3371075, 10.42},
                                         Expected{"lpsnet-m", {}, 2048, 1024, 3371075, 17.72},
                                         Expected{"lpsnet-l", {}, 2048, 1024, 9152291, 43.81}));

TEST(Networks, VnetMeetsThePapersParameters) {
    const uint64_t parameters = build_network("vnet", {}, 2048, 1024).parameters;
    EXPECT_GE(parameters, 155000u);
    EXPECT_LE(parameters, 180000u);
}

std::string refusal(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& reason) {
        return reason.what();
    }
    return "nothing was refused";
}

void expect_refusal(const std::function<void()>& action, std::initializer_list<const char*> words) {
    const std::string sentence = refusal(action);
    for (const char* word : words) EXPECT_NE(sentence.find(word), std::string::npos) << sentence;
}

TEST(Networks, AnUnknownNameListsThoseThatAre) {
    expect_refusal([] { (void)network("espnet-z"); }, {"espnet-z", "espnet-c"});
}

TEST(Networks, BadConfigurationIsRefusedByKey) {
    expect_refusal([] { (void)build_network("espnet", {{"alfa3", 3.0}}, 64, 64); }, {"alfa3", "alpha3"});
    expect_refusal([] { (void)build_network("espnet", {{"classes", 0.0}}, 64, 64); }, {"classes", "0"});
    expect_refusal([] { (void)build_network("espnet", {{"classes", 3.0}}, 64, 64); }, {"classes is 3", "k 5"});
    EXPECT_NO_THROW((void)build_network("espnet-c", {{"classes", 3.0}}, 64, 64));
    expect_refusal([] { (void)build_network("espnet", {{"alpha3", 2.5}}, 64, 64); }, {"alpha3", "2.5"});
    expect_refusal(
        [] {
            (void)build_network("espnet", {{"activation", std::string("gelu")}}, 64, 64);
        },
        {"activation", "gelu"});
    expect_refusal([] { (void)build_network("vnet", {{"width", std::vector<double>{8, 64}}}, 64, 64); }, {"width"});
    expect_refusal(
        [] {
            (void)build_network("vnet", {{"width", std::vector<double>{8, 63, 128}}}, 64, 64);
        },
        {"width", "even"});
}

TEST(Networks, ASizeThatDoesNotFitNamesTheNearestThatDoes) {
    expect_refusal([] { (void)build_network("espnet", {}, 333, 217); }, {"333x217", "nearest", "335x216"});
    EXPECT_NO_THROW((void)build_network("espnet", {}, 335, 216));
    EXPECT_NO_THROW((void)build_network("espnet-c", {}, 333, 217));
    EXPECT_NO_THROW((void)build_network("espnet", {}, 8, 8));
    EXPECT_NO_THROW((void)build_network("vnet", {}, 333, 217));
    EXPECT_NO_THROW((void)build_network("vnet", {}, 1, 1));
}

struct Smallest {
    const char* network;
    int side;
    /// What is said of one pixel less.
    const char* sentence;
};

class SmallestSize : public testing::TestWithParam<Smallest> {};

TEST_P(SmallestSize, IsTakenAndOneBelowIsRefusedInASentence) {
    const auto [network, side, sentence] = GetParam();
    EXPECT_NO_THROW((void)build_network(network, {}, side, side));
    EXPECT_EQ(refusal([&, network = network, side = side] { (void)build_network(network, {}, side - 1, side - 1); }),
              sentence);
}

constexpr const char* no_pixels = "a picture of 0x0 pixels has no pixels";
INSTANTIATE_TEST_SUITE_P(
    , SmallestSize,
    testing::Values(
        Smallest{"erfnet", 8,
                 "erfnet cannot take 7x7 pixels ('encoder.initial_block.cat' (concat): expects operands of one height "
                 "and width, found operand 0 of 13x4x4 and operand 1 of 3x3x3); the nearest size it can take is 8x8"},
        Smallest{"esnet", 8,
                 "esnet cannot take 7x7 pixels ('encoder.initial_block.cat' (concat): expects operands of one height "
                 "and width, found operand 0 of 13x4x4 and operand 1 of 3x3x3); the nearest size it can take is 8x8"},
        Smallest{"espnet", 7,
                 "espnet cannot take 6x6 pixels ('cat5' (concat): expects operands of one height and width, found "
                 "operand 0 of 20x4x4 and operand 1 of 16x3x3); the nearest size it can take is 7x7"},
        Smallest{"espnet-a", 1, no_pixels}, Smallest{"espnet-b", 1, no_pixels}, Smallest{"espnet-c", 1, no_pixels},
        Smallest{"espnetv2", 1, no_pixels}, Smallest{"espnetv2-cls", 1, no_pixels}, Smallest{"lpsnet", 1, no_pixels},
        Smallest{"lpsnet-s", 1, no_pixels}, Smallest{"lpsnet-m", 1, no_pixels}, Smallest{"lpsnet-l", 1, no_pixels},
        Smallest{"vnet", 1, no_pixels}),
    [](const auto& info) {
        std::string name = info.param.network;
        std::ranges::replace(name, '-', '_');
        return name;
    });

TEST(Weights, OfOtherClassesSayWithWhichConfigurationTheyFit) {
    const auto build = [](const char* network, const Weights& weights) {
        return [=] { (void)build_network(network, {}, weights, 64, 64); };
    };
    expect_refusal(build("lpsnet-s", make_random_weights("lpsnet-s", {{"classes", 11.0}})),
                   {"tensor 'head.weight' is 11x", "they fit lpsnet-s with --config '{\"classes\": 11}'"});
    expect_refusal(build("espnet", make_random_weights("espnet", {{"classes", 12.0}})),
                   {"they fit espnet with --config '{\"classes\": 12}'"});
    const Config with_norm{{"batch_norm", true}};
    expect_refusal(build("lpsnet-s", make_random_weights("lpsnet-s", with_norm)),
                   {"they fit lpsnet-s with --config '{\"batch_norm\": true}'"});
    const Config both{{"batch_norm", true}, {"classes", 12.0}};
    expect_refusal(build("lpsnet-s", make_random_weights("lpsnet-s", both)),
                   {"they fit lpsnet-s with --config '{\"classes\": 12, \"batch_norm\": true}'"});
    // Where no such configuration fits, nothing is said of one.
    EXPECT_EQ(refusal(build("lpsnet-s", make_random_weights("vnet", {}))).find("--config"), std::string::npos);
}

TEST(Weights, TheOnesMadeUpFit) {
    for (const NetworkInfo* info : networks()) {
        const Weights weights = make_random_weights(info->name, {});
        EXPECT_NO_THROW((void)build_network(info->name, {}, weights, info->default_width, info->default_height))
            << info->name;
    }
}

TEST(Weights, MissingExtraAndMisshapenTensorsAreNamed) {
    const Weights good = make_random_weights("espnet", {});
    const auto build = [](const Weights& weights) {
        return [&weights] { (void)build_network("espnet", {}, weights, 64, 64); };
    };
    Weights bad = good;
    bad.source = "trained.pth";
    bad.tensors.erase("encoder.level2.1.d4.conv.weight");
    expect_refusal(build(bad), {"trained.pth", "encoder.level2.1.d4.conv.weight", "12x12x3x3", "missing"});
    bad = good;
    bad.tensors["encoder.level9.weight"] = {Tensor({3}), StoredType::F32};
    expect_refusal(build(bad), {"encoder.level9.weight", "no place"});
    bad = good;
    bad.tensors["classifier.weight"] = {Tensor({20, 19, 2, 2}), StoredType::F32};
    expect_refusal(build(bad), {"classifier.weight", "20x19x2x2", "20x20x2x2"});
    bad = good;
    bad.tensors["br.num_batches_tracked"] = {Tensor(Shape{}), StoredType::I64};
    EXPECT_NO_THROW(build(bad)());
}

TEST(Weights, TellWhichOfTheTwoMergesTheyWereTrainedWith) {
    for (const auto& [merge, parameters] : {std::pair{16.0, 36}, std::pair{19.0, 39}}) {
        const Weights weights = make_random_weights("espnet", {{"merge_channels", merge}});
        EXPECT_EQ(weights.tensors.at("conv.conv.weight").tensor.shape[1], parameters);
        EXPECT_NO_THROW((void)build_network("espnet", {}, weights, 64, 64));
    }
}

}  // namespace
}  // namespace vkseg
