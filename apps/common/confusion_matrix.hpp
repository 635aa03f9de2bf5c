#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "apps/common/palette.hpp"

namespace vkseg::app {

/// What the values of a label map stand for: a class, nothing that counts, or nothing that is known.
struct LabelMeaning {
    static constexpr int16_t ignored = -1;
    static constexpr int16_t unknown = -2;
    std::array<int16_t, 256> class_of{};
};

/// Labels that hold class indices ("train ids"); 255 and the set's void class are ignored, the rest is unknown.
[[nodiscard]] LabelMeaning meaning_of_train_ids(const ClassList& set);
/// Labels that hold the data set's own ids; those that no class of the set has, and its void class's, are ignored.
[[nodiscard]] LabelMeaning meaning_of_label_ids(const ClassList& set);
/// A class that stands for "not labelled": "void", "unlabelled", "unlabeled", in any case.
[[nodiscard]] bool is_void(const ClassInfo& info);

/// Pixels by labelled and predicted class, and the figures that data sets rank by.
class ConfusionMatrix {
public:
    explicit ConfusionMatrix(const ClassList& set);

    /// Counts one picture. Throws `Error` that names the first label that is unknown; nothing is counted then.
    void add(std::span<const uint8_t> labels, std::span<const uint8_t> predicted, const LabelMeaning& meaning);

    [[nodiscard]] uint64_t count(size_t labelled, size_t predicted) const;
    /// Labelled pixels of the class.
    [[nodiscard]] uint64_t labelled(size_t index) const;
    [[nodiscard]] uint64_t counted() const;
    [[nodiscard]] uint64_t ignored() const { return ignored_; }

    /// Intersection over union: pixels right / (pixels labelled or predicted as the class), where ignored pixels are
    /// neither. None for void and for a class that is neither labelled nor predicted anywhere.
    [[nodiscard]] std::optional<double> iou(size_t index) const;
    /// Of the classes that have one.
    [[nodiscard]] std::optional<double> mean_iou() const;
    [[nodiscard]] std::optional<double> pixel_accuracy() const;

private:
    std::vector<bool> is_void_;
    std::vector<uint64_t> counts_;  // a row per labelled class
    uint64_t ignored_ = 0;
};

}  // namespace vkseg::app
