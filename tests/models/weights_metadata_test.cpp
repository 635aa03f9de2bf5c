#include "graph/ir/error.hpp"
#include "importer/importer.hpp"
#include "models/network.hpp"
#include "runtime/api/model_loader.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

// What a weights file says about itself beside its tensors.

namespace vkseg {
namespace {

class WeightsMetadata : public testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("vkseg_metadata_" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::shared_ptr<const Model> load(const std::map<std::string, std::string, std::less<>>& metadata, int width = 0,
                                      int height = 0) {
        const Config config{{"alpha2", 1.0}, {"alpha3", 1.0}};
        Weights weights = make_random_weights("espnet", config);
        weights.metadata = metadata;
        save_safetensors(folder_ / "net.safetensors", weights);
        return load_model(
            {.network = "espnet", .config = config, .weights = folder_ / "net.safetensors", .disabled_passes = {}},
            width, height);
    }

    std::filesystem::path folder_;
};

TEST_F(WeightsMetadata, GivesTheSizeUnlessOneIsAskedFor) {
    const auto silent = load({});
    EXPECT_EQ((std::pair{silent->width, silent->height}), (std::pair{1024, 512}));
    EXPECT_TRUE(silent->notice.empty());
    const auto trained = load({{"input_size", "96x64"}});
    EXPECT_EQ((std::pair{trained->width, trained->height}), (std::pair{96, 64}));
    const auto asked = load({{"input_size", "96x64"}}, 128, 32);
    EXPECT_EQ((std::pair{asked->width, asked->height}), (std::pair{128, 32}));
}

TEST_F(WeightsMetadata, GivesANoticeOnOneLine) {
    EXPECT_EQ(load({{"notice", "trained on\nsomething\x1b else"}}, 96, 64)->notice, "trained on something  else");
    EXPECT_EQ(load({{"notice", std::string(100'000, 'x')}}, 96, 64)->notice.size(), 200u);
}

TEST_F(WeightsMetadata, ABadSizeIsNamed) {
    for (const char* size : {"96", "96x", "x64", "0x64", "96x-64", "96x64x3", "99999999999x64", "40000x64", " 96x64"}) {
        try {
            static_cast<void>(load({{"input_size", size}}));
            FAIL() << size;
        } catch (const Error& reason) {
            EXPECT_NE(std::string(reason.what()).find("net.safetensors'"), std::string::npos) << reason.what();
            EXPECT_NE(std::string(reason.what()).find(size), std::string::npos) << reason.what();
        }
    }
}

}  // namespace
}  // namespace vkseg
