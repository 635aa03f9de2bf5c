#include "apps/common/confusion_matrix.hpp"

#include <algorithm>
#include <cassert>

#include "graph/ir/error.hpp"

namespace vkseg::app {

bool is_void(const ClassInfo& info) {
    std::string name = info.name;
    for (char& letter : name)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    return name == "void" || name == "unlabelled" || name == "unlabeled";
}

LabelMeaning meaning_of_train_ids(const ClassList& set) {
    LabelMeaning meaning;
    meaning.class_of.fill(LabelMeaning::unknown);
    meaning.class_of[255] = LabelMeaning::ignored;
    for (size_t i = 0; i < std::min<size_t>(set.classes.size(), 256); ++i)
        meaning.class_of[i] = is_void(set.classes[i]) ? LabelMeaning::ignored : static_cast<int16_t>(i);
    return meaning;
}

LabelMeaning meaning_of_label_ids(const ClassList& set) {
    LabelMeaning meaning;
    meaning.class_of.fill(LabelMeaning::ignored);
    for (size_t i = 0; i < set.classes.size(); ++i) {
        const int id = set.classes[i].label_id;
        if (id >= 0 && id <= 255 && !is_void(set.classes[i]))
            meaning.class_of[static_cast<size_t>(id)] = static_cast<int16_t>(i);
    }
    return meaning;
}

ConfusionMatrix::ConfusionMatrix(const ClassList& set) : counts_(set.classes.size() * set.classes.size()) {
    for (const ClassInfo& info : set.classes) is_void_.push_back(is_void(info));
}

void ConfusionMatrix::add(std::span<const uint8_t> labels, std::span<const uint8_t> predicted,
                          const LabelMeaning& meaning) {
    assert(labels.size() == predicted.size());
    for (const uint8_t label : labels)
        if (meaning.class_of[label] == LabelMeaning::unknown)
            throw error("holds {}, which is neither one of {} classes nor 255 for void", label, is_void_.size());
    for (size_t i = 0; i < labels.size(); ++i) {
        const int16_t labelled = meaning.class_of[labels[i]];
        if (labelled == LabelMeaning::ignored)
            ++ignored_;
        else
            ++counts_.at(static_cast<size_t>(labelled) * is_void_.size() + predicted[i]);
    }
}

uint64_t ConfusionMatrix::count(size_t labelled, size_t predicted) const {
    return counts_.at(labelled * is_void_.size() + predicted);
}

uint64_t ConfusionMatrix::labelled(size_t index) const {
    uint64_t sum = 0;
    for (size_t predicted = 0; predicted < is_void_.size(); ++predicted) sum += count(index, predicted);
    return sum;
}

uint64_t ConfusionMatrix::counted() const {
    uint64_t sum = 0;
    for (const uint64_t pixels : counts_) sum += pixels;
    return sum;
}

std::optional<double> ConfusionMatrix::iou(size_t index) const {
    if (is_void_.at(index)) return std::nullopt;
    uint64_t united = labelled(index);
    for (size_t other = 0; other < is_void_.size(); ++other)
        if (other != index) united += count(other, index);
    if (united == 0) return std::nullopt;
    return static_cast<double>(count(index, index)) / static_cast<double>(united);
}

std::optional<double> ConfusionMatrix::mean_iou() const {
    double sum = 0;
    int classes = 0;
    for (size_t i = 0; i < is_void_.size(); ++i)
        if (const auto one = iou(i)) {
            sum += *one;
            ++classes;
        }
    if (classes == 0) return std::nullopt;
    return sum / classes;
}

std::optional<double> ConfusionMatrix::pixel_accuracy() const {
    uint64_t right = 0;
    for (size_t i = 0; i < is_void_.size(); ++i) right += count(i, i);
    if (counted() == 0) return std::nullopt;
    return static_cast<double>(right) / static_cast<double>(counted());
}

}  // namespace vkseg::app
