#include "runtime/api/baked_model.hpp"
#include "graph/ir/byte_stream.hpp"
#include "graph/ir/serialize.hpp"
#include "models/network.hpp"
#include "runtime/api/model_loader.hpp"
#include "runtime/api/runner.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <gtest/gtest.h>

#include <cstring>

// Networks in one file: the same scores to the byte, and one sentence for whatever is no such file.

namespace vkseg::test {
namespace {

std::shared_ptr<const Model> small_model(const std::string& network = "espnet") {
    const Config config = network == "espnet" ? Config{{"alpha3", 1.0}, {"classes", 5.0}} : Config{};
    return load_model({.network = network, .config = config, .weights = {}, .disabled_passes = {}}, 96, 64);
}

ClassList five_classes() {
    ClassList list{"street", {}};
    for (const char* name : {"road", "sky", "tree", "car", "void"})
        list.classes.push_back({name, {static_cast<uint8_t>(list.classes.size()), 20, 255}, -1});
    return list;
}

Tensor made_up_input(int width, int height) {
    Tensor input({3, height, width});
    for (size_t i = 0; i < input.data.size(); ++i) input.data[i] = static_cast<float>(i * 2654435761u % 1021) / 510.0f;
    return input;
}

class BakedModelOn : public EachDriver {};

TEST_P(BakedModelOn, GivesTheSameScoresToTheByte) {
    const auto model = small_model();
    const auto baked = load_baked(bake(*model, {}, {}));
    for (const PrecisionChoice precision : {PrecisionChoice::FP32, PrecisionChoice::FP16}) {
        if (precision == PrecisionChoice::FP16 && driver().name == "swiftshader") continue;  // half a minute
        Runner before(model, &context(), {precision, {}}), after(baked.model, &context(), {precision, {}});
        // The second size is not the one that was baked.
        for (const auto& [width, height] : {std::pair{96, 64}, std::pair{128, 96}}) {
            const Tensor input = made_up_input(width, height);
            const Tensor expected = before.scores(input), found = after.scores(input);
            ASSERT_EQ(found.shape, expected.shape);
            EXPECT_EQ(0, std::memcmp(found.data.data(), expected.data.data(), found.data.size() * sizeof(float)));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(, BakedModelOn, each_driver(), driver_name);

TEST(BakedModel, GivesTheSamePlansAndPackedWeights) {
    for (const NetworkInfo* info : networks()) {
        const auto model = small_model(info->name);
        const auto baked = load_baked(bake(*model, {}, {}));
        for (const char* device : {"lavapipe", "nvidia-discrete"}) {
            const Plan before = compile(model->simplified, paper_device(device));
            const Plan after = compile(baked.model->simplified, paper_device(device));
            EXPECT_EQ(to_string(after), to_string(before)) << info->name;
            EXPECT_EQ(pack_weights(after, baked.model->simplified), pack_weights(before, model->simplified))
                << info->name;
        }
    }
}

TEST(BakedModel, GivesTheSameScoresOnTheReference) {
    const auto model = small_model();
    const auto baked = load_baked(bake(*model, {}, {}));
    const Tensor input = made_up_input(64, 32);
    EXPECT_EQ(Runner(baked.model, nullptr).scores(input).data, Runner(model, nullptr).scores(input).data);
}

TEST(BakedModel, KeepsAllThatIsKnown) {
    const auto model = small_model();
    Choices choices;
    choices.precision = Precision::FP16;
    choices.denied_families = {"cpu_shaped"};
    choices.disabled_fusions = {"esp_pyramid"};
    choices.in_place = false;
    choices.layers["level1.conv"].planes = 4;
    choices.layers["level3 [esp_pyramid]"].separate = true;
    const BakedModel baked = load_baked(bake(*model, choices, five_classes(), true));
    EXPECT_EQ(baked.choices, choices);
    EXPECT_TRUE(baked.precision_by_device);
    EXPECT_EQ(baked.classes, five_classes());
    EXPECT_EQ(baked.model->network, "espnet");
    EXPECT_EQ(baked.model->preprocess, model->preprocess);
    EXPECT_EQ(baked.model->parameters, model->parameters);
    EXPECT_EQ(baked.model->classes, 5);
    EXPECT_EQ(baked.model->width, 96);
    EXPECT_EQ(baked.model->height, 64);
    EXPECT_EQ(to_string(baked.model->graph), to_string(model->graph));
    EXPECT_EQ(to_string(baked.model->simplified), to_string(model->simplified));
    EXPECT_FALSE(load_baked(bake(*model, {}, {})).precision_by_device);
}

TEST(BakedModel, TakesTunedChoicesOfItsOwnGraphAlong) {
    const auto model = small_model();
    std::vector<TunedChoices> tuned;
    for (const char* device : {"lavapipe", "nvidia-discrete"}) {
        tuned.push_back(tuned_choices_for(model->simplified, model->network, paper_device(device), "1.2.3"));
        tuned.back().choices.layers["level1.conv"].planes = device[0] == 'l' ? 4 : 2;
    }
    const BakedModel baked = load_baked(bake(*model, {}, {}, true, tuned));
    EXPECT_EQ(baked.tuned, tuned);
    EXPECT_EQ(misfit(baked.tuned[1], baked.model->simplified, paper_device("nvidia-discrete"), "1.2.3"), "");
    try {
        (void)bake(*small_model("espnet-a"), {}, {}, true, tuned);
        FAIL() << "no Error";
    } catch (const Error& reason) {
        EXPECT_EQ(std::string(reason.what()),
                  "tuned choices do not belong to espnet-a: they were measured for another graph: espnet with another "
                  "configuration, or other passes");
    }
}

TEST(BakedModel, KeepsWhatItsUsersShouldKnow) {
    Model model = *small_model();
    model.notice = "trained on\nthree pictures";
    EXPECT_EQ(load_baked(bake(model, {}, {})).model->notice, "trained on three pictures");
}

TEST(BakedModel, KeepsHowMasksAreMade) {
    for (const char* network : {"espnet", "lpsnet-s"}) {
        const auto model = small_model(network);
        const auto baked = load_baked(bake(*model, {}, {}));
        EXPECT_EQ(baked.model->mask_sampling, model->mask_sampling) << network;
        EXPECT_EQ(model->mask_sampling == Sampling::BilinearAligned, model->network == "lpsnet-s");
    }
    SegmentationOptions options;
    options.picture_width = 65;
    options.picture_height = 33;
    options.network_width = 64;
    options.network_height = 32;
    options.upsampling = Sampling::BilinearAligned;
    Model whole = *small_model();
    whole.graph = segmentation_graph(whole.simplified, whole.preprocess, options);
    ByteWriter writer;
    write_graph(writer, whole.graph);
    ByteReader reader(writer.bytes());
    EXPECT_EQ(std::get<Argmax>(read_graph(reader).nodes.back().op).sampling, Sampling::BilinearAligned);
}

TEST(BakedModel, StandsAtAnotherSizeWhenAsked) {
    const auto bytes = bake(*small_model(), {}, {});
    const BakedModel baked = load_baked(bytes, {.width = 128, .height = 0, .disabled_passes = {}});
    EXPECT_EQ(baked.model->width, 128);
    EXPECT_EQ(baked.model->height, 64);
    try {
        (void)load_baked(bytes, {.width = 97, .height = 64, .disabled_passes = {}});
        FAIL() << "no Error";
    } catch (const Error& reason) {
        EXPECT_NE(std::string(reason.what()).find("the nearest size it can take is 96x64"), std::string::npos)
            << reason.what();
    }
}

TEST(BakedModel, RefusesAnotherNumberOfClasses) {
    ClassList four = five_classes();
    four.classes.pop_back();
    EXPECT_THROW((void)bake(*small_model(), {}, four), Error);
}

std::string refusal(std::span<const uint8_t> bytes) {
    try {
        (void)load_baked(bytes);
    } catch (const Error& reason) {
        return reason.what();
    }
    return "";
}

TEST(BakedModel, RefusesWhatIsNoBakedNetworkInASentence) {
    const std::vector<uint8_t> good = bake(*small_model("espnet-a"), {}, {});
    EXPECT_EQ(refusal({}), "baked network: expected a file that begins with 'vksegnet', found another kind of file");
    EXPECT_EQ(refusal(std::vector<uint8_t>(100, 'x')),
              "baked network: expected a file that begins with 'vksegnet', found another kind of file");
    std::vector<uint8_t> bad = good;
    bad[8] = 6;
    EXPECT_EQ(refusal(bad),
              "baked network: expected version 5 of the format, found version 6, which a newer vkseg wrote");
    bad = good;
    bad[good.size() / 2] ^= 4;
    EXPECT_NE(refusal(bad).find("; the file is damaged"), std::string::npos) << refusal(bad);
    bad = good;
    bad.pop_back();
    EXPECT_NE(refusal(bad).find("; the file is truncated or damaged"), std::string::npos) << refusal(bad);
    bad = good;
    bad.push_back(0);
    EXPECT_NE(refusal(bad).find("; the file is truncated or damaged"), std::string::npos) << refusal(bad);
    for (size_t length : {0, 7, 8, 11, 12, 20, 27, 28, 29}) EXPECT_NE(refusal(std::span(good).first(length)), "");
}

TEST(BakedModel, NamesTheFile) {
    try {
        (void)load_baked(std::filesystem::path("no such file.vkseg"));
        FAIL() << "no Error";
    } catch (const Error& reason) {
        EXPECT_STREQ(reason.what(), "'no such file.vkseg': the file does not exist");
    }
    EXPECT_THROW((void)load_baked(std::filesystem::path("/tmp")), Error);
    EXPECT_FALSE(is_baked_file("/tmp"));
    EXPECT_FALSE(is_baked_file("no such file.vkseg"));
}

/// A network of three layers, so that every byte of its file can be damaged in turn.
Model tiny_model() {
    Model model;
    model.network = "tiny";
    Graph& graph = model.graph;
    const auto vector = [&](const char* name, float value) { return graph.add_constant(name, Tensor({2}, value)); };
    ValueId x = graph.add_input("image", {ValueKind::Features, {3, 8, 8}});
    Conv2d conv{.kernel = {3, 3}, .stride = {2, 2}, .padding = pad_all(1, 1), .out_channels = 2};
    conv.weight = graph.add_constant("w", Tensor({2, 3, 3, 3}, 0.25f));
    x = graph.add("conv", conv, {x});
    x = graph.add("bn", BatchNorm{vector("g", 1), vector("b", 2), vector("m", 3), vector("v", 4)}, {x});
    x = graph.add("act", PRelu{vector("s", 0.5f)}, {x});
    x = graph.add("up", Resize{.size = {.kind = SizeRule::Kind::Scaled, .scale = 2}}, {x});
    graph.outputs = {x};
    return model;
}

/// With a checksum that fits, so that damage comes through to the readers behind it.
std::vector<uint8_t> with_checksum(std::vector<uint8_t> bytes) {
    const uint64_t sum = checksum(std::span(bytes).subspan(28));
    std::memcpy(bytes.data() + 12, &sum, sizeof sum);
    return bytes;
}

TEST(BakedModel, DamageIsRefusedOrGivesAWholeModel) {
    const std::vector<uint8_t> good = bake(*make_model(tiny_model()), {}, {"two", {{"a", {}, 0}, {"b", {}, 1}}});
    int refused = 0;
    for (size_t i = 0; i < good.size(); ++i) {
        std::vector<uint8_t> bad = good;
        bad[i] ^= 0x40;
        EXPECT_NE(refusal(bad), "") << "damage at offset " << i << " goes unseen";
        if (i < 28) continue;
        for (const int flip : {0x01, 0x80, 0xff}) {
            bad[i] = good[i] ^ static_cast<uint8_t>(flip);
            SCOPED_TRACE(i);
            // Anything but an Error fails the test.
            refused += refusal(with_checksum(bad)).empty() ? 0 : 1;
        }
    }
    EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace vkseg::test
