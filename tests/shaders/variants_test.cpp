#include "runtime/reflection.hpp"
#include "shader_binaries.hpp"
#include "tests/runtime/environment.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace vkseg {
namespace {

std::vector<ShaderId> all_shaders() {
    std::vector<ShaderId> all;
    for (uint16_t i = 0; i < static_cast<uint16_t>(ShaderId::count); ++i) all.push_back(static_cast<ShaderId>(i));
    return all;
}

/// Every variant of every kernel, as embedded.
class Variant : public ::testing::TestWithParam<ShaderId> {};

TEST_P(Variant, IsValidForVulkan11) {
    if (std::system("spirv-val --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "spirv-val is not installed";
    const test::ScopedFolder folder;
    const std::span<const uint32_t> words = spirv(GetParam());
    ASSERT_FALSE(words.empty());
    const std::string module = folder.path() / "module.spv", report = folder.path() / "report";
    std::ofstream(module, std::ios::binary)
        .write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(words.size_bytes()));
    const std::string command = "spirv-val --target-env vulkan1.1 '" + module + "' > '" + report + "' 2>&1";
    const int status = std::system(command.c_str());
    std::ifstream text(report);
    EXPECT_EQ(status, 0) << std::string(std::istreambuf_iterator<char>(text), {});
}

/// Vulkan promises four storage buffers to a shader, and the session knows these bindings only.
TEST_P(Variant, BindsWhatASessionOffers) {
    int storage_buffers = 0;
    for (const ShaderBinding& binding : reflect_bindings(spirv(GetParam()))) {
        if (binding.type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER) ++storage_buffers;
        EXPECT_LE(binding.set, 1u);
        if (binding.set == 0)
            EXPECT_EQ(binding.binding == 4, binding.type == VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER);
        else
            EXPECT_TRUE(binding.type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER ||
                        binding.type == VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE);
    }
    EXPECT_LE(storage_buffers, 4);
}

/// "With nothing optional enabled every network still runs": storage-buffer variants ask for no capability beyond
/// those of every Vulkan device, but for 16-bit arithmetic where their name says so.
TEST_P(Variant, WithStorageBuffersNeedsNothingOptional) {
    const std::string name = to_string(GetParam());
    if (name.ends_with("_bda") || name.ends_with("_texel")) GTEST_SKIP() << "optional by name";
    const std::span<const uint32_t> words = spirv(GetParam());
    constexpr uint32_t op_capability = 17, shader = 1, float16 = 9, image_buffer = 47;
    const bool half = name.find("_half_") != std::string::npos;
    for (size_t at = 5; at < words.size(); at += words[at] >> 16) {
        if ((words[at] & 0xffff) != op_capability) continue;
        EXPECT_TRUE(words[at + 1] == shader || words[at + 1] == image_buffer || (half && words[at + 1] == float16))
            << "capability " << words[at + 1];
    }
}

INSTANTIATE_TEST_SUITE_P(, Variant, ::testing::ValuesIn(all_shaders()),
                         [](const ::testing::TestParamInfo<ShaderId>& info) { return to_string(info.param); });

TEST(Catalog, PicksTheVariantThatIsNamed) {
    static_assert(catalog::conv2d(catalog::Storage::f16, catalog::Access::bda) == ShaderId::conv2d_f16_bda);
    EXPECT_STREQ(to_string(catalog::conv2d(catalog::Storage::f32, catalog::Access::texel)), "conv2d_f32_texel");
    static_assert(catalog::conv2d(catalog::Storage::f16, catalog::Access::ssbo, catalog::Arithmetic::f16) ==
                  ShaderId::conv2d_f16_half_ssbo);
    // Of no use, so not there.
    EXPECT_ANY_THROW((void)catalog::conv2d(catalog::Storage::f32, catalog::Access::ssbo, catalog::Arithmetic::f16));
    EXPECT_ANY_THROW((void)catalog::conv2d(catalog::Storage::f16, catalog::Access::texel, catalog::Arithmetic::f16));
}

}  // namespace
}  // namespace vkseg
