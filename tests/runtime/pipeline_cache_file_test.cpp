#include "runtime/pipeline_cache_file.hpp"

#include "runtime/context.hpp"
#include "runtime/pipeline_store.hpp"
#include "tests/runtime/environment.hpp"
#include "tests/runtime/expect_contains.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <fstream>

namespace vkseg {
namespace {

using test::expect_contains;
using test::ScopedFolder;
using test::ScopedVariable;

PhysicalDevice device(uint32_t driver_version = 7) {
    PhysicalDevice device;
    device.facts.vendor_id = 0x1002;
    device.facts.device_id = 0x73df;
    device.facts.driver_version = driver_version;
    device.pipeline_cache_uuid[3] = 0x5a;
    return device;
}

std::vector<uint8_t> read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

const std::vector<uint8_t> blob = {1, 2, 3, 4, 5, 6, 7, 8, 9};

class CacheFile : public ::testing::Test {
protected:
    /// Note of a load that gives nothing.
    static std::string refusal(const PipelineCacheFile& file) {
        std::string note;
        EXPECT_FALSE(file.load(note).has_value());
        return note;
    }

    ScopedFolder home_;
    ScopedVariable cache_home_{"XDG_CACHE_HOME", home_.path().string()};
};

TEST_F(CacheFile, GivesBackWhatWasSaved) {
    const PipelineCacheFile file(device());
    EXPECT_EQ(file.path().parent_path(), home_.path() / "vkseg");
    EXPECT_EQ(refusal(file), "");
    ASSERT_TRUE(file.save(blob));
    std::string note;
    EXPECT_EQ(file.load(note), blob);
    EXPECT_EQ(note, "");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(home_.path() / "vkseg"), {}), 1);
}

TEST_F(CacheFile, EveryDriverVersionHasItsOwn) {
    EXPECT_NE(PipelineCacheFile(device(7)).path(), PipelineCacheFile(device(8)).path());
}

TEST_F(CacheFile, AnyFlippedBitIsNoticed) {
    const PipelineCacheFile file(device());
    ASSERT_TRUE(file.save(blob));
    const std::vector<uint8_t> good = read(file.path());
    for (size_t i = 0; i < good.size(); ++i) {
        std::vector<uint8_t> bad = good;
        bad[i] ^= 0x10;
        write(file.path(), bad);
        expect_contains(refusal(file), "is ignored: ");
    }
}

TEST_F(CacheFile, AnyTruncationIsNoticed) {
    const PipelineCacheFile file(device());
    ASSERT_TRUE(file.save(blob));
    const std::vector<uint8_t> good = read(file.path());
    for (size_t size = 0; size < good.size(); ++size) {
        write(file.path(), {good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
        expect_contains(refusal(file), "is ignored: ");
    }
    std::vector<uint8_t> longer = good;
    longer.push_back(0);
    write(file.path(), longer);
    expect_contains(refusal(file), "it is damaged");
}

TEST_F(CacheFile, AnotherDriversFileIsForeign) {
    const PipelineCacheFile other(device(8)), file(device(7));
    ASSERT_TRUE(other.save(blob));
    std::filesystem::copy_file(other.path(), file.path());
    expect_contains(refusal(file), "it belongs to another device or driver");
}

TEST_F(CacheFile, AnOversizedFileIsNotRead) {
    const PipelineCacheFile file(device());
    ASSERT_TRUE(file.save(blob));
    std::filesystem::resize_file(file.path(), uint64_t{1} << 40);  // sparse
    expect_contains(refusal(file), "it is too large");
}

TEST_F(CacheFile, AFolderInItsPlaceIsNoCache) {
    const PipelineCacheFile file(device());
    std::filesystem::create_directories(file.path() / "inside");
    EXPECT_EQ(refusal(file), "");
    EXPECT_FALSE(file.save(blob));
}

TEST_F(CacheFile, AHomeThatCannotBeWrittenIsNoFailure) {
    // Even the superuser makes no folder below a file.
    const std::filesystem::path plain_file = home_.path() / "plain";
    write(plain_file, {0});
    const ScopedVariable cache_home("XDG_CACHE_HOME", plain_file.string());
    const PipelineCacheFile file(device());
    EXPECT_FALSE(file.save(blob));
    EXPECT_EQ(refusal(file), "");
}

TEST_F(CacheFile, LiesUnderTheHomeFolderOtherwise) {
    const ScopedVariable cache_home("XDG_CACHE_HOME", std::nullopt);
    const ScopedVariable home("HOME", home_.path().string());
    EXPECT_EQ(PipelineCacheFile(device()).path().parent_path(), home_.path() / ".cache" / "vkseg");
}

TEST_F(CacheFile, NoHomeIsNoFailure) {
    const ScopedVariable cache_home("XDG_CACHE_HOME", std::nullopt);
    const ScopedVariable home("HOME", std::nullopt);
    const PipelineCacheFile file(device());
    EXPECT_TRUE(file.path().empty());
    EXPECT_EQ(refusal(file), "");
    EXPECT_FALSE(file.save(blob));
}

/// Stands in for a driver's cache: the CPU drivers keep nothing in theirs.
struct FakeCache {
    static inline std::vector<uint8_t> given, kept;
    static inline PFN_vkCreatePipelineCache create = nullptr;

    static VKAPI_ATTR VkResult VKAPI_CALL create_cache(VkDevice device, const VkPipelineCacheCreateInfo* info,
                                                       const VkAllocationCallbacks* allocator, VkPipelineCache* cache) {
        const auto* bytes = static_cast<const uint8_t*>(info->pInitialData);
        given.assign(bytes, bytes + info->initialDataSize);
        VkPipelineCacheCreateInfo empty = *info;
        empty.initialDataSize = 0;
        return create(device, &empty, allocator, cache);
    }
    static VKAPI_ATTR VkResult VKAPI_CALL get_data(VkDevice, VkPipelineCache, size_t* size, void* data) {
        if (data != nullptr) std::copy_n(kept.begin(), std::min(*size, kept.size()), static_cast<uint8_t*>(data));
        *size = kept.size();
        return VK_SUCCESS;
    }
    static void install(vk::DeviceTable& table) {
        create = table.CreatePipelineCache;
        table.CreatePipelineCache = create_cache;
        table.GetPipelineCacheData = get_data;
    }
};

class DiskCache : public test::EachDriver {
protected:
    DiskCache() {
        FakeCache::given.clear();
        FakeCache::kept.assign(1000, 0x5a);
    }
    /// Makes one pipeline in a context of its own; returns the context's notes.
    std::vector<std::string> make_pipeline(bool disk_cache = true) const {
        std::vector<std::string> notes;
        ContextOptions options;
        options.device = driver().device;
        options.disk_cache = disk_cache;
        options.log = [&](const std::string& note) { notes.push_back(note); };
        options.intercept = FakeCache::install;
        Context own(options);
        own.pipelines().request_pipeline(catalog::load_nchw(catalog::Storage::f32, catalog::Access::ssbo), {64, 1, 1});
        return notes;
    }
    [[nodiscard]] std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> files;
        if (std::filesystem::exists(home_.path() / "vkseg"))
            for (const auto& entry : std::filesystem::directory_iterator(home_.path() / "vkseg"))
                files.push_back(entry.path());
        return files;
    }

    ScopedFolder home_;
    ScopedVariable cache_home_{"XDG_CACHE_HOME", home_.path().string()};
};

TEST_P(DiskCache, IsWrittenAtTheEndAndReadAtTheStart) {
    EXPECT_TRUE(make_pipeline().empty());
    EXPECT_TRUE(FakeCache::given.empty());
    ASSERT_EQ(files().size(), 1u);
    EXPECT_TRUE(make_pipeline().empty());
    EXPECT_EQ(FakeCache::given, FakeCache::kept);
}

TEST_P(DiskCache, IsWrittenAgainOnlyWhenItGrew) {
    make_pipeline();
    ASSERT_EQ(files().size(), 1u);
    const auto written = std::filesystem::last_write_time(files()[0]);
    make_pipeline();
    EXPECT_EQ(std::filesystem::last_write_time(files()[0]), written);
    FakeCache::kept.resize(2000, 0x17);
    make_pipeline();
    make_pipeline();
    EXPECT_EQ(FakeCache::given, FakeCache::kept);
}

TEST_P(DiskCache, IsNotWrittenForAHeaderAlone) {
    FakeCache::kept.resize(sizeof(VkPipelineCacheHeaderVersionOne));
    make_pipeline();
    EXPECT_TRUE(files().empty());
}

TEST_P(DiskCache, ADamagedFileIsNotedAndReplaced) {
    make_pipeline();
    ASSERT_EQ(files().size(), 1u);
    std::vector<uint8_t> bytes = read(files()[0]);
    bytes.back() ^= 1;
    write(files()[0], bytes);
    const std::vector<std::string> notes = make_pipeline();
    ASSERT_EQ(notes.size(), 1u);
    expect_contains(notes[0], "it is damaged");
    EXPECT_TRUE(FakeCache::given.empty()) << "the driver never sees damaged bytes";
    EXPECT_TRUE(make_pipeline().empty());
}

TEST_P(DiskCache, CanBeSwitchedOff) {
    make_pipeline(false);
    EXPECT_TRUE(files().empty());
}

INSTANTIATE_TEST_SUITE_P(, DiskCache, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
