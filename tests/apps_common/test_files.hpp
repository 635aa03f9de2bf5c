#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/image.hpp"
#include "graph/ir/error.hpp"

namespace vkseg::app::test {

using Bytes = std::vector<uint8_t>;

/// A folder that lives as long as the test.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "vkseg-test-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw error("cannot make '{}'", name);
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    std::filesystem::path put(std::string_view name, const Bytes& bytes) const {
        std::ofstream(path_ / name, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        return path_ / name;
    }
    std::filesystem::path put(std::string_view name, std::string_view text) const {
        return put(name, Bytes(text.begin(), text.end()));
    }

    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path_)) found.push_back(entry.path().filename());
        return found;
    }

private:
    std::filesystem::path path_;
};

inline Bytes content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(file), {});
}

/// The message of the vkseg::Error that `action` throws; "" when it throws none.
template <typename Action>
std::string message_of(Action&& action) {
    try {
        action();
    } catch (const Error& failure) {
        return failure.what();
    }
    return "";
}

inline testing::AssertionResult contains(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "\"" << text << "\" does not contain \"" << part << "\"";
}

/// A disk that is full after `bytes` of each file, until the end of the scope.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &old_);
        const rlimit limit{bytes, old_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, old_handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit old_{};
    void (*old_handler_)(int);
};

inline void append_32(Bytes& bytes, uint32_t value) {
    for (int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<uint8_t>(value >> shift));
}

inline void append_chunk(Bytes& png, std::string_view type, const Bytes& data) {
    append_32(png, static_cast<uint32_t>(data.size()));
    const size_t start = png.size();
    png.insert(png.end(), type.begin(), type.end());
    png.insert(png.end(), data.begin(), data.end());
    append_32(png, static_cast<uint32_t>(crc32(0, png.data() + start, static_cast<uInt>(png.size() - start))));
}

/// A PNG of any kind; `rows` holds the samples of all rows without filter bytes.
inline Bytes make_png(uint32_t width, uint32_t height, int bits, int colour_type, const Bytes& rows,
                      const Bytes& palette = {}) {
    Bytes png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    Bytes header;
    append_32(header, width);
    append_32(header, height);
    for (int value : {bits, colour_type, 0, 0, 0}) header.push_back(static_cast<uint8_t>(value));
    append_chunk(png, "IHDR", header);
    if (!palette.empty()) append_chunk(png, "PLTE", palette);
    Bytes filtered;
    const size_t row_bytes = rows.size() / height;
    for (size_t y = 0; row_bytes > 0 && y < height; ++y) {
        filtered.push_back(0);
        filtered.insert(filtered.end(), rows.begin() + static_cast<ptrdiff_t>(y * row_bytes),
                        rows.begin() + static_cast<ptrdiff_t>((y + 1) * row_bytes));
    }
    uLongf size = compressBound(static_cast<uLong>(filtered.size()));
    Bytes compressed(size);
    compress(compressed.data(), &size, filtered.data(), static_cast<uLong>(filtered.size()));
    compressed.resize(size);
    append_chunk(png, "IDAT", compressed);
    append_chunk(png, "IEND", {});
    return png;
}

/// Smooth, with every pixel different from its neighbours.
inline Image gradient(int width, int height, int channels = 3) {
    Image image(width, height, channels);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            for (int c = 0; c < channels; ++c) {
                image.at(x, y)[c] = static_cast<uint8_t>((x * (c + 3) + y * (5 - c) + 40 * c) & 0xFF);
            }
        }
    }
    return image;
}

}  // namespace vkseg::app::test
