#include "runtime/api/c_objects.hpp"
#include "runtime/recorder.hpp"

#include <new>

using namespace vkseg::capi;

namespace {

thread_local std::string last_error;

vkseg_result fail(vkseg_result code, const char* text) {
    try {
        last_error = text;
    } catch (const std::bad_alloc&) {
    }
    return code;
}

}  // namespace

vkseg_result vkseg::capi::guarded(const std::function<void()>& body, vkseg_result otherwise) {
    last_error.clear();
    try {
        body();
        return VKSEG_SUCCESS;
    } catch (const Refusal& reason) {
        return fail(reason.code(), reason.what());
    } catch (const DeviceLost& reason) {
        return fail(VKSEG_ERROR_DEVICE_LOST, reason.what());
    } catch (const OutOfMemory& reason) {
        return fail(VKSEG_ERROR_OUT_OF_DEVICE_MEMORY, reason.what());
    } catch (const NotReady& reason) {
        return fail(VKSEG_ERROR_NOT_READY, reason.what());
    } catch (const SlotInUse& reason) {
        return fail(VKSEG_ERROR_SLOT_IN_USE, reason.what());
    } catch (const std::bad_alloc&) {
        return fail(VKSEG_ERROR_OUT_OF_HOST_MEMORY, "there is not enough host memory");
    } catch (const Error& reason) {
        return fail(otherwise, reason.what());
    } catch (const std::exception& reason) {
        return fail(VKSEG_ERROR_INTERNAL, reason.what());
    }
}

const char* vkseg_version(void) {
    return VKSEG_VERSION;
}

uint32_t vkseg_api_version(void) {
    return VKSEG_API_VERSION;
}

const char* vkseg_last_error(void) {
    return last_error.c_str();
}

const char* vkseg_result_name(vkseg_result result) {
    switch (result) {
#define VKSEG_NAME(code) \
    case code:           \
        return #code;
        VKSEG_NAME(VKSEG_SUCCESS)
        VKSEG_NAME(VKSEG_ERROR_INVALID_ARGUMENT)
        VKSEG_NAME(VKSEG_ERROR_INVALID_MODEL)
        VKSEG_NAME(VKSEG_ERROR_UNSUPPORTED)
        VKSEG_NAME(VKSEG_ERROR_OUT_OF_HOST_MEMORY)
        VKSEG_NAME(VKSEG_ERROR_OUT_OF_DEVICE_MEMORY)
        VKSEG_NAME(VKSEG_ERROR_DEVICE_LOST)
        VKSEG_NAME(VKSEG_ERROR_NOT_READY)
        VKSEG_NAME(VKSEG_ERROR_SLOT_IN_USE)
        VKSEG_NAME(VKSEG_ERROR_INSIDE_RENDER_PASS)
        VKSEG_NAME(VKSEG_ERROR_INTERNAL)
#undef VKSEG_NAME
    }
    return "an unknown code";
}

vkseg_result vkseg_model_load(const void* bytes, size_t size, vkseg_model** model) {
    return guarded(
        [&] {
            required(model, "model") = nullptr;
            required(bytes == nullptr ? nullptr : model, "bytes");
            auto made = std::make_unique<vkseg_model>();
            made->baked = std::make_shared<const vkseg::BakedModel>(
                vkseg::load_baked(std::span(static_cast<const uint8_t*>(bytes), size)));
            *model = made.release();
        },
        VKSEG_ERROR_INVALID_MODEL);
}

vkseg_result vkseg_model_load_file(const char* path, vkseg_model** model) {
    return guarded(
        [&] {
            required(model, "model") = nullptr;
            const std::filesystem::path file = &required(path, "path");
            auto made = std::make_unique<vkseg_model>();
            made->baked = std::make_shared<const vkseg::BakedModel>(vkseg::load_baked(file));
            *model = made.release();
        },
        VKSEG_ERROR_INVALID_MODEL);
}

void vkseg_model_destroy(vkseg_model* model) {
    delete model;
}

vkseg_result vkseg_model_get_info(const vkseg_model* model, vkseg_model_info* info) {
    return guarded([&] {
        const vkseg::Model& found = *required(model, "model").baked->model;
        vkseg_model_info result{};
        result.network = found.network.c_str();
        result.class_count = static_cast<uint32_t>(found.classes);
        result.default_width = static_cast<uint32_t>(found.width);
        result.default_height = static_cast<uint32_t>(found.height);
        result.parameter_count = found.parameters;
        fill(info, "info", result);
    });
}

const char* vkseg_model_class_name(const vkseg_model* model, uint32_t index) {
    if (model == nullptr || index >= model->baked->classes.classes.size()) return "";
    return model->baked->classes.classes[index].name.c_str();
}

uint32_t vkseg_model_class_colour(const vkseg_model* model, uint32_t index) {
    if (model == nullptr || index >= model->baked->classes.classes.size()) return 0xff000000u;
    const vkseg::Colour& colour = model->baked->classes.classes[index].colour;
    return 0xff000000u | uint32_t{colour[2]} << 16 | uint32_t{colour[1]} << 8 | colour[0];
}
