#pragma once

#include "graph/ir/tensor.hpp"

#include <functional>
#include <map>
#include <string>

namespace vkseg {

/// Element type a tensor had in its file. Values are converted to float32 when read; `save` functions write float32.
enum class StoredType { F32, F64, F16, BF16, I64, I32, I16, I8, U8, Bool };

/// "f32", "bf16", "i64", ...
[[nodiscard]] const char* to_string(StoredType type);

struct WeightTensor {
    Tensor tensor;
    StoredType stored_type = StoredType::F32;
};

/// Named tensors of a trained network: where `importer` and `models` meet. Names are those of the published
/// checkpoint, without a leading `module.`. Immutable after loading; may be read from several threads.
struct Weights {
    /// File the tensors came from, for messages; "" for tensors made in memory.
    std::string source;
    std::map<std::string, WeightTensor, std::less<>> tensors;
    /// What the file says about itself (safetensors' `__metadata__`); other formats say nothing.
    std::map<std::string, std::string, std::less<>> metadata{};
};

}  // namespace vkseg
