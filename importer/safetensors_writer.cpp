#include "importer/file.hpp"
#include "importer/importer.hpp"
#include "importer/safetensors.hpp"

#include <nlohmann/json.hpp>

#include <bit>
#include <cstdint>
#include <string>

namespace vkseg {
namespace {

/// The header, padded so that the elements behind it are aligned for readers that map the file.
std::string safetensors_header(const Weights& weights, const std::string& file) {
    auto header = nlohmann::json::object();
    if (!weights.metadata.empty()) header["__metadata__"] = weights.metadata;
    uint64_t offset = 0;
    for (const auto& [name, weight] : weights.tensors) {
        const Tensor& tensor = weight.tensor;
        if (name == "__metadata__") {
            throw error("'{}': a tensor is named '__metadata__', which safetensors keeps for itself", file);
        }
        if (static_cast<uint64_t>(element_count(tensor.shape)) != tensor.data.size()) {
            throw error("'{}': tensor {} has {} values, its shape {} expects {}", file, importer::in_quotes(name),
                        tensor.data.size(), to_string(tensor.shape), element_count(tensor.shape));
        }
        const uint64_t end = offset + tensor.data.size() * sizeof(float);
        header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
        offset = end;
    }
    try {
        std::string text = header.dump();
        constexpr size_t alignment = 8;
        text.append((alignment - text.size() % alignment) % alignment, ' ');
        return text;
    } catch (const nlohmann::json::exception&) {
        throw error("'{}': a tensor's name or the metadata is not UTF-8, which safetensors requires", file);
    }
}

template <typename T>
importer::Bytes bytes_of(const T* values, size_t count) {
    return {reinterpret_cast<const uint8_t*>(values), count * sizeof(T)};
}

}  // namespace

void save_safetensors(const std::filesystem::path& file, const Weights& weights) {
    const std::string header = safetensors_header(weights, file.string());
    const uint64_t header_bytes = header.size();
    if (header_bytes > importer::max_safetensors_header_bytes) {
        throw error("'{}': its safetensors header would have {} bytes, expected at most {}", file.string(),
                    header_bytes, importer::max_safetensors_header_bytes);
    }
    importer::AtomicFile out(file);
    out.write(bytes_of(&header_bytes, 1));
    out.write(bytes_of(header.data(), header.size()));
    for (const auto& [name, weight] : weights.tensors) {
        out.write(bytes_of(weight.tensor.data.data(), weight.tensor.data.size()));
    }
    out.commit();
}

}  // namespace vkseg
