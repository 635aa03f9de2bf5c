#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vkseg::app {

/// .png, .jpg, .jpeg or .bmp in any case.
[[nodiscard]] bool has_image_extension(const std::filesystem::path& path);

/// Replaces every folder by the PNG, JPEG and BMP files directly in it, sorted by name; files stay as they are,
/// whatever they are called. Hidden files in a folder are passed over (other systems leave "._photo.jpg" behind).
[[nodiscard]] std::vector<std::filesystem::path> expand_inputs(std::span<const std::string> files_and_folders);

/// Where the result for each input goes: photo.jpg with the ending "_labels.png" becomes photo_labels.png in the
/// folder, or beside the input when the folder is empty. Two inputs with the same result, and a result that would
/// replace one of the inputs, are refused: better now than after an hour's work.
[[nodiscard]] std::vector<std::filesystem::path> output_paths(std::span<const std::filesystem::path> inputs,
                                                              const std::filesystem::path& folder,
                                                              std::string_view ending);

}  // namespace vkseg::app
