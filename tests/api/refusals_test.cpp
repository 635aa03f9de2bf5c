#include "tests/api/door_host.hpp"

namespace vkseg::test {
namespace {

/// The code, and in the sentence every one of the words.
void expect_refused(vkseg_result found, vkseg_result expected, std::initializer_list<const char*> words) {
    EXPECT_EQ(found, expected) << vkseg_result_name(found) << ": " << vkseg_last_error();
    const std::string sentence = vkseg_last_error();
    for (const char* word : words) EXPECT_NE(sentence.find(word), std::string::npos) << sentence;
}

class DoorRefusals : public Door {
protected:
    vkseg_result create(vkseg_context* context, const vkseg_segmenter_desc& desc) const {
        vkseg_segmenter* segmenter = nullptr;
        const vkseg_result answer = vkseg_segmenter_create(context, model(), &desc, &segmenter);
        EXPECT_EQ(segmenter != nullptr, answer == VKSEG_SUCCESS);
        vkseg_segmenter_destroy(segmenter);
        return answer;
    }
};

TEST_P(DoorRefusals, OfSegmenters) {
    const auto context = host().make_context();
    const auto refused = [&](const std::function<void(vkseg_segmenter_desc&)>& spoil, vkseg_result code,
                             std::initializer_list<const char*> words) {
        vkseg_segmenter_desc desc = small_desc(VKSEG_IMAGE, 31);
        spoil(desc);
        expect_refused(create(context.get(), desc), code, words);
    };
    constexpr vkseg_result bad = VKSEG_ERROR_INVALID_ARGUMENT, unsupported = VKSEG_ERROR_UNSUPPORTED;
    refused([](auto& d) { d.struct_size = 0; }, bad, {"struct_size is 0"});
    refused([](auto& d) { d.picture_width = 0; }, bad, {"0x45", "1 to 32767"});
    refused([](auto& d) { d.picture_height = 40000; }, bad, {"61x40000"});
    refused([](auto& d) { d.network_width = 65, d.network_height = 48; }, bad, {"65x48", "nearest size", "64x48"});
    refused([](auto& d) { d.picture_format = VK_FORMAT_R8_UINT; }, unsupported, {"picture_format", "R8G8B8A8"});
    refused([](auto& d) { d.picture_format = VK_FORMAT_UNDEFINED; }, unsupported, {"picture_format"});
    refused([](auto& d) { d.output[VKSEG_LABELS].format = VK_FORMAT_R8G8B8A8_UNORM; }, unsupported, {"labels"});
    refused([](auto& d) { d.output[VKSEG_SCORES].place = VKSEG_IMAGE; }, unsupported, {"scores"});
    refused([](auto& d) { d.output[VKSEG_LABELS].place = VKSEG_HOST_MEMORY; }, bad, {"labels", "host memory"});
    refused([](auto& d) { d.outputs = 64; }, bad, {"outputs is 0x40"});
    refused([](auto& d) { d.frame_slots = 17; }, bad, {"17", "at most 16"});
    refused([](auto& d) { d.opacity = 2; }, bad, {"opacity is 2"});
    refused([](auto& d) { d.palette_size = 3; }, bad, {"palette"});
    expect_refused(vkseg_segmenter_create(nullptr, model(), nullptr, nullptr), bad, {"NULL"});
}

TEST_P(DoorRefusals, OfFrames) {
    const auto context = host().make_context(VKSEG_CONTEXT_CHECKED);
    Frame frame(host(), context.get(), model(), small_desc(VKSEG_IMAGE, 1), noise_picture(), false);
    vkseg_segmenter* segmenter = frame.segmenter();
    host().run([&](VkCommandBuffer commands) {
        expect_refused(vkseg_segmenter_record_setup(segmenter, commands), VKSEG_ERROR_NOT_READY, {"prepare first"});
        expect_refused(vkseg_segmenter_record(segmenter, commands, &frame.record_desc(), nullptr),
                       VKSEG_ERROR_NOT_READY, {"set-up"});
    });
    expect_refused(vkseg_segmenter_finish_setup(segmenter), VKSEG_ERROR_NOT_READY, {"not recorded"});
    const auto stop = [](void*, uint32_t, uint32_t) { return 1; };
    const vkseg_result stopped = vkseg_segmenter_prepare(segmenter, stop, nullptr);
    expect_refused(stopped, VKSEG_ERROR_NOT_READY, {"stopped"});
    struct Counts {
        uint32_t calls = 0, done = 0, total = 0;
    } counts;
    const auto count = [](void* user, uint32_t done, uint32_t total) {
        auto& seen = *static_cast<Counts*>(user);
        EXPECT_GE(done, seen.done);
        seen = {seen.calls + 1, done, total};
        return 0;
    };
    EXPECT_EQ(vkseg_segmenter_prepare(segmenter, count, &counts), VKSEG_SUCCESS) << vkseg_last_error();
    EXPECT_EQ(counts.done, counts.total);
    EXPECT_GT(counts.calls, 2u);
    host().run([&](VkCommandBuffer commands) {
        EXPECT_EQ(vkseg_segmenter_record_setup(segmenter, commands), VKSEG_SUCCESS);
        expect_refused(vkseg_segmenter_record_setup(segmenter, commands), VKSEG_ERROR_NOT_READY, {"already"});
    });
    host().run([&](VkCommandBuffer commands) {
        vkseg_record_desc desc = frame.record_desc();
        desc.inside_render_pass = VK_TRUE;
        expect_refused(vkseg_segmenter_record(segmenter, commands, &desc, nullptr), VKSEG_ERROR_INSIDE_RENDER_PASS,
                       {"end it first"});
        desc = frame.record_desc();
        desc.slot = 2;
        expect_refused(vkseg_segmenter_record(segmenter, commands, &desc, nullptr), VKSEG_ERROR_INVALID_ARGUMENT,
                       {"slot is 2"});
        desc = frame.record_desc();
        desc.picture.view = VK_NULL_HANDLE;
        expect_refused(vkseg_segmenter_record(segmenter, commands, &desc, nullptr), VKSEG_ERROR_INVALID_ARGUMENT,
                       {"picture", "view"});
        desc = frame.record_desc();
        desc.output[VKSEG_LABELS].image = VK_NULL_HANDLE;
        expect_refused(vkseg_segmenter_record(segmenter, commands, &desc, nullptr), VKSEG_ERROR_INVALID_ARGUMENT,
                       {"output"});
        // Recorded, but not run: the slot is in use until then.
        EXPECT_EQ(vkseg_segmenter_record(segmenter, commands, &frame.record_desc(), nullptr), VKSEG_SUCCESS);
        expect_refused(vkseg_segmenter_record(segmenter, commands, &frame.record_desc(), nullptr),
                       VKSEG_ERROR_SLOT_IN_USE, {"slot 0", "fence"});
    });
    frame.record_desc().output[VKSEG_LABELS].before = frame.record_desc().output[VKSEG_LABELS].after;
    frame.advance();
    expect_refused(vkseg_segmenter_run(segmenter, nullptr), VKSEG_ERROR_INVALID_ARGUMENT, {"NULL"});
    const vkseg_run_desc run{sizeof run, nullptr, {}};
    expect_refused(vkseg_segmenter_run(segmenter, &run), VKSEG_ERROR_INVALID_ARGUMENT, {"record or submit"});
}

TEST_P(DoorRefusals, OfContexts) {
    vkseg_context* context = nullptr;
    vkseg_context_desc desc = host().context_desc();
    desc.device = VK_NULL_HANDLE;
    expect_refused(vkseg_context_create(&desc, &context), VKSEG_ERROR_INVALID_ARGUMENT, {"desc->device is zero"});
    desc = host().context_desc();
    desc.queue_family = 77;
    expect_refused(vkseg_context_create(&desc, &context), VKSEG_ERROR_UNSUPPORTED, {"queue family 77"});
    desc = {};
    desc.struct_size = sizeof desc;
    desc.device_name = "no such device";
    expect_refused(vkseg_context_create(&desc, &context), VKSEG_ERROR_UNSUPPORTED, {"no such device"});
    EXPECT_EQ(context, nullptr);
}

TEST_P(DoorRefusals, OfModels) {
    vkseg_model* model = nullptr;
    std::vector<uint8_t> bytes = bake_small_network();
    expect_refused(vkseg_model_load(nullptr, 5, &model), VKSEG_ERROR_INVALID_ARGUMENT, {"NULL"});
    expect_refused(vkseg_model_load(bytes.data(), 100, &model), VKSEG_ERROR_INVALID_MODEL, {"baked network"});
    bytes[bytes.size() / 2] ^= 1;
    expect_refused(vkseg_model_load(bytes.data(), bytes.size(), &model), VKSEG_ERROR_INVALID_MODEL, {"damaged"});
    expect_refused(vkseg_model_load_file("none.vkseg", &model), VKSEG_ERROR_INVALID_MODEL, {"none.vkseg"});
    EXPECT_EQ(model, nullptr);
}

TEST_P(DoorRefusals, AForeignCacheIsIgnoredWithANoteAndAnOwnOneIsTaken) {
    static std::string notes;
    const auto create = [&](std::vector<uint8_t>& cache) {
        vkseg_context_desc desc = host().context_desc();
        desc.cache = cache.data();
        desc.cache_size = cache.size();
        desc.note = [](void*, const char* sentence) { notes += sentence; };
        notes.clear();
        vkseg_context* context = nullptr;
        EXPECT_EQ(vkseg_context_create(&desc, &context), VKSEG_SUCCESS) << vkseg_last_error();
        return ContextHandle(context);
    };
    std::vector<uint8_t> garbage(1000, 7);
    const auto context = create(garbage);
    EXPECT_NE(notes.find("ignored"), std::string::npos) << notes;
    const Frame frame(host(), context.get(), model(), small_desc(VKSEG_BUFFER, 1), noise_picture());
    size_t size = 0;
    EXPECT_EQ(vkseg_context_get_cache(context.get(), nullptr, &size), VKSEG_SUCCESS);
    std::vector<uint8_t> cache(size);
    EXPECT_EQ(vkseg_context_get_cache(context.get(), cache.data(), &size), VKSEG_SUCCESS);
    size_t small = 3;
    expect_refused(vkseg_context_get_cache(context.get(), cache.data(), &small), VKSEG_ERROR_INVALID_ARGUMENT,
                   {"room for 3"});
    EXPECT_EQ(small, size);
    static_cast<void>(create(cache));
    EXPECT_EQ(notes, "");
    cache[10] ^= 1;
    static_cast<void>(create(cache));
    EXPECT_NE(notes.find("another device"), std::string::npos) << notes;
}

TEST_P(DoorRefusals, WhatTheHostDidNotEnableIsAdvised) {
    const vkseg_context_desc desc = host().context_desc();
    vkseg_context* made = nullptr;
    ASSERT_EQ(vkseg_context_create(&desc, &made), VKSEG_SUCCESS) << vkseg_last_error();
    const ContextHandle context(made);
    vkseg_context_info info{};
    info.struct_size = sizeof info;
    ASSERT_EQ(vkseg_context_get_info(made, &info), VKSEG_SUCCESS);
    EXPECT_EQ(info.device, this->context().device());
    if (this->context().facts().buffer_device_address) {
        EXPECT_NE(std::string(info.would_be_faster_with).find("bufferDeviceAddress"), std::string::npos)
            << info.would_be_faster_with;
    }
    EXPECT_EQ(std::string(info.would_be_faster_with).find("shaderInt64") != std::string::npos,
              suits_cpu_shape(this->context().facts()))
        << info.would_be_faster_with;
    info.struct_size = sizeof info;
    ASSERT_EQ(vkseg_context_get_info(host().make_context().get(), &info), VKSEG_SUCCESS);
}

TEST_P(DoorRefusals, WithNothingOptionalEverythingRuns) {
    vkseg_context_desc desc = host().context_desc();
    desc.api_version = VK_API_VERSION_1_1;
    vkseg_context* made = nullptr;
    ASSERT_EQ(vkseg_context_create(&desc, &made), VKSEG_SUCCESS) << vkseg_last_error();
    const ContextHandle context(made);
    Frame frame(host(), made, model(), small_desc(VKSEG_IMAGE, 31), noise_picture());
    frame.finish();
    EXPECT_EQ(frame.results(), standalone(made, model(), small_desc(VKSEG_HOST_MEMORY, 31), noise_picture()));
}

INSTANTIATE_TEST_SUITE_P(, DoorRefusals, each_driver(), driver_name);

}  // namespace
}  // namespace vkseg::test
