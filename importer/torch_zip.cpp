#include "graph/ir/error.hpp"
#include "importer/file.hpp"
#include "importer/stored_values.hpp"
#include "importer/torch_state_dict.hpp"

#include <zip.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// PyTorch 1.6 and later: a zip archive with one folder (named after the file) holding `data.pkl`, the elements of
// storage K in `data/K`, and since 2.1 `byteorder`. PyTorch stores entries as they are; re-packed archives deflate
// them.

namespace vkseg::importer {
namespace {

constexpr uint64_t max_pickle_bytes = uint64_t{64} << 20;
/// Weights hardly shrink when deflated. All-zero ones do, hence the generous floor for small files.
constexpr uint64_t max_unpack_ratio = 16;
constexpr uint64_t min_unpack_limit = uint64_t{64} << 20;
/// No deflate stream yields more (1032 : 1) but for its first bytes.
constexpr uint64_t max_deflate_ratio = 1040;

struct Discard {
    void operator()(zip_t* archive) const { zip_discard(archive); }
    void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

struct Entry {
    uint64_t index = 0;
    uint64_t packed_bytes = 0;
    uint64_t bytes = 0;
    bool readable = false;
};

/// An archive in memory. Owns libzip's handle, not the bytes.
class Archive {
public:
    Archive(Bytes bytes, const std::string& file);

    [[nodiscard]] const Entry* find(const std::string& name) const {
        const auto it = entries_.find(name);
        return it == entries_.end() ? nullptr : &it->second;
    }
    /// The folder that holds data.pkl: "archive/", or "" when it lies at the top.
    [[nodiscard]] std::string root() const;
    /// Unpacks an entry; the caller has checked that its size is what it expects.
    [[nodiscard]] std::vector<uint8_t> read(const std::string& name, const Entry& entry);
    /// Bytes of all entries unpacked, as far as `read` would unpack them.
    [[nodiscard]] uint64_t unpacked_bytes() const { return std::min(claimed_, unpack_limit_); }

private:
    void open(Bytes bytes);
    void list(uint64_t file_bytes);

    const std::string& file_;
    std::unique_ptr<zip_t, Discard> zip_;
    std::map<std::string, Entry, std::less<>> entries_;
    /// What unpacking may cost in all.
    uint64_t unpack_limit_ = 0;
    uint64_t claimed_ = 0;
    uint64_t unpacked_ = 0;
};

Archive::Archive(Bytes bytes, const std::string& file) : file_(file) {
    open(bytes);
    list(bytes.size());
    unpack_limit_ = std::min(max_file_bytes, std::max<uint64_t>(min_unpack_limit, bytes.size() * max_unpack_ratio));
}

void Archive::open(Bytes bytes) {
    zip_error_t problem;
    zip_error_init(&problem);
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &problem);
    if (source != nullptr) zip_.reset(zip_open_from_source(source, ZIP_RDONLY, &problem));
    const std::string reason = zip_ == nullptr ? zip_error_strerror(&problem) : "";
    zip_error_fini(&problem);
    if (zip_ == nullptr) {
        zip_source_free(source);
        throw error("'{}': is a truncated or damaged zip archive ({})", file_, reason);
    }
}

void Archive::list(uint64_t file_bytes) {
    const zip_int64_t count = zip_get_num_entries(zip_.get(), 0);
    uint64_t packed = 0;
    for (zip_uint64_t index = 0; index < static_cast<zip_uint64_t>(count); ++index) {
        zip_stat_t status;
        zip_stat_init(&status);
        // RAW: names are compared as bytes, not converted from code page 437.
        constexpr uint64_t needed =
            ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
        if (zip_stat_index(zip_.get(), index, ZIP_FL_ENC_RAW, &status) != 0 || (status.valid & needed) != needed) {
            throw error("'{}': is a damaged zip archive (entry {} has no description)", file_, index);
        }
        const bool stored = status.comp_method == ZIP_CM_STORE;
        const bool readable =
            status.encryption_method == ZIP_EM_NONE && (stored || status.comp_method == ZIP_CM_DEFLATE);
        // Entries that share bytes, or claim more than they can unpack to, are how small archives explode.
        if (status.comp_size > file_bytes - packed || (stored && status.size != status.comp_size) ||
            (!stored && status.size / max_deflate_ratio > status.comp_size)) {
            throw error("'{}': is a damaged zip archive (entry {} claims {} bytes packed in {} of the file's {})",
                        file_, in_quotes(status.name), status.size, status.comp_size, file_bytes);
        }
        packed += status.comp_size;
        claimed_ += status.size;
        if (!entries_.try_emplace(status.name, Entry{index, status.comp_size, status.size, readable}).second) {
            throw error("'{}': holds two zip entries named {}", file_, in_quotes(status.name));
        }
    }
}

std::string Archive::root() const {
    constexpr std::string_view pickle_name = "data.pkl";
    const std::string* found = nullptr;
    for (const auto& [name, entry] : entries_) {
        const bool at_top = name == pickle_name;
        const bool in_folder = name.ends_with("/data.pkl") && name.find('/') == name.size() - pickle_name.size() - 1;
        if (!at_top && !in_folder) continue;
        if (found != nullptr) {
            throw error("'{}': holds both {} and {}, expected one", file_, in_quotes(*found), in_quotes(name));
        }
        found = &name;
    }
    if (found == nullptr) throw error("'{}': is a zip archive without data.pkl, expected a PyTorch state dict", file_);
    const std::string root = found->substr(0, found->size() - pickle_name.size());
    if (find(root + "constants.pkl") != nullptr) {
        throw error("'{}': is a TorchScript archive, expected a state dict (model.state_dict() saved)", file_);
    }
    return root;
}

std::vector<uint8_t> Archive::read(const std::string& name, const Entry& entry) {
    if (!entry.readable) {
        throw error("'{}': zip entry {} is encrypted or compressed in an unknown way, expected stored or deflated",
                    file_, in_quotes(name));
    }
    if (entry.bytes > unpack_limit_ - unpacked_) {
        throw error("'{}': unpacks to more than {} bytes, which no weights file needs", file_, unpack_limit_);
    }
    unpacked_ += entry.bytes;
    const auto damaged = [&](const std::string& reason) {
        return error("'{}': zip entry {} is damaged ({})", file_, in_quotes(name), reason);
    };
    const std::unique_ptr<zip_file_t, Discard> in(zip_fopen_index(zip_.get(), entry.index, 0));
    if (in == nullptr) throw damaged(zip_strerror(zip_.get()));
    std::vector<uint8_t> bytes(entry.bytes);
    for (size_t done = 0; done < bytes.size();) {
        const zip_int64_t got = zip_fread(in.get(), bytes.data() + done, bytes.size() - done);
        if (got < 0) throw damaged(zip_file_strerror(in.get()));
        if (got == 0) throw damaged(fmt::format("{} bytes, expected {}", done, bytes.size()));
        done += static_cast<size_t>(got);
    }
    // libzip compares the checksum when it meets the end.
    uint8_t beyond = 0;
    const zip_int64_t more = zip_fread(in.get(), &beyond, 1);
    if (more < 0) throw damaged(zip_file_strerror(in.get()));
    if (more > 0) throw damaged(fmt::format("more than the {} bytes expected", bytes.size()));
    return bytes;
}

/// Entries of the archive as storages, each unpacked once, when a tensor first needs it.
class ZipStorages {
public:
    ZipStorages(Archive& archive, std::string root, const std::string& file)
        : archive_(archive), root_(std::move(root)), file_(file) {}

    Bytes operator()(const StorageClaim& claim) {
        const std::string name = root_ + "data/" + std::string(claim.key);
        const Entry* entry = archive_.find(name);
        if (entry == nullptr) throw error("'{}': does not hold the storage {}", file_, in_quotes(name));
        // read_storage_claim has made sure that the product exists.
        const auto expected = static_cast<uint64_t>(claim.total * item_bytes(claim.type));
        if (entry->bytes != expected) {
            throw error("'{}': storage {} has {} bytes, expected {} ({} x {})", file_, in_quotes(name), entry->bytes,
                        expected, claim.total, to_string(claim.type));
        }
        auto it = unpacked_.find(name);
        if (it == unpacked_.end()) it = unpacked_.emplace(name, archive_.read(name, *entry)).first;
        return it->second;
    }

private:
    Archive& archive_;
    std::string root_;
    const std::string& file_;
    std::map<std::string, std::vector<uint8_t>, std::less<>> unpacked_;
};

void check_byte_order(Archive& archive, const std::string& root, const std::string& file) {
    const std::string name = root + "byteorder";
    const Entry* entry = archive.find(name);
    if (entry == nullptr) return;
    constexpr uint64_t longest = 16;
    if (entry->bytes <= longest) {
        const std::vector<uint8_t> order = archive.read(name, *entry);
        if (text_of(order) == "little") return;
        if (text_of(order) == "big") {
            throw error("'{}': was written on a big-endian machine, expected little-endian numbers", file);
        }
    }
    throw error("'{}': has an unknown byte order in {}, expected 'little'", file, in_quotes(name));
}

}  // namespace

Weights read_torch_zip(Bytes bytes, const std::string& file) {
    Archive archive(bytes, file);
    const std::string root = archive.root();
    check_byte_order(archive, root, file);
    const std::string pickle_name = root + "data.pkl";
    const Entry& pickle_entry = *archive.find(pickle_name);
    if (pickle_entry.bytes > max_pickle_bytes) {
        throw error("'{}': data.pkl has {} bytes, expected at most {}", file, pickle_entry.bytes, max_pickle_bytes);
    }
    const std::vector<uint8_t> pickle_bytes = archive.read(pickle_name, pickle_entry);
    ByteReader in(pickle_bytes, file);
    in.enter("data.pkl");
    const Pickle object = read_pickle(in);
    ZipStorages storages(archive, root, file);
    return weights_from_state_dict(object, std::ref(storages),
                                   std::max<uint64_t>(bytes.size(), archive.unpacked_bytes()), file);
}

}  // namespace vkseg::importer
