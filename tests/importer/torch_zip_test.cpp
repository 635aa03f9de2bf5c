#include "tests/importer/test_files.hpp"

#include "importer/torch_state_dict.hpp"

namespace vkseg::importer_test {
namespace {

constexpr uint16_t deflated = 8;

std::vector<ZipEntry> small_entries() {
    return zip_entries(state_dict_pickle(small_net(false)), small_storages());
}

Weights read(const std::string& file) {
    return importer::read_torch_zip(as_bytes(file), "net.pth");
}

std::string refusal(const std::string& file) {
    return error_of([&] { static_cast<void>(read(file)); });
}

/// A deflate stream of one uncompressed block.
std::string deflate_block(const std::string& bytes) {
    const auto size = static_cast<uint16_t>(bytes.size());
    return '\x01' + little_endian(size) + little_endian(static_cast<uint16_t>(~size)) + bytes;
}

ZipEntry deflate(ZipEntry entry) {
    entry.claimed_bytes = static_cast<int64_t>(entry.bytes.size());
    entry.claimed_crc = crc32(entry.bytes);
    entry.bytes = deflate_block(entry.bytes);
    entry.method = deflated;
    return entry;
}

/// A deflate stream of `repeats` * 258 + 1 zeros: one literal, then matches of the greatest length.
std::string deflate_zeros(size_t repeats) {
    std::string stream;
    uint32_t pending = 0;
    int pending_bits = 0;
    // Huffman codes come with their first bit first, so `code` is given in that order.
    const auto put = [&](std::string_view code) {
        for (char bit : code) {
            pending |= static_cast<uint32_t>(bit == '1') << pending_bits;
            if (++pending_bits < 8) continue;
            stream += static_cast<char>(pending);
            pending = 0;
            pending_bits = 0;
        }
    };
    put("110");                                                 // last block, fixed codes
    put("00110000");                                            // the literal 0
    for (size_t i = 0; i < repeats; ++i) put("1100010100000");  // length 258, distance 1
    put("0000000");                                             // end of block
    put("0000000");                                             // fills the last byte
    return stream;
}

TEST(TorchZip, ReadsStoredAndDeflatedEntries) {
    expect_small_net(read(zip_archive(small_entries())));
    auto entries = small_entries();
    for (ZipEntry& entry : entries) entry = deflate(entry);
    expect_small_net(read(zip_archive(entries)));
}

TEST(TorchZip, ReadsAnyFolderName) {
    for (const char* root : {"", "archive/", "net v2/", "\xc3\xa9t\xc3\xa9/"}) {
        expect_small_net(read(zip_archive(zip_entries(state_dict_pickle(small_net(false)), small_storages(), root))));
    }
}

TEST(TorchZip, ChecksTheByteOrder) {
    auto entries = small_entries();
    entries[1].bytes = "big";
    EXPECT_EQ(refusal(zip_archive(entries)),
              "'net.pth': was written on a big-endian machine, expected little-endian numbers");
    entries[1].bytes = "middle";
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "unknown byte order");
    entries[1].bytes = std::string(1000, 'x');
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "unknown byte order");
    entries.erase(entries.begin() + 1);
    expect_small_net(read(zip_archive(entries)));
}

TEST(TorchZip, RefusesOtherArchives) {
    EXPECT_MENTIONS(refusal(zip_archive({})), "without data.pkl");
    EXPECT_MENTIONS(refusal(zip_archive({{.name = "readme.txt", .bytes = "hello"}})), "without data.pkl");
    EXPECT_MENTIONS(refusal(zip_archive({{.name = "a/b/data.pkl", .bytes = "hello"}})), "without data.pkl");
    auto entries = small_entries();
    entries.push_back({.name = "net/constants.pkl"});
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "TorchScript");
    entries = small_entries();
    entries.push_back({.name = "other/data.pkl"});
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "holds both 'net/data.pkl' and 'other/data.pkl'");
}

TEST(TorchZip, RefusesTwoEntriesOfOneName) {
    auto entries = small_entries();
    entries.push_back(entries[2]);
    EXPECT_EQ(refusal(zip_archive(entries)), "'net.pth': holds two zip entries named 'net/data/0'");
}

TEST(TorchZip, RefusesMissingAndMisfittingStorages) {
    auto entries = small_entries();
    entries.erase(entries.begin() + 2);
    EXPECT_EQ(refusal(zip_archive(entries)), "'net.pth': does not hold the storage 'net/data/0'");
    entries = small_entries();
    entries[2].bytes += "1234";
    EXPECT_EQ(refusal(zip_archive(entries)), "'net.pth': storage 'net/data/0' has 28 bytes, expected 24 (6 x f32)");
}

TEST(TorchZip, RefusesEncryptedAndUnknownCompression) {
    auto entries = small_entries();
    entries[2].flags = 1;
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "encrypted or compressed in an unknown way");
    entries = small_entries();
    entries[2].method = 12;  // bzip2
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "encrypted or compressed in an unknown way");
}

TEST(TorchZip, RefusesFalseSizes) {
    auto entries = small_entries();
    entries[2].claimed_bytes = 4'000'000'000;
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "damaged zip archive");
    entries[2].method = deflated;
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "damaged zip archive");
    // Just what deflate could make of 24 bytes, and what the tensors expect: the stream itself must fail.
    entries[2].claimed_bytes = 24;
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "zip entry 'net/data/0' is damaged");
    entries[2].bytes = deflate_block(entries[2].bytes + entries[2].bytes);
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "more than the 24 bytes expected");
    entries[2].bytes = deflate_block("short");
    entries[2].claimed_crc = crc32("short");
    EXPECT_MENTIONS(refusal(zip_archive(entries)), "zip entry 'net/data/0' is damaged");
}

TEST(TorchZip, RefusesArchivesThatUnpackTooMuch) {
    // Half a megabyte of file that would become 80 MB.
    constexpr size_t repeats = 62'015;
    constexpr int64_t count = int64_t{repeats} * 258 + 1;
    const std::string zeros = deflate_zeros(repeats);
    const uint32_t crc = crc32(std::string(static_cast<size_t>(count), '\0'));
    std::vector<TensorEntry> tensors;
    std::vector<ZipEntry> entries;
    for (int i = 0; i < 5; ++i) {
        const std::string key = std::to_string(i);
        tensors.push_back({.name = key,
                           .storage_key = key,
                           .storage_type = "ByteStorage",
                           .total = count,
                           .shape = {1},
                           .strides = {1}});
        entries.push_back(
            {.name = "data/" + key, .bytes = zeros, .method = deflated, .claimed_bytes = count, .claimed_crc = crc});
    }
    entries.push_back({.name = "data.pkl", .bytes = state_dict_pickle(tensors)});
    EXPECT_EQ(refusal(zip_archive(entries)),
              "'net.pth': unpacks to more than 67108864 bytes, which no weights file needs");
    tensors.pop_back();
    tensors.pop_back();
    entries.back().bytes = state_dict_pickle(tensors);
    EXPECT_EQ(read(zip_archive(entries)).tensors.size(), 3u);
}

TEST(TorchZip, RefusesHugePickles) {
    const std::string zeros = deflate_zeros(400'000);
    const ZipEntry pickle{
        .name = "data.pkl", .bytes = zeros, .method = deflated, .claimed_bytes = int64_t{400'000} * 258 + 1};
    EXPECT_MENTIONS(refusal(zip_archive({pickle})), "data.pkl has 103200001 bytes, expected at most 67108864");
}

TEST(TorchZip, RefusesEntriesThatShareBytes) {
    // Every directory record points to the same 64 KiB.
    std::vector<ZipEntry> entries = small_entries();
    entries.push_back({.name = "net/data/big", .bytes = std::string(65536, '\0')});
    std::string file = zip_archive(entries);
    const size_t directory = file.find("PK\x01\x02");
    const size_t record = file.rfind("PK\x01\x02");
    const size_t end = file.rfind("PK\x05\x06");
    ASSERT_NE(directory, record);
    std::string records = file.substr(directory, end - directory);
    for (char c = 'a'; c <= 'c'; ++c) {
        std::string copy = file.substr(record, end - record);
        copy.back() = c;
        records += copy;
    }
    const auto count = static_cast<uint16_t>(entries.size() + 3);
    file = file.substr(0, directory) + records + "PK\x05\x06" + std::string(4, '\0') + little_endian(count) +
           little_endian(count) + little_endian(static_cast<uint32_t>(records.size())) +
           little_endian(static_cast<uint32_t>(directory)) + std::string(2, '\0');
    EXPECT_MENTIONS(refusal(file), "is a damaged zip archive (entry 'net/data/bi");
}

TEST(TorchZip, ComparesChecksums) {
    std::string file = zip_archive(small_entries());
    const size_t at = file.find(small_storages()[0].second);
    ASSERT_NE(at, std::string::npos);
    file[at + 2] = static_cast<char>(file[at + 2] ^ 1);
    EXPECT_MENTIONS(refusal(file), "zip entry 'net/data/0' is damaged");
}

TEST(TorchZip, RefusesPicklesThatAskForMore) {
    const std::string pickle = PickleWriter().global("posix", "system").mark().text("id").tuple().reduce().stop();
    EXPECT_EQ(refusal(zip_file(pickle, {})),
              "'net.pth': asks for 'posix.system', which a tensor file never needs; refused");
}

}  // namespace
}  // namespace vkseg::importer_test
