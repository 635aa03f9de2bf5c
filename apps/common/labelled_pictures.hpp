#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vkseg::app {

struct LabelledPicture {
    std::filesystem::path picture, labels;
};

/// Pairs pictures with their label maps, sorted by picture. `pictures` is a folder, searched with all below it, or a
/// pattern with *, ? or [ ]; a label map lies at the same place under `labels`, or directly in it. Cityscapes' names:
/// X_leftImg8bit.png goes with X_gtFine_labelTrainIds.png, or X_gtFine_labelIds.png for `label_ids`; where a folder has
/// such pictures, its other files are none. Any other X.png, .jpg or .bmp goes with X.png. Throws `Error` when there
/// are no pictures or one has no label map.
[[nodiscard]] std::vector<LabelledPicture> find_labelled_pictures(const std::string& pictures,
                                                                  const std::filesystem::path& labels, bool label_ids);

}  // namespace vkseg::app
