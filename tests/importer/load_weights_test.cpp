#include "tests/importer/test_files.hpp"

#include "importer/file.hpp"
#include "importer/float_formats.hpp"
#include "importer/pickle.hpp"

#include <sys/stat.h>

#include <bit>
#include <cmath>

namespace vkseg::importer_test {
namespace {

std::string refusal(const std::filesystem::path& file) {
    return error_of([&] { static_cast<void>(load_weights(file)); });
}

TEST(LoadWeights, SaysWhatIsWrongWithAPath) {
    const TempFolder folder;
    const auto absent = folder.path() / "absent.pth";
    EXPECT_EQ(refusal(absent), "'" + absent.string() + "': no such file");
    EXPECT_EQ(refusal(folder.path()), "'" + folder.path().string() + "': is a directory, expected a weights file");
    EXPECT_MENTIONS(refusal("/dev/zero"), "is a device or pipe");
    const auto pipe = folder.path() / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_MENTIONS(refusal(pipe), "is a device or pipe");
    EXPECT_MENTIONS(refusal(folder.write("file", "x") / "net.pth"), "cannot be opened (Not a directory)");
    EXPECT_MENTIONS(refusal(""), "no such file");
}

TEST(LoadWeights, SaysWhatAnUnknownFileIs) {
    const TempFolder folder;
    const auto says = [&](std::string_view bytes, const char* what) {
        const auto file = folder.write("net.pth", bytes);
        for (const auto& read : {load_weights, read_torch_state_dict, read_safetensors}) {
            const std::string sentence = error_of([&] { static_cast<void>(read(file)); });
            EXPECT_MENTIONS(sentence, what);
            EXPECT_MENTIONS(sentence, file.string());
        }
    };
    says("", "is empty");
    says("layer1 0.5 0.25\nlayer2 1.0\n", "is a text file");
    says("sizes 1 {", "is a text file");
    says("<!DOCTYPE html><html>Sign in</html>", "is an HTML page");
    says("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 8\n", "is a Git LFS pointer");
    says(std::string(257, '\0') + "ustar" + std::string(300, '\0'), "is a tar archive");
    says(std::string("\x89HDF\r\n\x1a\n\0\0", 10), "has an unknown format");
    says(std::string(4096, '\0'), "has an unknown format");
    says("PK", "is only 2 bytes long");
    says("\x80", "is only 1 bytes long");
}

TEST(LoadWeights, RefusesFilesLargerThanAnyNetwork) {
    const TempFolder folder;
    const auto file = folder.write("net.pth", "x");
    std::filesystem::resize_file(file, importer::max_file_bytes + 1);
    EXPECT_MENTIONS(refusal(file), "is 4294967297 bytes long");
}

TEST(LoadWeights, ThrowsForAFileCutAnywhere) {
    const TempFolder folder;
    const std::vector<std::string> whole{legacy_file(state_dict_pickle(small_net(true)), small_storages()),
                                         zip_file(state_dict_pickle(small_net(false), 4), small_storages()),
                                         small_safetensors()};
    for (const std::string& bytes : whole) {
        expect_small_net(load_weights(folder.write("net", bytes)));
        for (size_t length = 0; length < bytes.size(); ++length) {
            const auto file = folder.write("net", std::string_view(bytes).substr(0, length));
            const std::string sentence = refusal(file);
            ASSERT_TRUE(sentence.starts_with("'" + file.string() + "': ")) << length << ": " << sentence;
            ASSERT_EQ(sentence.find('\n'), std::string::npos) << sentence;
        }
    }
}

TEST(FloatFormats, HalfMatchesItsDefinitionEverywhere) {
    for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
        const int exponent = static_cast<int>(bits >> 10 & 31u);
        const auto mantissa = static_cast<float>(bits & 0x3ffu);
        const float found = importer::float_from_half(static_cast<uint16_t>(bits));
        EXPECT_EQ(std::signbit(found), bits >= 0x8000);
        if (exponent == 31) {
            EXPECT_EQ(std::isnan(found), mantissa != 0);
            EXPECT_EQ(std::isinf(found), mantissa == 0);
            continue;
        }
        const float magnitude =
            exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024.0f + mantissa, exponent - 25);
        ASSERT_EQ(std::abs(found), magnitude) << bits;
    }
}

TEST(FloatFormats, BFloat16IsTheUpperHalfOfAFloat) {
    EXPECT_EQ(importer::float_from_bfloat16(0x3f80), 1.0f);
    EXPECT_EQ(importer::float_from_bfloat16(0xc2f7), -123.5f);
    EXPECT_TRUE(std::isinf(importer::float_from_bfloat16(0x7f80)));
    EXPECT_TRUE(std::isnan(importer::float_from_bfloat16(0x7fc0)));
}

}  // namespace
}  // namespace vkseg::importer_test
