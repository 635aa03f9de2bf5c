#include "graph/ir/error.hpp"
#include "importer/stored_values.hpp"
#include "importer/torch_state_dict.hpp"

#include <map>
#include <string>
#include <string_view>

// PyTorch before 1.6: five pickles one after another (magic number, protocol version, system facts, the object,
// the keys of the storages), then for every key in that order its number of elements (u64) and the elements.

namespace vkseg::importer {
namespace {

/// 0x1950a86a20f9469cfc6c as a pickle stores it.
constexpr std::string_view magic_number = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr int64_t known_protocol = 1001;

using Kind = Value::Kind;

Pickle read_part(ByteReader& in, const char* part) {
    in.enter(part);
    return read_pickle(in);
}

void check_preamble(ByteReader& in) {
    const Pickle magic = read_part(in, "the first pickle");
    if (magic.top().kind != Kind::BigInt || magic.top().text != magic_number) {
        throw error("'{}': is a Python pickle without PyTorch's magic number (found {}), expected a PyTorch state dict",
                    in.file(), describe(magic.top()));
    }
    const Pickle protocol = read_part(in, "the protocol version");
    if (protocol.top().kind != Kind::Int || protocol.top().integer != known_protocol) {
        throw error("'{}': has an unknown version of PyTorch's legacy format, expected {}", in.file(), known_protocol);
    }
    const Pickle system = read_part(in, "the system facts");
    if (system.top().kind != Kind::Dict) {
        throw error("'{}': has {} as its system facts, expected a dict", in.file(), describe(system.top()));
    }
    const Value* little_endian = find(system, system.top(), "little_endian");
    if (little_endian != nullptr && little_endian->kind == Kind::Bool && little_endian->integer == 0) {
        throw error("'{}': was written on a big-endian machine, expected little-endian numbers", in.file());
    }
}

struct LegacyStorage {
    StoredType type = StoredType::F32;
    int64_t total = 0;
    bool placed = false;
    Bytes bytes{};
};

using LegacyStorages = std::map<std::string_view, LegacyStorage>;

/// The element sizes needed to walk the storages are only in the pickle.
LegacyStorages claimed_storages(const Pickle& object, const std::string& file) {
    LegacyStorages storages;
    for (const Value& value : object.values) {
        if (value.kind != Kind::Persistent) continue;
        const StorageClaim claim = read_storage_claim(object, value, file);
        const auto [it, added] = storages.try_emplace(claim.key, LegacyStorage{claim.type, claim.total});
        if (!added && (it->second.type != claim.type || it->second.total != claim.total)) {
            throw error("'{}': storage {} is described in two ways ({} x {} and {} x {})", file, in_quotes(claim.key),
                        it->second.total, to_string(it->second.type), claim.total, to_string(claim.type));
        }
    }
    return storages;
}

void place_storages(ByteReader& in, const Pickle& keys, LegacyStorages& storages) {
    if (keys.top().kind != Kind::List) {
        throw error("'{}': has {} as its list of storages, expected a list", in.file(), describe(keys.top()));
    }
    for (ValueId id : keys.top().items) {
        const Value& key = keys[id];
        const auto it = key.kind == Kind::Text ? storages.find(key.text) : storages.end();
        if (it == storages.end() || it->second.placed) {
            throw error("'{}': lists the storage {}, which {}", in.file(),
                        key.kind == Kind::Text ? in_quotes(key.text) : std::string(describe(key)),
                        it == storages.end() ? "no tensor uses" : "it has listed before");
        }
        LegacyStorage& storage = it->second;
        in.enter("storage " + in_quotes(key.text));
        const auto found = in.take_number<uint64_t>();
        if (found != static_cast<uint64_t>(storage.total)) {
            throw error("'{}': storage {} has {} elements, expected {}", in.file(), in_quotes(key.text), found,
                        storage.total);
        }
        // read_storage_claim has made sure that the product exists.
        storage.bytes = in.take(static_cast<uint64_t>(storage.total * item_bytes(storage.type)));
        storage.placed = true;
    }
}

}  // namespace

Weights read_torch_legacy(Bytes bytes, const std::string& file) {
    ByteReader in(bytes, file);
    check_preamble(in);
    const Pickle object = read_part(in, "the object pickle");
    const Pickle keys = read_part(in, "the list of storages");
    LegacyStorages storages = claimed_storages(object, file);
    place_storages(in, keys, storages);
    const auto storage_bytes = [&](const StorageClaim& claim) {
        const LegacyStorage& storage = storages.find(claim.key)->second;
        if (!storage.placed) throw error("'{}': does not hold the storage {}", file, in_quotes(claim.key));
        return storage.bytes;
    };
    return weights_from_state_dict(object, storage_bytes, bytes.size(), file);
}

}  // namespace vkseg::importer
