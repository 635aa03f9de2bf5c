#include "tests/api/door_host.hpp"
#include "tests/runtime/call_counter.hpp"
#include "tests/runtime/failing_calls.hpp"

#include <thread>

namespace vkseg::test {
namespace {

/// A context on the host's device whose table can be watched.
ContextHandle watched_context(const Context& host, void (*install)(vk::DeviceTable&)) {
    HostDevice device;
    const auto library = vk::Library::open();
    device.get_instance_proc_addr = library->get_instance_proc_addr();
    device.instance = host.instance().get();
    device.api_version = host.instance().api_version();
    device.physical_device = host.physical().handle;
    device.device = host.device();
    device.queue = host.queue();
    device.queue_family = host.physical().queue_family;
    device.features = host.physical().features;
    ContextOptions options;
    options.disk_cache = false;
    options.intercept = install;
    auto context = std::make_unique<vkseg_context>();
    context->context = std::make_shared<Context>(device, options);
    return ContextHandle(context.release());
}

class DoorCalls : public Door {};

TEST_P(DoorCalls, AFrameMakesNothingAndSubmitsNothing) {
    const auto context = watched_context(this->context(), CallCounter::install);
    for (const vkseg_place place : {VKSEG_IMAGE, VKSEG_BUFFER}) {
        Frame frame(host(), context.get(), model(), small_desc(place, 31), noise_picture());
        frame.finish();
        frame.finish();
        for (const uint32_t steps : {0u, 3u}) {
            frame.record_desc().max_steps = steps;
            CallCounter::take();
            frame.finish();
            for (const auto& [name, count] : CallCounter::take())
                EXPECT_TRUE(name.starts_with("Cmd") || name == "UpdateDescriptorSets" || name == "GetQueryPoolResults")
                    << name << " was called " << count << " times";
        }
    }
}

TEST_P(DoorCalls, WhateverRunsOutOfMemoryIsSaidAndLeavesNothing) {
    const auto context = watched_context(this->context(), FailingCalls::install);
    const vkseg_segmenter_desc desc = small_desc(VKSEG_IMAGE, 31);
    const auto attempt = [&]() -> vkseg_result {
        vkseg_segmenter* made = nullptr;
        if (const vkseg_result answer = vkseg_segmenter_create(context.get(), model(), &desc, &made);
            answer != VKSEG_SUCCESS)
            return answer;
        const SegmenterHandle segmenter(made);
        return vkseg_segmenter_prepare(made, nullptr, nullptr);
    };
    ASSERT_EQ(attempt(), VKSEG_SUCCESS) << vkseg_last_error();
    const int before = FailingCalls::live_objects();
    int failures = 0;
    for (int calls = 0;; ++calls) {
        FailingCalls::fail_after(calls);
        const vkseg_result answer = attempt();
        const std::string failed(FailingCalls::failed());
        FailingCalls::succeed();
        EXPECT_EQ(FailingCalls::live_objects(), before) << failed;
        if (failed.empty()) break;
        ++failures;
        EXPECT_EQ(answer, VKSEG_ERROR_OUT_OF_DEVICE_MEMORY) << failed << ": " << vkseg_last_error();
        EXPECT_NE(std::string(vkseg_last_error()), "");
    }
    EXPECT_GT(failures, 8);
    EXPECT_EQ(attempt(), VKSEG_SUCCESS) << vkseg_last_error();
}

/// Eight contexts, four threads, rounds in random order; the host's own queue is guarded by its submit callback.
TEST_P(DoorCalls, ManyContextsInManyThreads) {
    static std::mutex queue;
    struct Guard {
        static VkResult submit(void* user, VkQueue target, const VkSubmitInfo* info, VkFence fence) {
            const std::scoped_lock lock(queue);
            return static_cast<const Context*>(user)->table().QueueSubmit(target, 1, info, fence);
        }
    };
    vkseg_context_desc desc = host().context_desc();
    desc.submit = Guard::submit;
    desc.user = &this->context();
    std::vector<ContextHandle> contexts;
    for (int i = 0; i < 8; ++i) {
        vkseg_context* context = nullptr;
        ASSERT_EQ(vkseg_context_create(&desc, &context), VKSEG_SUCCESS) << vkseg_last_error();
        contexts.emplace_back(context);
    }
    vkseg_segmenter_desc small = small_desc(VKSEG_HOST_MEMORY, 1);
    small.network_width = 32;
    small.network_height = 16;
    const std::vector<uint8_t> picture = noise_picture();
    const auto expected = standalone(contexts[0].get(), model(), small, picture);
    const int rounds = driver().name == "swiftshader" ? 10 : 125;
    std::atomic<int> wrong = 0, next = 0;
    std::vector<std::jthread> threads;
    for (unsigned seed = 0; seed < 4; ++seed)
        threads.emplace_back([&, seed] {
            std::mt19937 random(seed);
            for (int i = 0; i < rounds; ++i) {
                vkseg_context* context = contexts[random() % contexts.size()].get();
                vkseg_segmenter_desc wanted = small;
                if (random() % 2 == 0) wanted.outputs = 1;
                // Some rounds only prepare a recording on the device, some run on host memory.
                if (random() % 4 == 0) {
                    wanted = small_desc(VKSEG_BUFFER, 31);
                    vkseg_segmenter* made = nullptr;
                    if (vkseg_segmenter_create(context, model(), &wanted, &made) != VKSEG_SUCCESS ||
                        vkseg_segmenter_prepare(made, nullptr, nullptr) != VKSEG_SUCCESS)
                        ++wrong;
                    vkseg_segmenter_destroy(made);
                } else if (standalone(context, model(), wanted, picture) != expected) {
                    ++wrong;
                }
                ++next;
            }
        });
    threads.clear();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(next, 4 * rounds);
}

INSTANTIATE_TEST_SUITE_P(, DoorCalls, each_driver(), driver_name);

}  // namespace
}  // namespace vkseg::test
