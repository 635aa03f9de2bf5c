#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "graph/ir/class_list.hpp"

namespace vkseg::app {

/// Reads the names of `classes` classes in the order of the scores from what is at hand for ImageNet: a text with one
/// name a line (a WordNet id before it is dropped); JSON, as a list of names or by index, {"0": "tench"} or Keras'
/// {"0": ["n01440764", "tench"]}; Python source with a list of that many texts, such as torchvision/models/_meta.py; or
/// a text of WordNet ids, such as timm's imagenet_synsets.txt, which takes the names from the
/// imagenet_synset_to_lemma.txt beside it when that is there. Throws `Error` when the file holds another number.
[[nodiscard]] std::vector<std::string> read_class_names(const std::filesystem::path& path, int classes);

/// `numbered` with these names: "imagenet" for 1000 classes, else called as the file.
[[nodiscard]] ClassList read_named_class_set(const std::filesystem::path& path, ClassList numbered);

}  // namespace vkseg::app
