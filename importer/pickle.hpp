#pragma once

#include "graph/ir/weights.hpp"
#include "importer/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A closed reader of Python pickles: it builds a table of plain values and runs nothing. It knows the opcodes that
/// CPython's picklers (protocols 2 to 5) use for dicts, lists, tuples, numbers and text, and the few global names in
/// `known_globals` of pickle.cpp; anything else is refused with a sentence that names it.
namespace vkseg::importer {

// Generous for any state dict with optimizer state (a tensor costs about 30 values), small enough for any machine.
inline constexpr size_t max_pickle_values = 2'000'000;
inline constexpr size_t max_pickle_depth = 100;

enum class GlobalRole { Dict, RebuildTensor, RebuildParameter, StorageType };

/// A Python function or class that a tensor file may name.
struct KnownGlobal {
    std::string_view name;
    GlobalRole role;
    /// For StorageType.
    StoredType stored_type = StoredType::F32;
};

/// Index into Pickle::values. Values refer to each other by index, because a pickle may contain cycles.
using ValueId = uint32_t;

struct Value {
    enum class Kind { None, Bool, Int, BigInt, Float, Text, Tuple, List, Dict, Global, Call, Persistent };

    Kind kind = Kind::None;
    uint32_t depth = 0;
    /// Bool (0 or 1) and Int.
    int64_t integer = 0;
    /// Float.
    double real = 0.0;
    /// Text; the little-endian two's complement of a BigInt. Points into the bytes that were read.
    std::string_view text{};
    /// The function of a Call, and Global.
    const KnownGlobal* global = nullptr;
    /// Tuple and List: elements. Dict: keys and values alternating, duplicates included. Call: the one tuple of
    /// its arguments. Persistent: its one identifier.
    std::vector<ValueId> items{};
};

struct Pickle {
    std::vector<Value> values;
    ValueId root = 0;

    [[nodiscard]] const Value& operator[](ValueId id) const { return values[id]; }
    [[nodiscard]] const Value& top() const { return values[root]; }
};

/// Reads one pickle and leaves `in` behind its STOP. The result points into the bytes of `in` and must not outlive
/// them. Throws vkseg::Error when the pickle is damaged, truncated, asks for anything outside the closed list, or is
/// larger or deeper than the limits above.
[[nodiscard]] Pickle read_pickle(ByteReader& in);

/// The first value under a text key of a Dict, or null.
[[nodiscard]] const Value* find(const Pickle& pickle, const Value& dict, std::string_view key);

/// "a dict", "an int", "text", ... for messages.
[[nodiscard]] const char* describe(const Value& value);

}  // namespace vkseg::importer
