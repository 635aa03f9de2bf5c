#include "apps/common/confusion_matrix.hpp"
#include "models/class_sets.hpp"

#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

ClassList three_classes() {
    return {"three", {{"road", {}, 7}, {"void", {}, 0}, {"car", {}, 26}}};
}

TEST(ConfusionMatrix, figures_by_hand) {
    const ClassList set = generated_class_set(3);
    ConfusionMatrix matrix(set);
    // Class 0: 2 right, 1 taken for 1. Class 1: 1 right, 1 taken for 0. Class 2 occurs nowhere.
    matrix.add(Bytes{0, 0, 0, 1}, Bytes{0, 0, 1, 1}, meaning_of_train_ids(set));
    matrix.add(Bytes{1, 255}, Bytes{0, 2}, meaning_of_train_ids(set));
    EXPECT_EQ(matrix.count(0, 1), 1u);
    EXPECT_EQ(matrix.count(1, 0), 1u);
    EXPECT_EQ(matrix.labelled(0), 3u);
    EXPECT_EQ(matrix.counted(), 5u);
    EXPECT_EQ(matrix.ignored(), 1u);
    EXPECT_DOUBLE_EQ(matrix.iou(0).value(), 2.0 / 4);
    EXPECT_DOUBLE_EQ(matrix.iou(1).value(), 1.0 / 3);
    EXPECT_FALSE(matrix.iou(2));
    EXPECT_DOUBLE_EQ(matrix.mean_iou().value(), (2.0 / 4 + 1.0 / 3) / 2);
    EXPECT_DOUBLE_EQ(matrix.pixel_accuracy().value(), 3.0 / 5);
}

TEST(ConfusionMatrix, a_class_that_is_only_predicted_has_iou_zero) {
    const ClassList set = generated_class_set(3);
    ConfusionMatrix matrix(set);
    matrix.add(Bytes{0, 0}, Bytes{0, 2}, meaning_of_train_ids(set));
    EXPECT_DOUBLE_EQ(matrix.iou(2).value(), 0.0);
    EXPECT_DOUBLE_EQ(matrix.mean_iou().value(), 0.25);
}

TEST(ConfusionMatrix, void_counts_neither_as_a_label_nor_as_a_class) {
    const ClassList set = three_classes();
    ConfusionMatrix matrix(set);
    // The second pixel is void and was called a car, the last a car and called void.
    matrix.add(Bytes{0, 1, 2, 2}, Bytes{0, 2, 2, 1}, meaning_of_train_ids(set));
    EXPECT_FALSE(matrix.iou(1));
    EXPECT_DOUBLE_EQ(matrix.iou(2).value(), 0.5);
    EXPECT_DOUBLE_EQ(matrix.mean_iou().value(), 0.75);
    EXPECT_DOUBLE_EQ(matrix.pixel_accuracy().value(), 2.0 / 3);
    EXPECT_EQ(matrix.ignored(), 1u);
}

TEST(ConfusionMatrix, label_ids_are_those_of_the_set) {
    const ClassList set = three_classes();
    ConfusionMatrix matrix(set);
    matrix.add(Bytes{7, 26, 0, 255, 8}, Bytes{0, 2, 0, 0, 0}, meaning_of_label_ids(set));
    EXPECT_EQ(matrix.count(0, 0), 1u);
    EXPECT_EQ(matrix.count(2, 2), 1u);
    EXPECT_EQ(matrix.ignored(), 3u);
}

TEST(ConfusionMatrix, unknown_train_ids_are_refused_before_anything_is_counted) {
    const ClassList set = three_classes();
    ConfusionMatrix matrix(set);
    const std::string message = message_of([&] { matrix.add(Bytes{0, 26}, Bytes{0, 0}, meaning_of_train_ids(set)); });
    EXPECT_TRUE(contains(message, "holds 26"));
    EXPECT_TRUE(contains(message, "3 classes"));
    EXPECT_EQ(matrix.counted(), 0u);
}

TEST(ConfusionMatrix, nothing_labelled_has_no_figures) {
    const ClassList set = generated_class_set(2);
    ConfusionMatrix matrix(set);
    matrix.add(Bytes{255}, Bytes{1}, meaning_of_train_ids(set));
    EXPECT_FALSE(matrix.mean_iou());
    EXPECT_FALSE(matrix.pixel_accuracy());
}

}  // namespace
}  // namespace vkseg::app::test
