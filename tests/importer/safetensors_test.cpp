#include "importer/safetensors.hpp"

#include "tests/importer/test_files.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>

namespace vkseg::importer_test {
namespace {

Weights read(const std::string& header, const std::string& data) {
    const std::string file = safetensors_file(header, data);
    return importer::read_safetensors(as_bytes(file), "net.st");
}

std::string refusal(const std::string& header, const std::string& data = std::string(8, '\0')) {
    return error_of([&] { static_cast<void>(read(header, data)); });
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"t":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

Weights one_tensor(const std::string& name, Tensor tensor) {
    Weights weights;
    weights.tensors[name].tensor = std::move(tensor);
    return weights;
}

TEST(Safetensors, ReadsEveryElementType) {
    const auto check = [](const char* dtype, StoredType type, const std::string& data, float last) {
        const std::string end = std::to_string(data.size());
        const Weights weights = read(entry(dtype, "[3]", "[0," + end + "]"), data);
        EXPECT_EQ(weights.tensors.at("t").stored_type, type);
        EXPECT_EQ(weights.tensors.at("t").tensor.data, (std::vector<float>{0, 1, last})) << dtype;
    };
    check("F64", StoredType::F64, elements<double>({0, 1, -2}), -2);
    check("F32", StoredType::F32, elements<float>({0, 1, -2}), -2);
    check("F16", StoredType::F16, elements<uint16_t>({0, 0x3c00, 0xc000}), -2);
    check("BF16", StoredType::BF16, elements<uint16_t>({0, 0x3f80, 0xc000}), -2);
    check("I64", StoredType::I64, elements<int64_t>({0, 1, -2}), -2);
    check("I32", StoredType::I32, elements<int32_t>({0, 1, -2}), -2);
    check("I16", StoredType::I16, elements<int16_t>({0, 1, -2}), -2);
    check("I8", StoredType::I8, elements<int8_t>({0, 1, -2}), -2);
    check("U8", StoredType::U8, elements<uint8_t>({0, 1, 255}), 255);
    check("BOOL", StoredType::Bool, elements<uint8_t>({0, 1, 2}), 1);
}

TEST(Safetensors, ReadsScalarsEmptyTensorsGapsAndMetadata) {
    const Weights weights =
        read(R"({"__metadata__":{"format":"pt"},"module.s":{"dtype":"F32","shape":[],"data_offsets":[4,8]},)"
             R"("e":{"dtype":"F32","shape":[0,3],"data_offsets":[6,6]}}   )",
             elements<float>({1, 2, 3}));
    EXPECT_EQ(weights.tensors.at("s").tensor.data, std::vector<float>{2});
    EXPECT_TRUE(weights.tensors.at("s").tensor.shape.empty());
    EXPECT_EQ(weights.tensors.at("e").tensor.shape, (Shape{0, 3}));
    EXPECT_EQ(weights.tensors.size(), 2u);
    EXPECT_EQ(weights.metadata.size(), 1u);
    EXPECT_EQ(weights.metadata.at("format"), "pt");
}

TEST(Safetensors, KeepsOnlyTextsOfTheMetadata) {
    EXPECT_TRUE(read(R"({"__metadata__":[1,2]})", {}).metadata.empty());
    const Weights weights = read(R"({"__metadata__":{"notice":"a\nb","number":1,"list":[]}})", {});
    EXPECT_EQ(weights.metadata.size(), 1u);
    EXPECT_EQ(weights.metadata.at("notice"), "a\nb");
}

TEST(Safetensors, IsRecognisedWhateverTheHeaderLength) {
    const TempFolder folder;
    // 640 = 0x280: the length begins like a pickle of protocol 2.
    for (size_t length : {120u, 640u, 896u, 1152u, 1408u}) {
        std::string header = entry("F32", "[2]", "[0,8]");
        header.resize(length, ' ');
        const auto file = folder.write("net.pth", safetensors_file(header, elements<float>({1, 2})));
        EXPECT_EQ(load_weights(file).tensors.at("t").tensor.data, (std::vector<float>{1, 2}));
        EXPECT_MENTIONS(error_of([&] { static_cast<void>(read_torch_state_dict(file)); }), "is a safetensors file");
    }
}

TEST(Safetensors, RefusesHostileHeaders) {
    EXPECT_MENTIONS(refusal("[]"), "not a JSON object");
    EXPECT_MENTIONS(refusal("{"), "not valid JSON");
    EXPECT_MENTIONS(refusal("{\"\xff\":1}"), "not valid JSON");
    EXPECT_MENTIONS(refusal(R"({"t":1})"), "tensor 't' is malformed");
    EXPECT_MENTIONS(refusal(R"({"t":{}})"), "expected a dtype");
    EXPECT_MENTIONS(refusal(R"({"t":{"dtype":"F32"}})"), "expected a shape");
    EXPECT_MENTIONS(refusal(R"({"t":{"dtype":"F32","shape":[2]}})"), "two data_offsets");
    EXPECT_MENTIONS(refusal(entry("F8_E4M3", "[2]", "[0,8]")), "has dtype 'F8_E4M3', expected F64");
    EXPECT_MENTIONS(refusal(entry("F32", "[-2]", "[0,8]")), "shape of non-negative integers");
    EXPECT_MENTIONS(refusal(entry("F32", "[2.0]", "[0,8]")), "shape of non-negative integers");
    EXPECT_MENTIONS(refusal(entry("F32", "[18446744073709551615]", "[0,8]")), "shape of non-negative integers");
    EXPECT_MENTIONS(refusal(entry("F32", "[99999999999999999999]", "[0,8]")), "shape of non-negative integers");
    EXPECT_MENTIONS(refusal(entry("F32", "[4611686018427387904,4]", "[0,0]")), "does not fit");
    EXPECT_MENTIONS(refusal(entry("F32", "[4611686018427387904,4611686018427387904,0]", "[0,0]")), "does not fit");
    EXPECT_MENTIONS(refusal(entry("F32", "[4611686018427387904]", "[0,0]")), "does not fit its 0 bytes");
    EXPECT_MENTIONS(refusal(entry("F32", "[3]", "[0,8]")), "of shape 3 and dtype F32 does not fit its 8 bytes");
    EXPECT_MENTIONS(refusal(entry("F32", "[2]", "[4,12]")), "lies at bytes 4 to 12 of the data, which has 8");
    EXPECT_MENTIONS(refusal(entry("F32", "[2]", "[8,0]")), "lies at bytes 8 to 0");
    EXPECT_MENTIONS(refusal(entry("F32", "[2]", "[0,8,9]")), "two data_offsets");
    EXPECT_MENTIONS(refusal(entry("F32", "[" + std::string(128, '1').replace(1, 1, ",") + "]", "[0,8]")), "'t'");
    std::string many_axes = "[1";
    for (int i = 0; i < 64; ++i) many_axes += ",1";
    EXPECT_MENTIONS(refusal(entry("F32", many_axes + "]", "[0,4]")), "65 axes");
    EXPECT_MENTIONS(refusal("{\"t\":" + std::string(100'000, '[')), "nests deeper");
    EXPECT_MENTIONS(refusal(std::string(100'000, '[')), "nests deeper");
}

TEST(Safetensors, RefusesRepeatedNamesAndSharedBytes) {
    const std::string one = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
    EXPECT_MENTIONS(refusal(R"({"a":)" + one + R"(,"a":)" + one + "}"), "names 'a' twice");
    EXPECT_MENTIONS(refusal(R"({"t":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})"),
                    "names 'dtype' twice");
    EXPECT_MENTIONS(refusal(R"({"a":)" + one + R"(,"b":)" + one + "}"), "tensors 'a' and 'b' share bytes");
    EXPECT_MENTIONS(refusal(R"({"a":)" + one + R"(,"module.a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})"),
                    "two tensors named 'a'");
}

TEST(Safetensors, RefusesHeaderLengthsBeyondTheFile) {
    const TempFolder folder;
    for (uint64_t length : {uint64_t{3}, uint64_t{1000}, uint64_t{1} << 30, uint64_t{1} << 63, ~uint64_t{0}}) {
        const auto file = folder.write("net", little_endian(length) + "{}");
        EXPECT_MENTIONS(error_of([&] { static_cast<void>(read_safetensors(file)); }), "header");
        EXPECT_NE(error_of([&] { static_cast<void>(load_weights(file)); }), "");
    }
}

TEST(SaveSafetensors, KeepsEveryBit) {
    const float quiet = std::bit_cast<float>(0x7fc12345u);
    const float signalling = std::bit_cast<float>(0xff812345u);
    Weights weights = one_tensor("b", Tensor(Shape{2, 3}, {0.0f, -0.0f, quiet, signalling, 1e-45f, INFINITY}));
    weights.tensors["a \"quoted\" \xc3\xa9"].tensor = Tensor(Shape{}, {3.5f});
    weights.tensors["c"].tensor = Tensor(Shape{0, 4}, 0.0f);
    weights.tensors["a \"quoted\" \xc3\xa9"].stored_type = StoredType::BF16;
    const TempFolder folder;
    const auto file = folder.path() / "net.safetensors";
    save_safetensors(file, weights);
    const Weights back = load_weights(file);
    ASSERT_EQ(back.tensors.size(), 3u);
    for (const auto& [name, weight] : weights.tensors) {
        const WeightTensor& found = back.tensors.at(name);
        EXPECT_EQ(found.stored_type, StoredType::F32);
        EXPECT_EQ(found.tensor.shape, weight.tensor.shape);
        EXPECT_EQ(elements(found.tensor.data), elements(weight.tensor.data));
    }
    EXPECT_EQ(folder.names(), std::vector<std::string>{"net.safetensors"});
    // Saved again, the same bytes.
    save_safetensors(folder.path() / "again", back);
    EXPECT_EQ(contents(folder.path() / "again"), contents(file));
    EXPECT_EQ(contents(file).find("{\"a \\\"quoted"), 8u);
}

TEST(SaveSafetensors, ReplacesFilesAndFollowsLinks) {
    const TempFolder folder;
    const auto file = folder.write("net", "what was there before");
    std::filesystem::create_symlink("net", folder.path() / "link");
    save_safetensors(folder.path() / "link", one_tensor("t", Tensor(Shape{1}, 2.0f)));
    EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "link"));
    EXPECT_EQ(load_weights(file).tensors.at("t").tensor.data, std::vector<float>{2});
    EXPECT_EQ(folder.names(), (std::vector<std::string>{"link", "net"}));
}

TEST(SaveSafetensors, WritesTheMetadata) {
    const TempFolder folder;
    Weights weights = one_tensor("t", Tensor(Shape{1}, 2.0f));
    weights.metadata = {{"notice", "for tests \"only\""}, {"input_size", "512x256"}};
    save_safetensors(folder.path() / "net", weights);
    EXPECT_EQ(load_weights(folder.path() / "net").metadata, weights.metadata);
}

TEST(SaveSafetensors, NamesFoldersItCannotWriteTo) {
    const Weights weights = one_tensor("t", Tensor(Shape{1}, 2.0f));
    const TempFolder folder;
    const auto refused = [&](const std::filesystem::path& file) {
        return error_of([&] { save_safetensors(file, weights); });
    };
    EXPECT_MENTIONS(refused(folder.path() / "absent" / "net"), "No such file or directory");
    EXPECT_MENTIONS(refused(folder.path()), "is a directory");
    EXPECT_MENTIONS(refused("/dev/null"), "is a device or pipe");
    EXPECT_MENTIONS(refused("/proc/net.safetensors"), "cannot be created");
    EXPECT_MENTIONS(refused(""), "names no file");
    EXPECT_TRUE(folder.names().empty());
    if (::geteuid() != 0) {
        std::filesystem::permissions(folder.path(),
                                     std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
        EXPECT_MENTIONS(refused(folder.path() / "net"), "Permission denied");
        std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
    }
}

TEST(SaveSafetensors, RefusesWhatTheFormatCannotHold) {
    const TempFolder folder;
    const auto refused = [&](const Weights& weights) {
        return error_of([&] { save_safetensors(folder.path() / "net", weights); });
    };
    EXPECT_MENTIONS(refused(one_tensor("__metadata__", Tensor(Shape{1}, 2.0f))), "'__metadata__'");
    EXPECT_MENTIONS(refused(one_tensor("\xff", Tensor(Shape{1}, 2.0f))), "not UTF-8");
    Weights weights = one_tensor("t", Tensor(Shape{1}, 2.0f));
    weights.tensors["t"].tensor.shape = {7};
    EXPECT_MENTIONS(refused(weights), "tensor 't' has 1 values, its shape 7 expects 7");
    EXPECT_TRUE(folder.names().empty());
}

/// Makes every file that this process writes end at `bytes`, as a full disk would.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        previous_handler_ = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &previous_);
        rlimit limit = previous_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &previous_);
        std::signal(SIGXFSZ, previous_handler_);
    }

private:
    rlimit previous_{};
    void (*previous_handler_)(int) = SIG_DFL;
};

TEST(SaveSafetensors, LeavesNothingBehindOnAFullDisk) {
    const Weights weights = one_tensor("t", Tensor(Shape{100'000}, 2.0f));
    const TempFolder folder;
    const auto file = folder.write("net", "what was there before");
    for (rlim_t room : {0u, 4u, 8u, 20u, 4096u, 399'999u}) {
        std::string sentence;
        {
            const FileSizeLimit limit(room);
            sentence = error_of([&] { save_safetensors(file, weights); });
        }
        EXPECT_MENTIONS(sentence, file.string());
        EXPECT_MENTIONS(sentence, "cannot be written (File too large); nothing was changed");
        EXPECT_EQ(contents(file), "what was there before");
        EXPECT_EQ(folder.names(), std::vector<std::string>{"net"});
    }
    save_safetensors(file, weights);
    EXPECT_EQ(load_weights(file).tensors.at("t").tensor.data.size(), 100'000u);
}

TEST(NamesOfNonFinite, ListsThemInOrder) {
    Weights weights = one_tensor("fine", Tensor(Shape{2}, 1.0f));
    weights.tensors["z"].tensor = Tensor(Shape{2}, {0.0f, std::numeric_limits<float>::quiet_NaN()});
    weights.tensors["a"].tensor = Tensor(Shape{1}, {-INFINITY});
    EXPECT_EQ(names_of_non_finite(weights), (std::vector<std::string>{"a", "z"}));
}

}  // namespace
}  // namespace vkseg::importer_test
