#pragma once

#include "graph/ir/error.hpp"
#include "graph/ir/weights.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// Weights files on disk -> Weights.
///
/// Every function here throws vkseg::Error, "'<file>': ..." and one sentence, for whatever may be wrong with the
/// file or the disk; a damaged or hostile file costs memory in proportion to its own size, not to what it claims.
/// Nothing here keeps state: every function may run on several threads at once.
namespace vkseg {

/// Reads a PyTorch state dict (both serialisations) or a safetensors file. The content decides which, never the
/// file's extension.
[[nodiscard]] Weights load_weights(const std::filesystem::path& file);

/// Reads what `torch.save(model.state_dict(), file)` writes: the legacy serialisation (before 1.6) and the zip one.
/// The state dict may be the file's top level or lie under `state_dict` or `model` of a top-level dict (a training
/// checkpoint); entries that are not tensors are passed over, a leading `module.` of names (DataParallel) is dropped.
/// Views and non-contiguous tensors become dense. The pickle inside is read by a closed reader that runs nothing:
/// a file that asks for any Python function beyond those that rebuild tensors is refused.
[[nodiscard]] Weights read_torch_state_dict(const std::filesystem::path& file);

/// Reads a safetensors file with element types F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL; the texts in its
/// `__metadata__` are kept, a leading `module.` of names is dropped.
[[nodiscard]] Weights read_safetensors(const std::filesystem::path& file);

/// Writes every tensor as F32, ordered by name, bits unchanged, and the metadata. The file appears complete or not at
/// all: it is written beside the target and renamed, so after an error (disk full included) an existing target is
/// untouched and no temporary file remains. Two threads may even save to the same target: the last rename wins.
void save_safetensors(const std::filesystem::path& file, const Weights& weights);

/// Names of the tensors that hold a NaN or an infinity, in order. Loading accepts such tensors: whether to go on
/// is the program's choice.
[[nodiscard]] std::vector<std::string> names_of_non_finite(const Weights& weights);

}  // namespace vkseg
