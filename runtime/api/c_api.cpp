#include "graph/ir/error.hpp"
#include "runtime/api/baked_model.hpp"
#include "runtime/api/include/vkseg/vkseg.h"
#include "runtime/api/model_loader.hpp"
#include "runtime/api/runner.hpp"

#include <algorithm>
#include <new>

// The C edge: exceptions become codes and a sentence.

struct vkseg_segmenter {
    std::unique_ptr<vkseg::Context> context;
    std::unique_ptr<vkseg::Runner> runner;
};

namespace {

thread_local std::string last_error;

template <typename Body>
vkseg_result guarded(const Body& body) {
    last_error.clear();
    const auto fail = [](vkseg_result code, const char* text) {
        try {
            last_error = text;
        } catch (const std::bad_alloc&) {
        }
        return code;
    };
    try {
        body();
        return VKSEG_SUCCESS;
    } catch (const vkseg::DeviceLost& reason) {
        return fail(VKSEG_ERROR_DEVICE_LOST, reason.what());
    } catch (const vkseg::OutOfMemory& reason) {
        return fail(VKSEG_ERROR_OUT_OF_MEMORY, reason.what());
    } catch (const std::bad_alloc&) {
        return fail(VKSEG_ERROR_OUT_OF_MEMORY, "there is not enough host memory");
    } catch (const std::exception& reason) {
        return fail(VKSEG_ERROR_INVALID, reason.what());
    }
}

}  // namespace

const char* vkseg_version(void) {
    return VKSEG_VERSION;
}

const char* vkseg_last_error(void) {
    return last_error.c_str();
}

vkseg_result vkseg_segmenter_create(const vkseg_segmenter_desc* desc, vkseg_segmenter** segmenter) {
    return guarded([&] {
        if (desc == nullptr || segmenter == nullptr) throw vkseg::error("desc and segmenter must not be NULL");
        *segmenter = nullptr;
        if (desc->struct_size < sizeof(vkseg_segmenter_desc))
            throw vkseg::error("desc->struct_size is {}, expected at least {}", desc->struct_size,
                               sizeof(vkseg_segmenter_desc));
        if (desc->network_path == nullptr) throw vkseg::error("desc->network_path must not be NULL");
        auto made = std::make_unique<vkseg_segmenter>();
        const auto loaded = vkseg::load_baked(std::filesystem::path(desc->network_path),
                                              {static_cast<int>(std::min(desc->network_width, 65535u)),
                                               static_cast<int>(std::min(desc->network_height, 65535u)),
                                               {}});
        vkseg::ContextOptions options;
        if (desc->device != nullptr) options.device = desc->device;
        made->context = std::make_unique<vkseg::Context>(std::move(options));
        vkseg::RunnerOptions how;
        how.denied_families = loaded.choices.denied_families;
        if (!loaded.precision_by_device)
            how.precision = loaded.choices.precision == vkseg::Precision::FP16 ? vkseg::PrecisionChoice::FP16
                                                                               : vkseg::PrecisionChoice::FP32;
        made->runner = std::make_unique<vkseg::Runner>(loaded.model, made->context.get(), how);
        *segmenter = made.release();
    });
}

void vkseg_segmenter_destroy(vkseg_segmenter* segmenter) {
    delete segmenter;
}

uint32_t vkseg_segmenter_class_count(const vkseg_segmenter* segmenter) {
    return segmenter == nullptr ? 0 : static_cast<uint32_t>(segmenter->runner->model().classes);
}

vkseg_result vkseg_segmenter_run(vkseg_segmenter* segmenter, const uint8_t* rgb, uint32_t width, uint32_t height,
                                 uint8_t* labels) {
    return guarded([&] {
        if (segmenter == nullptr || rgb == nullptr || labels == nullptr)
            throw vkseg::error("segmenter, rgb and labels must not be NULL");
        if (width < 1 || height < 1 || width > 32767 || height > 32767)
            throw vkseg::error("a picture of {}x{} pixels: a side has 1 to 32767", width, height);
        vkseg::SegmentationOptions options;
        options.picture_width = static_cast<int>(width);
        options.picture_height = static_cast<int>(height);
        options.network_width = segmenter->runner->model().width;
        options.network_height = segmenter->runner->model().height;
        const auto results = segmenter->runner->segment({rgb, size_t{width} * height * 3}, options);
        std::copy(results[0].begin(), results[0].end(), labels);
    });
}
