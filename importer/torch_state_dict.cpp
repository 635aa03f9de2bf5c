#include "importer/torch_state_dict.hpp"

#include "graph/ir/error.hpp"
#include "importer/stored_values.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace vkseg::importer {
namespace {

using Kind = Value::Kind;

/// A tuple of integers: a size or strides.
std::optional<Shape> read_extents(const Pickle& pickle, const Value& value) {
    if (value.kind != Kind::Tuple) return std::nullopt;
    Shape extents;
    for (ValueId id : value.items) {
        if (pickle[id].kind != Kind::Int) return std::nullopt;
        extents.push_back(pickle[id].integer);
    }
    return extents;
}

class StateDictReader {
public:
    StateDictReader(const Pickle& pickle, const StorageBytes& storage_bytes, uint64_t file_bytes,
                    const std::string& file)
        : pickle_(pickle), storage_bytes_(storage_bytes), file_bytes_(file_bytes), file_(file) {}

    Weights run() {
        const Value& dict = state_dict();
        Weights weights{.source = file_, .tensors = {}};
        for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
            const Value& key = pickle_[dict.items[i]];
            const Value& value = pickle_[dict.items[i + 1]];
            if (value.kind != Kind::Call) continue;
            if (key.kind != Kind::Text) {
                throw error("'{}': holds a tensor under {}, expected a name", file_, describe(key));
            }
            add_tensor(weights, key.text, read_tensor(key.text, value));
        }
        if (weights.tensors.empty()) {
            throw error("'{}': holds no tensors; expected a state dict, or one under 'state_dict' or 'model', found {}",
                        file_, keys_of(dict));
        }
        return weights;
    }

private:
    [[nodiscard]] const Value& state_dict() const {
        const Value& top = pickle_.top();
        if (top.kind != Kind::Dict) {
            throw error("'{}': holds {}, expected a state dict (a dict of tensors)", file_, describe(top));
        }
        for (const char* key : {"state_dict", "model"}) {
            const Value* inner = find(pickle_, top, key);
            if (inner != nullptr && inner->kind == Kind::Dict) return *inner;
        }
        return top;
    }

    [[nodiscard]] std::string keys_of(const Value& dict) const {
        if (dict.items.empty()) return "an empty dict";
        std::string keys;
        constexpr size_t shown = 5;
        for (size_t i = 0; i < std::min(dict.items.size(), 2 * shown); i += 2) {
            const Value& key = pickle_[dict.items[i]];
            if (!keys.empty()) keys += ", ";
            keys += key.kind == Kind::Text ? in_quotes(key.text) : std::string(describe(key));
        }
        return "the entries " + keys + (dict.items.size() > 2 * shown ? ", ..." : "");
    }

    [[nodiscard]] WeightTensor read_tensor(std::string_view name, const Value& call) {
        const Value* rebuild = &call;
        const auto malformed = [&](const char* expected) {
            return error("'{}': tensor {} is malformed, expected {}", file_, in_quotes(name), expected);
        };
        if (rebuild->global->role == GlobalRole::RebuildParameter) {
            // (tensor, requires_grad, backward_hooks)
            const Value& arguments = pickle_[rebuild->items[0]];
            if (arguments.items.empty()) throw malformed("a parameter with a tensor in it");
            rebuild = &pickle_[arguments.items[0]];
        }
        if (rebuild->kind != Kind::Call || rebuild->global->role != GlobalRole::RebuildTensor) {
            throw malformed("a tensor");
        }
        // (storage, offset, size, stride), then requires_grad and more in _rebuild_tensor_v2
        const Value& arguments = pickle_[rebuild->items[0]];
        if (arguments.items.size() < 4) throw malformed("a storage, an offset, a size and strides");
        const Value& storage = pickle_[arguments.items[0]];
        const Value& offset = pickle_[arguments.items[1]];
        const auto shape = read_extents(pickle_, pickle_[arguments.items[2]]);
        const auto strides = read_extents(pickle_, pickle_[arguments.items[3]]);
        if (storage.kind != Kind::Persistent) throw malformed("a storage as its first argument");
        if (offset.kind != Kind::Int) throw malformed("an int as its offset");
        if (!shape || !strides) throw malformed("tuples of ints as its size and strides");
        if (shape->size() != strides->size() || shape->size() > max_axes) {
            throw error("'{}': tensor {} has {} axes and {} strides, expected the same number up to {}", file_,
                        in_quotes(name), shape->size(), strides->size(), max_axes);
        }
        return dense(name, read_storage_claim(pickle_, storage, file_), offset.integer, *shape, *strides);
    }

    [[nodiscard]] WeightTensor dense(std::string_view name, const StorageClaim& claim, int64_t offset,
                                     const Shape& shape, const Shape& strides) {
        const auto elements = checked_element_count(shape);
        if (!elements) {
            throw error("'{}': tensor {} has the impossible shape {}", file_, in_quotes(name), to_string(shape));
        }
        elements_ += static_cast<uint64_t>(*elements);
        // Expanded and shared tensors repeat elements; without a bound, a small file could ask for any amount.
        if (static_cast<uint64_t>(*elements) > file_bytes_ || elements_ > file_bytes_) {
            throw error("'{}': tensor {} of shape {} brings the file to more elements than its {} bytes can hold",
                        file_, in_quotes(name), to_string(shape), file_bytes_);
        }
        const auto end = checked_view_end(offset, shape, strides);
        if (!end || *end > claim.count) {
            throw error(
                "'{}': tensor {} (shape {}, strides {}, offset {}) reaches outside its storage {} of {} elements",
                file_, in_quotes(name), to_string(shape), to_string(strides), offset, in_quotes(claim.key),
                claim.count);
        }
        const auto item = static_cast<size_t>(item_bytes(claim.type));
        const Bytes storage = storage_bytes_(claim).subspan(static_cast<size_t>(claim.first) * item,
                                                            static_cast<size_t>(claim.count) * item);
        return {.tensor = gather(claim.type, storage, offset, shape, strides), .stored_type = claim.type};
    }

    const Pickle& pickle_;
    const StorageBytes& storage_bytes_;
    uint64_t file_bytes_;
    const std::string& file_;
    uint64_t elements_ = 0;
};

}  // namespace

StorageClaim read_storage_claim(const Pickle& pickle, const Value& persistent, const std::string& file) {
    // ('storage', type, key, device, total), and for legacy views of another storage (view key, first, count) or None
    const Value& id = pickle[persistent.items[0]];
    const auto part = [&](size_t index) -> const Value& { return pickle[id.items[index]]; };
    if (id.kind != Kind::Tuple || id.items.size() < 5 || part(0).kind != Kind::Text || part(0).text != "storage" ||
        part(1).kind != Kind::Global || part(1).global->role != GlobalRole::StorageType || part(2).kind != Kind::Text ||
        part(4).kind != Kind::Int) {
        throw error("'{}': a tensor's storage is malformed, expected ('storage', type, key, device, size)", file);
    }
    const int64_t total = part(4).integer;
    StorageClaim claim{.key = part(2).text, .type = part(1).global->stored_type, .total = total, .count = total};
    if (!checked_byte_count(total, claim.type)) {
        throw error("'{}': storage {} claims the impossible number of {} elements", file, in_quotes(claim.key), total);
    }
    if (id.items.size() > 5 && part(5).kind != Kind::None) {
        const Value& view = part(5);
        if (view.kind != Kind::Tuple || view.items.size() != 3 || pickle[view.items[1]].kind != Kind::Int ||
            pickle[view.items[2]].kind != Kind::Int) {
            throw error("'{}': storage {} is a malformed view, expected (key, offset, size)", file,
                        in_quotes(claim.key));
        }
        claim.first = pickle[view.items[1]].integer;
        claim.count = pickle[view.items[2]].integer;
        if (claim.first < 0 || claim.count < 0 || claim.first > total || claim.count > total - claim.first) {
            throw error("'{}': a view of {} elements from {} reaches outside storage {} of {} elements", file,
                        claim.count, claim.first, in_quotes(claim.key), total);
        }
    }
    return claim;
}

Weights weights_from_state_dict(const Pickle& pickle, const StorageBytes& storage_bytes, uint64_t file_bytes,
                                const std::string& file) {
    return StateDictReader(pickle, storage_bytes, file_bytes, file).run();
}

}  // namespace vkseg::importer
