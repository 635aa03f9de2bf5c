#include "graph/ir/error.hpp"
#include "importer/config_json.hpp"
#include "models/class_sets.hpp"
#include "runtime/api/baked_model.hpp"
#include "runtime/api/include/vkseg/vkseg_import.h"
#include "runtime/api/model_loader.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

// The C edge of the importer: exceptions become codes and a sentence.

namespace {

thread_local std::string last_error;

vkseg_import_result fail(vkseg_import_result code, const char* text) {
    try {
        last_error = text;
    } catch (const std::bad_alloc&) {
    }
    return code;
}

int side(uint32_t pixels) {
    if (pixels > 32767) throw vkseg::error("a side of {} pixels: expected at most 32767", pixels);
    return static_cast<int>(pixels);
}

std::vector<uint8_t> import(const vkseg_import_desc& desc) {
    if (desc.struct_size < sizeof(vkseg_import_desc))
        throw vkseg::error("desc->struct_size is {}, expected at least {}", desc.struct_size,
                           sizeof(vkseg_import_desc));
    if (desc.network == nullptr || desc.weights_path == nullptr)
        throw vkseg::error("desc->network and desc->weights_path must not be NULL");
    if (desc.precision > VKSEG_IMPORT_PRECISION_FP16)
        throw vkseg::error("desc->precision is {}, expected 0 to 2", static_cast<int>(desc.precision));
    vkseg::ModelOptions options;
    options.network = desc.network;
    options.weights = desc.weights_path;
    if (desc.config_json != nullptr) options.config = vkseg::config_from_json(desc.config_json, "desc->config_json");
    const auto model = vkseg::load_model(options, side(desc.width), side(desc.height));
    vkseg::Choices choices;
    if (desc.precision == VKSEG_IMPORT_PRECISION_FP16) choices.precision = vkseg::Precision::FP16;
    return vkseg::bake(*model, choices,
                       desc.classes != nullptr ? vkseg::class_set(desc.classes)
                                               : vkseg::default_class_set(model->network, model->classes),
                       desc.precision == VKSEG_IMPORT_PRECISION_AUTO);
}

}  // namespace

vkseg_import_result vkseg_import(const vkseg_import_desc* desc, uint8_t** bytes, size_t* size) {
    last_error.clear();
    if (bytes != nullptr) *bytes = nullptr;
    if (size != nullptr) *size = 0;
    try {
        if (desc == nullptr || bytes == nullptr || size == nullptr)
            throw vkseg::error("desc, bytes and size must not be NULL");
        const std::vector<uint8_t> baked = import(*desc);
        auto* copy = static_cast<uint8_t*>(std::malloc(baked.size()));
        if (copy == nullptr) throw std::bad_alloc();
        std::memcpy(copy, baked.data(), baked.size());
        *bytes = copy;
        *size = baked.size();
        return VKSEG_IMPORT_SUCCESS;
    } catch (const std::bad_alloc&) {
        return fail(VKSEG_IMPORT_ERROR_OUT_OF_MEMORY, "there is not enough host memory");
    } catch (const std::exception& reason) {
        return fail(VKSEG_IMPORT_ERROR_INVALID, reason.what());
    }
}

void vkseg_import_free(uint8_t* bytes) {
    std::free(bytes);
}

const char* vkseg_import_last_error(void) {
    return last_error.c_str();
}
