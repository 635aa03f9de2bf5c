#include "runtime/context.hpp"
#include "tests/graph/support.hpp"
#include "tests/runtime/environment.hpp"
#include "tests/runtime/expect_contains.hpp"

namespace vkseg {
namespace {

using test::error_of;
using test::expect_contains;
using test::ScopedVariable;

std::string error_with_loader(const std::string& path) {
    ContextOptions options;
    options.loader_path = path;
    return error_of([&] { Context context(options); });
}

TEST(Loader, AbsentLoaderSaysHowToGetOne) {
    const std::string text = error_with_loader("/nowhere/libvulkan.so.1");
    expect_contains(text, "there is no Vulkan loader (/nowhere/libvulkan.so.1)");
    expect_contains(text, "apt-get install libvulkan1 mesa-vulkan-drivers");
}

TEST(Loader, AnotherLibraryIsRefused) {
    expect_contains(error_with_loader("libm.so.6"), "'libm.so.6' is no Vulkan loader");
}

TEST(Loader, NoDriverSaysHowToGetOne) {
    const ScopedVariable files("VK_DRIVER_FILES", "/nowhere/icd.json");
    const ScopedVariable old_name("VK_ICD_FILENAMES", "/nowhere/icd.json");
    expect_contains(error_with_loader(""), "apt-get install mesa-vulkan-drivers");
    expect_contains(error_of([] { static_cast<void>(list_devices()); }), "apt-get install mesa-vulkan-drivers");
}

}  // namespace
}  // namespace vkseg
