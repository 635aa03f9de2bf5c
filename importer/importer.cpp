#include "importer/importer.hpp"

#include "importer/bytes.hpp"
#include "importer/file.hpp"
#include "importer/safetensors.hpp"
#include "importer/torch_state_dict.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

namespace vkseg {
namespace {

enum class Format { Zip, Pickle, Safetensors, Unknown };

/// Enough for every format's first bytes and to tell what an unknown file may be.
constexpr uint64_t head_bytes = 512;

Format format_of(std::string_view head) {
    if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) return Format::Zip;
    // Before pickles: a header of 640 bytes has the length 80 02 00 .., which is also how a pickle begins. No pickle of
    // PyTorch's goes on with three zero bytes and a brace at these places.
    if (head.size() > importer::safetensors_length_bytes && head[importer::safetensors_length_bytes] == '{') {
        uint64_t length = 0;
        std::memcpy(&length, head.data(), sizeof(length));
        constexpr uint64_t plausible = uint64_t{1} << 40;
        if (length < plausible) return Format::Safetensors;
    }
    if (head.size() >= 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5) return Format::Pickle;
    return Format::Unknown;
}

/// ASCII or, loosely, UTF-8.
bool is_text(std::string_view head) {
    return std::ranges::all_of(head, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 ? byte != 0x7f && byte < 0xf5 : (byte >= '\t' && byte <= '\r');
    });
}

std::string what_is(std::string_view head) {
    if (head.empty()) return "is empty";
    if (head.size() <= importer::safetensors_length_bytes) return fmt::format("is only {} bytes long", head.size());
    if (head.starts_with("version https://git-lfs")) return "is a Git LFS pointer, not the file itself";
    if (head.starts_with("vksegnet")) return "is a baked network, which holds its weights itself";
    if (head.starts_with("<!DOCTYPE") || head.starts_with("<!doctype") || head.starts_with("<html")) {
        return "is an HTML page";
    }
    constexpr size_t tar_magic_at = 257;
    if (head.size() > tar_magic_at && head.substr(tar_magic_at).starts_with("ustar")) return "is a tar archive";
    if (is_text(head)) return "is a text file";
    return "has an unknown format";
}

Error not_weights(const std::string& file, std::string_view head, const char* expected) {
    return error("'{}': {}, expected {}", file, what_is(head), expected);
}

/// Runs a reader on the file's bytes. The readers keep memory in proportion to the file, which may still be too much.
template <typename Reader>
Weights read_with(const std::filesystem::path& file, const Reader& reader) try {
    const std::string name = file.string();
    const std::vector<uint8_t> bytes = importer::read_file(file);
    return reader(importer::Bytes(bytes), name);
} catch (const std::bad_alloc&) {
    throw error("'{}': needs more memory than is free", file.string());
}

}  // namespace

Weights load_weights(const std::filesystem::path& file) {
    const std::vector<uint8_t> bytes = importer::read_file(file, head_bytes);
    const std::string_view head = importer::text_of(bytes);
    switch (format_of(head)) {
        case Format::Zip:
        case Format::Pickle:
            return read_torch_state_dict(file);
        case Format::Safetensors:
            return read_safetensors(file);
        case Format::Unknown:
            break;
    }
    throw not_weights(file.string(), head, "a PyTorch state dict or a safetensors file");
}

Weights read_torch_state_dict(const std::filesystem::path& file) {
    return read_with(file, [](importer::Bytes bytes, const std::string& name) {
        const std::string_view head = importer::text_of(bytes).substr(0, head_bytes);
        switch (format_of(head)) {
            case Format::Zip:
                return importer::read_torch_zip(bytes, name);
            case Format::Pickle:
                return importer::read_torch_legacy(bytes, name);
            case Format::Safetensors:
                throw error("'{}': is a safetensors file, expected a PyTorch state dict", name);
            case Format::Unknown:
                break;
        }
        throw not_weights(name, head, "a PyTorch state dict");
    });
}

Weights read_safetensors(const std::filesystem::path& file) {
    return read_with(file, [](importer::Bytes bytes, const std::string& name) {
        const std::string_view head = importer::text_of(bytes).substr(0, head_bytes);
        switch (format_of(head)) {
            case Format::Zip:
            case Format::Pickle:
                throw error("'{}': looks like a PyTorch file, expected a safetensors file", name);
            case Format::Safetensors:
                return importer::read_safetensors(bytes, name);
            case Format::Unknown:
                break;
        }
        // A header length beyond anything plausible: the reader says so.
        const size_t brace_at = importer::safetensors_length_bytes;
        if (head.size() > brace_at && head[brace_at] == '{' && !is_text(head))
            return importer::read_safetensors(bytes, name);
        throw not_weights(name, head, "a safetensors file");
    });
}

std::vector<std::string> names_of_non_finite(const Weights& weights) {
    std::vector<std::string> names;
    for (const auto& [name, weight] : weights.tensors) {
        const auto& values = weight.tensor.data;
        if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) names.push_back(name);
    }
    return names;
}

}  // namespace vkseg
