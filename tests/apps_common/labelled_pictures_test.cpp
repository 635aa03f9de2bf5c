#include "apps/common/labelled_pictures.hpp"

#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

class LabelledPictures : public testing::Test {
protected:
    void put(const std::string& file) const {
        std::filesystem::create_directories((folder / file).parent_path());
        folder.put(file, "x");
    }
    /// "picture labels, picture labels", below the test's folder.
    [[nodiscard]] std::string found(const std::string& pictures, const std::string& labels, bool label_ids) const {
        std::string text;
        for (const LabelledPicture& pair : find_labelled_pictures(folder / pictures, folder / labels, label_ids))
            text += (text.empty() ? "" : ", ") + short_name(pair.picture) + " " + short_name(pair.labels);
        return text;
    }
    [[nodiscard]] std::string refusal(const std::string& pictures, const std::string& labels, bool label_ids) const {
        return message_of([&] { (void)found(pictures, labels, label_ids); });
    }

    Folder folder;

private:
    [[nodiscard]] std::string short_name(const std::filesystem::path& path) const {
        return path.lexically_normal().lexically_relative(folder.path()).string();
    }
};

TEST_F(LabelledPictures, of_one_name) {
    for (const char* file : {"i/b.jpg", "i/a.png", "i/notes.txt", "i/.hidden.png", "l/a.png", "l/b.png", "l/c.png"})
        put(file);
    EXPECT_EQ(found("i", "l", false), "i/a.png l/a.png, i/b.jpg l/b.png");
    EXPECT_EQ(found("i/b*", "l", false), "i/b.jpg l/b.png");
}

TEST_F(LabelledPictures, of_cityscapes) {
    for (const char* file : {"left/val/ulm/ulm_1_leftImg8bit.png", "left/val/bonn/bonn_2_leftImg8bit.png",
                             "fine/val/ulm/ulm_1_gtFine_labelIds.png", "fine/val/ulm/ulm_1_gtFine_labelTrainIds.png",
                             "fine/val/bonn/bonn_2_gtFine_labelIds.png", "flat/ulm_1_gtFine_labelTrainIds.png",
                             "flat/bonn_2_gtFine_labelTrainIds.png"})
        put(file);
    EXPECT_EQ(found("left/val", "fine/val", true),
              "left/val/bonn/bonn_2_leftImg8bit.png fine/val/bonn/bonn_2_gtFine_labelIds.png, "
              "left/val/ulm/ulm_1_leftImg8bit.png fine/val/ulm/ulm_1_gtFine_labelIds.png");
    EXPECT_EQ(found("left/val/*/u*.png", "fine/val", false),
              "left/val/ulm/ulm_1_leftImg8bit.png fine/val/ulm/ulm_1_gtFine_labelTrainIds.png");
    EXPECT_EQ(found("left", "flat", false),
              "left/val/bonn/bonn_2_leftImg8bit.png flat/bonn_2_gtFine_labelTrainIds.png, "
              "left/val/ulm/ulm_1_leftImg8bit.png flat/ulm_1_gtFine_labelTrainIds.png");
    EXPECT_TRUE(contains(refusal("left/val", "fine/val", false), "bonn_2_gtFine_labelTrainIds.png"));
    EXPECT_TRUE(contains(refusal("left/val", "fine/val", false), "--label-ids"));
}

TEST_F(LabelledPictures, beside_their_labels) {
    for (const char* file :
         {"city/a_leftImg8bit.png", "city/a_gtFine_labelTrainIds.png", "mixed/a.jpg", "mixed/a.png", "same/a.png"})
        put(file);
    EXPECT_EQ(found("city", "city", false), "city/a_leftImg8bit.png city/a_gtFine_labelTrainIds.png");
    EXPECT_EQ(found("mixed", "mixed", false), "mixed/a.jpg mixed/a.png");
    EXPECT_TRUE(contains(refusal("same", "same", false), "its own label map"));
}

TEST_F(LabelledPictures, that_are_not_there_are_named) {
    put("i/a.png");
    put("l/b.png");
    std::filesystem::create_directory(folder / "empty");
    EXPECT_TRUE(contains(refusal("i", "l", false), "'a.png'"));
    EXPECT_TRUE(contains(refusal("none", "l", false), "none' does not exist"));
    EXPECT_TRUE(contains(refusal("i", "none", false), "none' does not exist"));
    EXPECT_TRUE(contains(refusal("empty", "l", false), "holds no PNG"));
    EXPECT_TRUE(contains(refusal("i/x*.png", "l", false), "matches"));
}

}  // namespace
}  // namespace vkseg::app::test
