#pragma once

#include "graph/ir/weights.hpp"
#include "importer/bytes.hpp"
#include "importer/pickle.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

/// What PyTorch's two serialisations have in common: a pickle of tensors whose elements lie elsewhere in the file, in
/// storages that the pickle names by persistent identifiers.
namespace vkseg::importer {

/// A storage as the pickle describes it. Its numbers are claims; only `first` and `count` lying inside `total` is
/// certain.
struct StorageClaim {
    std::string_view key;
    StoredType type = StoredType::F32;
    /// Elements in the file under this key.
    int64_t total = 0;
    /// The part of them that this storage shows (the legacy serialisation has storages that are views of others).
    int64_t first = 0;
    int64_t count = 0;
};

/// The bytes of a whole storage (`total` elements exactly; throws vkseg::Error where the file has another number).
/// They stay valid until the last tensor is made.
using StorageBytes = std::function<Bytes(const StorageClaim&)>;

/// Precondition: `persistent` is of Kind::Persistent. Throws vkseg::Error when it does not describe a storage.
[[nodiscard]] StorageClaim read_storage_claim(const Pickle& pickle, const Value& persistent, const std::string& file);

/// Makes the tensors of the state dict in `pickle`. `file_bytes` bounds the elements of all tensors together.
[[nodiscard]] Weights weights_from_state_dict(const Pickle& pickle, const StorageBytes& storage_bytes,
                                              uint64_t file_bytes, const std::string& file);

/// `bytes` is a whole file in the serialisation of PyTorch before 1.6; `file` its name for messages.
[[nodiscard]] Weights read_torch_legacy(Bytes bytes, const std::string& file);

/// `bytes` is a whole file in the zip serialisation of PyTorch 1.6 and later; `file` its name for messages.
[[nodiscard]] Weights read_torch_zip(Bytes bytes, const std::string& file);

}  // namespace vkseg::importer
