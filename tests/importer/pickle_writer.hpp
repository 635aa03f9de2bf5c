#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

/// Just enough of Python's pickler to write what PyTorch writes, and what an attacker might.
namespace vkseg::importer_test {

template <typename T>
std::string little_endian(T value) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
}

class PickleWriter {
public:
    explicit PickleWriter(char protocol = 2) : protocol_(protocol) { bytes_ = {'\x80', protocol}; }

    PickleWriter& raw(std::string_view bytes) {
        bytes_ += bytes;
        return *this;
    }
    PickleWriter& none() { return raw("N"); }
    PickleWriter& boolean(bool value) { return raw(value ? "\x88" : "\x89"); }
    PickleWriter& integer(int64_t value) {
        if (value >= INT32_MIN && value <= INT32_MAX) return raw("J").raw(little_endian(static_cast<int32_t>(value)));
        return raw("\x8a\x08").raw(little_endian(value));
    }
    PickleWriter& text(std::string_view value) {
        if (protocol_ >= 4 && value.size() < 256) {
            return raw("\x8c").raw(little_endian(static_cast<uint8_t>(value.size()))).raw(value);
        }
        return raw("X").raw(little_endian(static_cast<uint32_t>(value.size()))).raw(value);
    }
    PickleWriter& global(std::string_view module, std::string_view name) {
        if (protocol_ >= 4) return text(module).text(name).raw("\x93");
        return raw("c").raw(module).raw("\n").raw(name).raw("\n");
    }
    PickleWriter& mark() { return raw("("); }
    PickleWriter& tuple() { return raw("t"); }
    PickleWriter& integers(const std::vector<int64_t>& values) {
        mark();
        for (int64_t value : values) integer(value);
        return tuple();
    }
    PickleWriter& empty_dict() { return raw("}"); }
    PickleWriter& ordered_dict() { return global("collections", "OrderedDict").raw(")R"); }
    PickleWriter& set_items() { return raw("u"); }
    PickleWriter& reduce() { return raw("R"); }
    PickleWriter& put(uint8_t index) { return protocol_ >= 4 ? raw("\x94") : raw("q").raw(little_endian(index)); }

    [[nodiscard]] std::string stop() const { return bytes_ + "."; }

private:
    char protocol_;
    std::string bytes_;
};

/// A tensor as the pickle describes it; the elements are in a storage.
struct TensorEntry {
    std::string name{};
    std::string storage_key{};
    std::string storage_type = "FloatStorage";
    int64_t total = 0;
    std::vector<int64_t> shape{};
    std::vector<int64_t> strides{};
    int64_t offset = 0;
    std::string storage_module = "torch";
    bool is_parameter = false;
    /// `_rebuild_tensor` of PyTorch before 0.4 instead of `_rebuild_tensor_v2`.
    bool first_version = false;
    /// Adds a view (key, first, count) of the storage, as only the legacy serialisation knows it.
    std::vector<int64_t> view{};
    bool legacy = false;
};

inline void write_tensor(PickleWriter& out, const TensorEntry& tensor) {
    if (tensor.is_parameter) out.global("torch._utils", "_rebuild_parameter").mark();
    out.global("torch._utils", tensor.first_version ? "_rebuild_tensor" : "_rebuild_tensor_v2").mark();
    out.mark().text("storage").global(tensor.storage_module, tensor.storage_type).text(tensor.storage_key);
    out.text("cpu").integer(tensor.total);
    if (tensor.legacy) {
        if (tensor.view.empty()) {
            out.none();
        } else {
            out.mark().text("a view").integer(tensor.view[0]).integer(tensor.view[1]).tuple();
        }
    }
    out.tuple().raw("Q").integer(tensor.offset).integers(tensor.shape).integers(tensor.strides);
    if (!tensor.first_version) out.boolean(false).ordered_dict();
    out.tuple().reduce();
    if (tensor.is_parameter) out.boolean(true).ordered_dict().tuple().reduce();
}

/// An OrderedDict of tensors with the `_metadata` that modules give it.
inline void write_state_dict(PickleWriter& out, const std::vector<TensorEntry>& tensors) {
    out.ordered_dict().put(0).mark();
    for (const TensorEntry& tensor : tensors) {
        out.text(tensor.name);
        write_tensor(out, tensor);
    }
    out.set_items();
    out.empty_dict().mark().text("_metadata").ordered_dict().set_items().raw("b");
}

inline std::string state_dict_pickle(const std::vector<TensorEntry>& tensors, char protocol = 2) {
    PickleWriter out(protocol);
    write_state_dict(out, tensors);
    return out.stop();
}

}  // namespace vkseg::importer_test
