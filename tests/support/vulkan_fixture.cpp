#include "tests/support/vulkan_fixture.hpp"

#include "graph/ir/error.hpp"
#include "runtime/device_choice.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>

namespace vkseg::test {

namespace {

/// Letters, digits and single underscores: what a test's name may hold.
std::string identifier(const std::string& text) {
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0)
            result += static_cast<char>(std::tolower(byte));
        else if (!result.empty() && result.back() != '_')
            result += '_';
    }
    while (!result.empty() && result.back() == '_') result.pop_back();
    return result;
}

Driver cpu_driver(const std::string& name, const std::string& device_name, const std::string& how_to_get,
                  const std::vector<DeviceEntry>& entries) {
    Driver driver{name, name, std::nullopt, name + " is not installed (" + how_to_get + ")"};
    const auto found = std::ranges::find_if(
        entries, [&](const DeviceEntry& entry) { return entry.facts.name.find(device_name) != std::string::npos; });
    if (found == entries.end()) return driver;
    if (found->lacks.empty())
        driver.facts = found->facts;
    else
        driver.absence = found->facts.name + " cannot be used: " + found->lacks.front();
    return driver;
}

std::vector<Driver> find_drivers() {
    // Before the first instance: the loader reads the environment when it is made. list_devices() does so too, but
    // a context of this process must see the same list.
    make_swiftshader_visible();
    std::vector<DeviceEntry> entries;
    std::string failure;
    try {
        entries = list_devices();
    } catch (const Error& error) {
        failure = error.what();
    }
    std::vector<Driver> result;
    result.push_back(cpu_driver("lavapipe", "llvmpipe", "Debian: mesa-vulkan-drivers", entries));
    result.push_back(cpu_driver("swiftshader", "SwiftShader", "Debian: chromium", entries));
    if (!failure.empty())
        for (Driver& driver : result) driver.absence = failure;
    for (const DeviceEntry& entry : entries) {
        if (entry.facts.type == DeviceType::Cpu) continue;
        Driver driver{identifier(entry.facts.name), std::to_string(entry.index), std::nullopt, {}};
        // Two GPUs of one model.
        if (std::ranges::find(result, driver.name, &Driver::name) != result.end()) driver.name += "_" + driver.device;
        if (entry.lacks.empty())
            driver.facts = entry.facts;
        else
            driver.absence = entry.facts.name + " cannot be used: " + entry.lacks.front();
        result.push_back(std::move(driver));
    }
    return result;
}

/// Owns the contexts between main()'s start and end: a static's destructor would run after the layer's own statics.
class Contexts : public ::testing::Environment {
public:
    Context& request(const Driver& driver) {
        Open& open = open_[driver.name];
        if (open.context == nullptr) {
            ContextOptions options;
            options.device = driver.device;
            const char* wanted = std::getenv("VKSEG_TEST_VALIDATION");
            options.validation = wanted == nullptr || std::strcmp(wanted, "0") != 0;
            options.disk_cache = false;
            options.intercept = [&open](vk::DeviceTable& table) {
                open.destroy_device = table.DestroyDevice;
                table.DestroyDevice = destroy_and_listen;
            };
            open.context = std::make_unique<Context>(std::move(options));
        }
        return *open.context;
    }

    void TearDown() override {
        for (auto& [name, open] : open_) {
            if (open.context == nullptr) continue;  // it could not be opened
            closing = &open;
            closing_log = &open.context->validation_log();
            open.context.reset();
        }
        open_.clear();
    }

private:
    struct Open {
        std::unique_ptr<Context> context;
        PFN_vkDestroyDevice destroy_device = nullptr;
    };

    /// Objects that outlive their device are reported while it is destroyed, when its context can no longer be asked.
    static void VKAPI_CALL destroy_and_listen(VkDevice device, const VkAllocationCallbacks* allocator) {
        closing->destroy_device(device, allocator);
        for (const std::string& message : closing_log->take()) ADD_FAILURE() << "on closing a device: " << message;
    }

    static inline const Open* closing = nullptr;
    static inline vk::ValidationLog* closing_log = nullptr;
    std::map<std::string, Open> open_;
};

// GoogleTest owns and deletes it.
Contexts& contexts = *static_cast<Contexts*>(::testing::AddGlobalTestEnvironment(new Contexts));

}  // namespace

const std::vector<Driver>& drivers() {
    static const std::vector<Driver> list = find_drivers();
    return list;
}

Context& shared_context(const Driver& driver) {
    return contexts.request(driver);
}

void VulkanTest::SetUp() {
    if (!driver_.facts) GTEST_SKIP() << driver_.absence;
    static_cast<void>(context());
}

void VulkanTest::TearDown() {
    if (!driver_.facts) return;
    for (const std::string& message : context().validation_log().take()) ADD_FAILURE() << message;
}

::testing::internal::ParamGenerator<const Driver*> each_driver() {
    std::vector<const Driver*> all;
    for (const Driver& driver : drivers()) all.push_back(&driver);
    return ::testing::ValuesIn(all);
}

std::string driver_name(const ::testing::TestParamInfo<const Driver*>& info) {
    return info.param->name;
}

}  // namespace vkseg::test
