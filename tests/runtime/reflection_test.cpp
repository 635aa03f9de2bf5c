#include "runtime/reflection.hpp"

#include "shader_binaries.hpp"
#include "tests/graph/support.hpp"
#include "tests/runtime/expect_contains.hpp"

#include <random>

namespace vkseg {
namespace {

using test::error_of;
using test::expect_contains;

constexpr uint32_t header[] = {0x07230203, 0x00010300, 0, 100, 0};
constexpr VkDescriptorType buffer = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
constexpr VkDescriptorType texels = VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;

std::vector<uint32_t> module(std::vector<uint32_t> instructions) {
    instructions.insert(instructions.begin(), std::begin(header), std::end(header));
    return instructions;
}

constexpr uint32_t op(uint32_t opcode, uint32_t words) {
    return words << 16 | opcode;
}

TEST(Reflection, BindingsAreSortedWhateverTheirOrder) {
    const auto words = module({
        op(71, 4), 7, 34, 1,   // OpDecorate %7 DescriptorSet 1
        op(71, 4), 7, 33, 0,   // OpDecorate %7 Binding 0
        op(71, 4), 8, 33, 4,   // OpDecorate %8 Binding 4
        op(71, 4), 8, 34, 0,   // OpDecorate %8 DescriptorSet 0
        op(71, 4), 9, 34, 0,   //
        op(71, 4), 9, 33, 2,   //
        op(59, 4), 1, 7,  12,  // %7 = OpVariable StorageBuffer
        op(59, 4), 1, 8,  0,   // %8 = OpVariable UniformConstant
        op(59, 4), 1, 9,  12,
    });
    EXPECT_EQ(reflect_bindings(words), (std::vector<ShaderBinding>{{0, 2, buffer}, {0, 4, texels}, {1, 0, buffer}}));
}

TEST(Reflection, OtherVariablesAreNoBindings) {
    const auto words = module({
        op(59, 4), 1, 7, 1,  // Input: gl_GlobalInvocationID
        op(59, 4), 1, 8, 9,  // PushConstant
        op(59, 4), 1, 9, 6,  // Private
    });
    EXPECT_TRUE(reflect_bindings(words).empty());
}

TEST(Reflection, RefusesWhatIsNoModule) {
    EXPECT_EQ(error_of([] { static_cast<void>(reflect_bindings({})); }), "this is not a SPIR-V module");
    const std::vector<uint32_t> text = {0x6d6f7266, 0, 0, 0, 0};
    EXPECT_EQ(error_of([&] { static_cast<void>(reflect_bindings(text)); }), "this is not a SPIR-V module");
}

TEST(Reflection, RefusesInstructionsBeyondTheEnd) {
    expect_contains(error_of([] {
                        static_cast<void>(reflect_bindings(module({op(71, 4), 7, 34})));
                    }),
                    "damaged at word 5");
    expect_contains(error_of([] { static_cast<void>(reflect_bindings(module({op(71, 0)}))); }), "damaged at word 5");
}

TEST(Reflection, DamagedKernelsAreReadOrRefused) {
    const auto read = [](std::span<const uint32_t> words) {
        try {
            for (const ShaderBinding& binding : reflect_bindings(words)) static_cast<void>(binding);
        } catch (const Error&) {
            // Damage that shows; the rest is for the driver's compiler.
        }
    };
    const std::span<const uint32_t> whole = spirv(catalog::conv2d(catalog::Storage::f32, catalog::Access::ssbo));
    for (size_t length = 0; length < whole.size(); ++length)
        read(std::vector<uint32_t>(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
    std::mt19937 random(3);
    for (int round = 0; round < 2000; ++round) {
        std::vector<uint32_t> words(whole.begin(), whole.end());
        for (int flips = 0; flips < 3; ++flips) words[random() % words.size()] ^= 1u << random() % 32;
        read(words);
    }
}

TEST(Reflection, KernelsDeclareWhatTheyUseAndNoMore) {
    using catalog::Access, catalog::Storage;
    EXPECT_EQ(reflect_bindings(spirv(catalog::load_nchw(Storage::f32, Access::ssbo))),
              (std::vector<ShaderBinding>{{0, 2, buffer}, {1, 0, buffer}}));
    EXPECT_EQ(reflect_bindings(spirv(catalog::store_nchw(Storage::f16, Access::texel))),
              (std::vector<ShaderBinding>{{0, 4, texels}, {1, 0, buffer}}));
    EXPECT_EQ(reflect_bindings(spirv(catalog::sampled_image_to_tensor(Storage::f32, Access::ssbo))),
              (std::vector<ShaderBinding>{{0, 2, buffer}, {1, 0, VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE}}));
    EXPECT_EQ(reflect_bindings(spirv(catalog::eltwise(Storage::f32, Access::bda))), std::vector<ShaderBinding>{});
}

}  // namespace
}  // namespace vkseg
