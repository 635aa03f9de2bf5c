#include "runtime/device_choice.hpp"

#include "tests/graph/support.hpp"
#include "tests/runtime/environment.hpp"
#include "tests/runtime/expect_contains.hpp"

namespace vkseg {
namespace {

using test::error_of;
using test::expect_contains;
using test::ScopedFolder;
using test::ScopedVariable;

PhysicalDevice device(const char* name, const char* driver, DeviceType type, std::vector<std::string> lacks = {}) {
    PhysicalDevice device;
    device.facts.name = name;
    device.facts.driver = driver;
    device.facts.type = type;
    device.lacks = std::move(lacks);
    return device;
}

std::vector<PhysicalDevice> shelf() {
    return {device("Old Card", "OldDriver 1", DeviceType::Discrete, {"it has Vulkan 1.0, but 1.1 is needed"}),
            device("Intel(R) UHD Graphics 620", "Intel open-source Mesa driver", DeviceType::Integrated),
            device("llvmpipe (LLVM 15.0.6, 256 bits)", "llvmpipe Mesa 22.3.6", DeviceType::Cpu),
            device("SwiftShader Device (Subzero)", "SwiftShader driver", DeviceType::Cpu)};
}

TEST(DeviceChoice, FirstUsableWithoutAName) {
    EXPECT_EQ(choose_device(shelf(), ""), 1u);
}

TEST(DeviceChoice, ByIndexAsListed) {
    EXPECT_EQ(choose_device(shelf(), "3"), 3u);
}

TEST(DeviceChoice, ByPartOfTheNameInAnyCase) {
    EXPECT_EQ(choose_device(shelf(), "uhd graphics"), 1u);
    EXPECT_EQ(choose_device(shelf(), "OPEN-SOURCE"), 1u);
}

TEST(DeviceChoice, CpuDriversByTheNamesPeopleUse) {
    EXPECT_EQ(choose_device(shelf(), "lavapipe"), 2u);
    EXPECT_EQ(choose_device(shelf(), "LavaPipe"), 2u);
    EXPECT_EQ(choose_device(shelf(), "llvmpipe"), 2u);
    EXPECT_EQ(choose_device(shelf(), "swiftshader"), 3u);
}

TEST(DeviceChoice, UnknownNameListsWhatThereIs) {
    EXPECT_EQ(error_of([] { static_cast<void>(choose_device(shelf(), "geforce")); }),
              "there is no device 'geforce'; found are:"
              "\n  [0] Old Card (discrete): it has Vulkan 1.0, but 1.1 is needed"
              "\n  [1] Intel(R) UHD Graphics 620 (integrated)"
              "\n  [2] llvmpipe (LLVM 15.0.6, 256 bits) (cpu)"
              "\n  [3] SwiftShader Device (Subzero) (cpu)");
    expect_contains(error_of([] { static_cast<void>(choose_device(shelf(), "4")); }), "there is no device '4'");
}

TEST(DeviceChoice, NamedDeviceThatCannotBeUsedSaysWhy) {
    EXPECT_EQ(error_of([] { static_cast<void>(choose_device(shelf(), "old card")); }),
              "device 'Old Card' cannot be used: it has Vulkan 1.0, but 1.1 is needed");
}

TEST(DeviceChoice, NoUsableDeviceGivesASentenceForEach) {
    const std::vector<PhysicalDevice> devices = {
        device("A", "", DeviceType::Discrete, {"it has Vulkan 1.0, but 1.1 is needed"}),
        device("B", "", DeviceType::Other, {"it has no compute queue"})};
    EXPECT_EQ(error_of([&] { static_cast<void>(choose_device(devices, "")); }),
              "no Vulkan device can be used:"
              "\n  [0] A (discrete): it has Vulkan 1.0, but 1.1 is needed"
              "\n  [1] B (other): it has no compute queue");
}

TEST(DeviceChoice, NoDeviceAtAllSaysHowToGetOne) {
    expect_contains(error_of([] { static_cast<void>(choose_device({}, "")); }), "mesa-vulkan-drivers");
}

TEST(DeviceChoice, SwiftShaderIsFoundWhereTheUserSays) {
    const ScopedVariable add("VK_ADD_DRIVER_FILES", std::nullopt);
    const ScopedVariable all("VK_DRIVER_FILES", std::nullopt);
    const ScopedVariable old_name("VK_ICD_FILENAMES", std::nullopt);
    const ScopedFolder folder;
    const std::string file = folder.path() / "icd.json";
    std::filesystem::copy_file("/proc/self/cmdline", file);
    const ScopedVariable named("VKSEG_SWIFTSHADER_ICD", file);
    make_swiftshader_visible();
    ASSERT_NE(std::getenv("VK_ADD_DRIVER_FILES"), nullptr);
    EXPECT_EQ(std::getenv("VK_ADD_DRIVER_FILES"), file);
}

TEST(DeviceChoice, UsersOwnDriversAreKept) {
    const ScopedVariable add("VK_ADD_DRIVER_FILES", "/own/icd.json");
    make_swiftshader_visible();
    EXPECT_STREQ(std::getenv("VK_ADD_DRIVER_FILES"), "/own/icd.json");
    const ScopedVariable none("VK_ADD_DRIVER_FILES", std::nullopt);
    const ScopedVariable only("VK_DRIVER_FILES", "/own/icd.json");
    make_swiftshader_visible();
    EXPECT_EQ(std::getenv("VK_ADD_DRIVER_FILES"), nullptr);
}

TEST(DeviceChoice, WideVectorsOfTheCpuDriverHaveACacheOfTheirOwn) {
    const ScopedFolder folder;
    const ScopedVariable cache("XDG_CACHE_HOME", folder.path());
    const ScopedVariable width("LP_NATIVE_VECTOR_WIDTH", std::nullopt);
    const ScopedVariable kept("MESA_SHADER_CACHE_DIR", std::nullopt);
    widen_mesa_cpu_vectors();
    const char* wide = std::getenv("LP_NATIVE_VECTOR_WIDTH");
    if (wide == nullptr) GTEST_SKIP() << "this processor has no vectors of 512 bits";
    EXPECT_STREQ(wide, "512");
    ASSERT_NE(std::getenv("MESA_SHADER_CACHE_DIR"), nullptr);
    EXPECT_EQ(std::getenv("MESA_SHADER_CACHE_DIR"), folder.path() / "vkseg" / "mesa-512-bits");
    EXPECT_TRUE(std::filesystem::is_directory(folder.path() / "vkseg"));
}

TEST(DeviceChoice, UsersOwnVectorsAndCacheAreKept) {
    const ScopedFolder folder;
    const std::string own = folder.path() / "own";
    const ScopedVariable kept("MESA_SHADER_CACHE_DIR", own);
    {
        const ScopedVariable width("LP_NATIVE_VECTOR_WIDTH", "128");
        widen_mesa_cpu_vectors();
        EXPECT_STREQ(std::getenv("LP_NATIVE_VECTOR_WIDTH"), "128");
        EXPECT_EQ(std::getenv("MESA_SHADER_CACHE_DIR"), own);
    }
    const ScopedVariable width("LP_NATIVE_VECTOR_WIDTH", std::nullopt);
    widen_mesa_cpu_vectors();
    if (std::getenv("LP_NATIVE_VECTOR_WIDTH") == nullptr) GTEST_SKIP() << "no vectors of 512 bits";
    EXPECT_EQ(std::getenv("MESA_SHADER_CACHE_DIR"), own + "/mesa-512-bits");
}

TEST(DeviceChoice, WithoutAFolderForTheirCacheVectorsStayAsTheyAre) {
    const ScopedVariable cache("XDG_CACHE_HOME", std::nullopt);
    const ScopedVariable home("HOME", std::nullopt);
    const ScopedVariable kept("MESA_SHADER_CACHE_DIR", std::nullopt);
    const ScopedVariable width("LP_NATIVE_VECTOR_WIDTH", std::nullopt);
    widen_mesa_cpu_vectors();
    EXPECT_EQ(std::getenv("LP_NATIVE_VECTOR_WIDTH"), nullptr);
}

}  // namespace
}  // namespace vkseg
