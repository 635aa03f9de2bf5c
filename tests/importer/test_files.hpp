#pragma once

#include "importer/bytes.hpp"
#include "importer/importer.hpp"
#include "tests/importer/pickle_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Weights files made in memory, and a folder to put them in.
namespace vkseg::importer_test {

using Storages = std::vector<std::pair<std::string, std::string>>;

class TempFolder {
public:
    TempFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "vkseg_importer_XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        path_ = pattern;
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    [[nodiscard]] std::filesystem::path write(const std::string& name, std::string_view bytes) const {
        const std::filesystem::path file = path_ / name;
        std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        return file;
    }

    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) names.push_back(entry.path().filename());
        std::ranges::sort(names);
        return names;
    }

private:
    std::filesystem::path path_;
};

inline std::string contents(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

template <typename T>
std::string elements(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

inline importer::Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// The sentence of the vkseg::Error that `action` throws; "" (and a failed test) when it throws none.
template <typename Action>
std::string error_of(const Action& action) {
    try {
        action();
    } catch (const Error& problem) {
        return problem.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
}

#define EXPECT_MENTIONS(text, part) EXPECT_NE(std::string(text).find(part), std::string::npos) << (text)

inline std::string legacy_preamble(bool is_little_endian = true) {
    constexpr std::string_view magic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    PickleWriter system;
    system.empty_dict().mark().text("protocol_version").integer(1001);
    system.text("little_endian").boolean(is_little_endian).set_items();
    return PickleWriter().raw(magic).stop() + PickleWriter().integer(1001).stop() + system.stop();
}

/// `elements_of` each storage: its bytes divided by `item_bytes`.
inline std::string legacy_file(const std::string& object_pickle, const Storages& storages, size_t item_bytes = 4) {
    PickleWriter keys;
    keys.raw("]").mark();
    for (const auto& [key, bytes] : storages) keys.text(key);
    keys.raw("e");
    std::string file = legacy_preamble() + object_pickle + keys.stop();
    for (const auto& [key, bytes] : storages) file += little_endian<uint64_t>(bytes.size() / item_bytes) + bytes;
    return file;
}

inline uint32_t crc32(std::string_view bytes) {
    uint32_t crc = ~0u;
    for (char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
    }
    return ~crc;
}

/// One entry of a zip archive; the optional claims are written instead of the truth.
struct ZipEntry {
    std::string name{};
    std::string bytes{};
    uint16_t method = 0;
    uint16_t flags = 0;
    /// Bytes unpacked, where it is not the number of `bytes`.
    int64_t claimed_bytes = -1;
    /// Checksum unpacked, where it is not that of `bytes`.
    int64_t claimed_crc = -1;
};

/// A zip archive of entries as they are ("stored"), unless an entry says that its bytes are something else.
inline std::string zip_archive(const std::vector<ZipEntry>& entries) {
    std::string file;
    std::string directory;
    for (const ZipEntry& entry : entries) {
        const auto size = static_cast<uint32_t>(entry.bytes.size());
        const auto claimed = entry.claimed_bytes < 0 ? size : static_cast<uint32_t>(entry.claimed_bytes);
        const auto crc = entry.claimed_crc < 0 ? crc32(entry.bytes) : static_cast<uint32_t>(entry.claimed_crc);
        const std::string facts = little_endian<uint16_t>(20) + little_endian(entry.flags) +
                                  little_endian(entry.method) + little_endian<uint32_t>(0x00210000) +
                                  little_endian(crc) + little_endian(size) + little_endian(claimed) +
                                  little_endian(static_cast<uint16_t>(entry.name.size())) + little_endian<uint16_t>(0);
        directory += "PK\x01\x02" + little_endian<uint16_t>(20) + facts + std::string(10, '\0') +
                     little_endian(static_cast<uint32_t>(file.size())) + entry.name;
        file += "PK\x03\x04" + facts + entry.name + entry.bytes;
    }
    const auto count = little_endian(static_cast<uint16_t>(entries.size()));
    const auto start = static_cast<uint32_t>(file.size());
    return file + directory + "PK\x05\x06" + std::string(4, '\0') + count + count +
           little_endian(static_cast<uint32_t>(directory.size())) + little_endian(start) + std::string(2, '\0');
}

inline std::vector<ZipEntry> zip_entries(const std::string& object_pickle, const Storages& storages,
                                         const std::string& root = "net/") {
    std::vector<ZipEntry> entries{{.name = root + "data.pkl", .bytes = object_pickle},
                                  {.name = root + "byteorder", .bytes = "little"}};
    for (const auto& [key, bytes] : storages) entries.push_back({.name = root + "data/" + key, .bytes = bytes});
    entries.push_back({.name = root + "version", .bytes = "3\n"});
    return entries;
}

inline std::string zip_file(const std::string& object_pickle, const Storages& storages) {
    return zip_archive(zip_entries(object_pickle, storages));
}

inline std::string safetensors_file(const std::string& header, const std::string& data) {
    return little_endian<uint64_t>(header.size()) + header + data;
}

/// Two tensors, one of them a bias, used where the content does not matter.
inline std::vector<TensorEntry> small_net(bool legacy) {
    return {
        {.name = "conv.weight", .storage_key = "0", .total = 6, .shape = {2, 3}, .strides = {3, 1}, .legacy = legacy},
        {.name = "conv.bias", .storage_key = "1", .total = 2, .shape = {2}, .strides = {1}, .legacy = legacy}};
}

inline Storages small_storages() {
    return {{"0", elements<float>({1, 2, 3, 4, 5, 6})}, {"1", elements<float>({-0.5f, 0.25f})}};
}

inline std::string small_safetensors() {
    return safetensors_file(R"({"conv.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                            R"("conv.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]}})",
                            elements<float>({-0.5f, 0.25f, 1, 2, 3, 4, 5, 6}));
}

inline void expect_small_net(const Weights& weights) {
    ASSERT_EQ(weights.tensors.size(), 2u);
    const WeightTensor& weight = weights.tensors.at("conv.weight");
    EXPECT_EQ(weight.tensor.shape, (Shape{2, 3}));
    EXPECT_EQ(weight.tensor.data, (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(weight.stored_type, StoredType::F32);
    EXPECT_EQ(weights.tensors.at("conv.bias").tensor.data, (std::vector<float>{-0.5f, 0.25f}));
}

}  // namespace vkseg::importer_test
