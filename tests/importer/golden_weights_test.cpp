#include "tests/importer/test_files.hpp"

#include <cmath>
#include <cstring>

namespace vkseg::importer_test {
namespace {

/// A published checkpoint and what another reader found in it.
struct Golden {
    const char* file;
    size_t tensors;
    int64_t elements;
    const char* name;
    Shape shape;
    float first;
};

void PrintTo(const Golden& golden, std::ostream* out) {
    *out << golden.file;
}

class GoldenWeights : public testing::TestWithParam<Golden> {
protected:
    static std::filesystem::path path() {
#ifdef VKSEG_GOLDEN_DIR
        return std::filesystem::path(VKSEG_GOLDEN_DIR) / "weights" / GetParam().file;
#else
        return {};
#endif
    }
};

TEST_P(GoldenWeights, LoadAndSurviveARoundTrip) {
    const Golden& golden = GetParam();
    const std::filesystem::path file = path();
    if (file.empty() || !std::filesystem::exists(file))
        GTEST_SKIP() << "no golden weights at '" << file.string() << "'";

    const Weights weights = load_weights(file);
    EXPECT_EQ(weights.source, file.string());
    EXPECT_EQ(weights.tensors.size(), golden.tensors);
    int64_t count = 0;
    for (const auto& [name, weight] : weights.tensors) {
        count += element_count(weight.tensor.shape);
        ASSERT_EQ(static_cast<size_t>(element_count(weight.tensor.shape)), weight.tensor.data.size()) << name;
        const bool counter = name.ends_with("num_batches_tracked");
        EXPECT_EQ(weight.stored_type, counter ? StoredType::I64 : StoredType::F32) << name;
    }
    EXPECT_EQ(count, golden.elements);
    EXPECT_TRUE(names_of_non_finite(weights).empty());
    const auto it = weights.tensors.find(golden.name);
    ASSERT_NE(it, weights.tensors.end());
    EXPECT_EQ(it->second.tensor.shape, golden.shape);
    EXPECT_EQ(it->second.tensor.data.front(), golden.first);

    const TempFolder folder;
    save_safetensors(folder.path() / "copy", weights);
    const Weights copy = load_weights(folder.path() / "copy");
    ASSERT_EQ(copy.tensors.size(), weights.tensors.size());
    for (const auto& [name, weight] : weights.tensors) {
        const Tensor& back = copy.tensors.at(name).tensor;
        EXPECT_EQ(back.shape, weight.tensor.shape) << name;
        ASSERT_EQ(back.data.size(), weight.tensor.data.size()) << name;
        EXPECT_EQ(std::memcmp(back.data.data(), weight.tensor.data.data(), back.data.size() * sizeof(float)), 0)
            << name;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Published, GoldenWeights,
    testing::Values(
        Golden{"erfnet_random.pth", 345, 2073467, "encoder.initial_block.conv.weight", {13, 3, 3, 3}, 0x1.cbd352p-6f},
        Golden{"espnet_p2_q8_cityscapes.pth", 189, 368341, "encoder.level1.conv.weight", {16, 3, 3, 3}, -0x1.59d6bp-4f},
        Golden{"espnet_c_p2_q8_cityscapes.pth", 154, 352981, "level1.conv.weight", {16, 3, 3, 3}, -0x1.149308p-5f},
        Golden{"espnetv2_s0.5_city_1024x512.pth",
               526,
               87731,
               "base_net.level1.conv.weight",
               {16, 3, 3, 3},
               -0x1.2cf10ep-4f},
        Golden{"espnetv2_s1.0_pascal_384x384.pth",
               526,
               247290,
               "base_net.level1.conv.weight",
               {32, 3, 3, 3},
               -0x1.38d74ap-12f},
        Golden{"lpsnet_step2_random.pth", 40, 578995, "net.stages.0.0.0.weight", {4, 3, 3, 3}, -0x1.e55e84p-2f}),
    [](const auto& parameter) {
        std::string name = parameter.param.file;
        std::ranges::replace_if(
            name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
        return name;
    });

}  // namespace
}  // namespace vkseg::importer_test
