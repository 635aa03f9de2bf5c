#include "tests/importer/test_files.hpp"

#include "importer/safetensors.hpp"
#include "importer/torch_state_dict.hpp"

#include <random>

// Random damage: a reader may accept what remains or throw vkseg::Error, and nothing else. Run under the address and
// undefined-behaviour sanitizers, these tests also say that no byte outside the file is read.

namespace vkseg::importer_test {
namespace {

constexpr int rounds = 4000;

class Damage {
public:
    explicit Damage(uint32_t seed) : random_(seed) {}

    std::string operator()(std::string bytes) {
        const int changes = static_cast<int>(below(4)) + 1;
        for (int i = 0; i < changes; ++i) {
            const size_t at = below(bytes.size());
            switch (below(6)) {
                case 0:  // a bit
                    bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
                    break;
                case 1:  // a byte
                    bytes[at] = static_cast<char>(below(256));
                    break;
                case 2: {  // an extreme
                    constexpr std::array<char, 4> extremes{'\0', '\x7f', '\x80', '\xff'};
                    bytes[at] = extremes[below(extremes.size())];
                    break;
                }
                case 3:  // a byte gone
                    bytes.erase(at, 1);
                    break;
                case 4:  // a stretch said twice
                    bytes.insert(at, bytes.substr(below(bytes.size()), below(20)));
                    break;
                default:  // a stretch copied over another
                    const std::string stretch = bytes.substr(below(bytes.size()), below(9));
                    bytes.replace(at, stretch.size(), stretch);
                    break;
            }
            if (bytes.empty()) return bytes;
        }
        return bytes;
    }

private:
    // Not a standard distribution: those differ between libraries, and the damage should not.
    size_t below(size_t limit) { return random_() % limit; }

    std::mt19937 random_;
};

/// Returns how many damaged files were still readable.
template <typename Reader>
int survive(uint32_t seed, const std::string& whole, const Reader& read) {
    Damage damage(seed);
    int accepted = 0;
    for (int round = 0; round < rounds; ++round) {
        const std::string bytes = damage(whole);
        try {
            const Weights weights = read(bytes);
            for (const auto& [name, weight] : weights.tensors) {
                EXPECT_EQ(static_cast<size_t>(element_count(weight.tensor.shape)), weight.tensor.data.size());
                EXPECT_LE(weight.tensor.data.size(), bytes.size());
            }
            ++accepted;
        } catch (const Error& problem) {
            const std::string_view sentence = problem.what();
            EXPECT_TRUE(sentence.starts_with("'net': ")) << sentence;
            EXPECT_TRUE(std::ranges::all_of(sentence, [](char c) { return c >= 0x20 && c < 0x7f; })) << sentence;
        }
    }
    return accepted;
}

/// One tensor of each interesting kind, so that damage meets every path.
std::vector<TensorEntry> varied_net(bool legacy) {
    auto tensors = small_net(legacy);
    tensors.push_back({.name = "t",
                       .storage_key = "0",
                       .total = 6,
                       .shape = {3, 2},
                       .strides = {1, 3},
                       .is_parameter = true,
                       .legacy = legacy});
    tensors.push_back(
        {.name = "u", .storage_key = "1", .total = 2, .shape = {1, 0}, .strides = {1, 1}, .legacy = legacy});
    if (legacy) {
        tensors.push_back({.name = "v",
                           .storage_key = "0",
                           .total = 6,
                           .shape = {2},
                           .strides = {1},
                           .first_version = true,
                           .view = {2, 4},
                           .legacy = true});
    }
    return tensors;
}

TEST(DamagedFiles, Legacy) {
    for (char protocol : std::initializer_list<char>{2, 4}) {
        const std::string whole = legacy_file(state_dict_pickle(varied_net(true), protocol), small_storages());
        const int accepted = survive(
            1, whole, [](const std::string& bytes) { return importer::read_torch_legacy(as_bytes(bytes), "net"); });
        EXPECT_GT(accepted, 0);
        EXPECT_LT(accepted, rounds);
    }
}

TEST(DamagedFiles, Zip) {
    const std::string whole = zip_file(state_dict_pickle(varied_net(false)), small_storages());
    survive(2, whole, [](const std::string& bytes) { return importer::read_torch_zip(as_bytes(bytes), "net"); });
}

TEST(DamagedFiles, PickleInsideASoundZip) {
    for (char protocol : std::initializer_list<char>{2, 5}) {
        const int accepted = survive(3, state_dict_pickle(varied_net(false), protocol), [](const std::string& pickle) {
            const std::string file = zip_file(pickle, small_storages());
            return importer::read_torch_zip(as_bytes(file), "net");
        });
        EXPECT_GT(accepted, 0);
    }
}

TEST(DamagedFiles, Safetensors) {
    const int accepted = survive(4, small_safetensors(), [](const std::string& bytes) {
        return importer::read_safetensors(as_bytes(bytes), "net");
    });
    EXPECT_GT(accepted, 0);
}

TEST(DamagedFiles, PublishedWeights) {
#ifdef VKSEG_GOLDEN_DIR
    const std::filesystem::path folder = std::filesystem::path(VKSEG_GOLDEN_DIR) / "weights";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no golden weights at '" << folder.string() << "'";
    const std::string legacy = contents(folder / "espnetv2_s0.5_city_1024x512.pth");
    const std::string zip = contents(folder / "lpsnet_step2_random.pth");
    ASSERT_FALSE(legacy.empty());
    ASSERT_FALSE(zip.empty());
    // Cut in many places, the last bytes included.
    for (size_t step = 0; step < 200; ++step) {
        const size_t cut_legacy = step < 100 ? step + 1 : (step - 99) * (legacy.size() / 102);
        const size_t cut_zip = step < 100 ? step + 1 : (step - 99) * (zip.size() / 102);
        const std::string_view short_legacy = std::string_view(legacy).substr(0, legacy.size() - cut_legacy);
        const std::string_view short_zip = std::string_view(zip).substr(0, zip.size() - cut_zip);
        EXPECT_THROW(static_cast<void>(importer::read_torch_legacy(as_bytes(short_legacy), "net")), Error)
            << cut_legacy;
        EXPECT_THROW(static_cast<void>(importer::read_torch_zip(as_bytes(short_zip), "net")), Error) << cut_zip;
    }
#else
    GTEST_SKIP() << "built without a golden folder";
#endif
}

}  // namespace
}  // namespace vkseg::importer_test
