#include "apps/common/files.hpp"

#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> expand(const std::vector<std::string>& names) {
    return expand_inputs(names);
}

TEST(ExpandInputs, folders_give_their_images_sorted) {
    const Folder folder;
    for (const char* name : {"b.png", "a.JPG", "c.Jpeg", "d.bmp", "notes.txt", ".hidden.png", "png", "e.png.txt"}) {
        folder.put(name, "x");
    }
    fs::create_directory(folder / "folder.png");
    folder.put("folder.png/inner.png", "x");
    fs::create_symlink("nowhere", folder / "z.png");
    const std::vector<fs::path> expected{folder / "a.JPG", folder / "b.png", folder / "c.Jpeg", folder / "d.bmp",
                                         folder / "z.png"};
    EXPECT_EQ(expand({folder.path().string()}), expected);
}

TEST(ExpandInputs, files_keep_their_order_and_need_no_extension) {
    const Folder folder;
    const fs::path b = folder.put("b", "x"), a = folder.put("a.tif", "x");
    EXPECT_EQ(expand({b.string(), a.string()}), (std::vector<fs::path>{b, a}));
    EXPECT_TRUE(expand({}).empty());
}

TEST(ExpandInputs, says_what_is_missing) {
    const Folder folder;
    const std::string missing = (folder / "none.png").string();
    EXPECT_EQ(message_of([&] { (void)expand({missing}); }), "'" + missing + "' does not exist");
    EXPECT_TRUE(contains(message_of([&] { (void)expand({""}); }), "'' does not exist"));
    folder.put("notes.txt", "x");
    EXPECT_TRUE(
        contains(message_of([&] { (void)expand({folder.path().string()}); }), "holds no PNG, JPEG or BMP files"));
    EXPECT_TRUE(
        contains(message_of([&] { (void)expand({(folder / "notes.txt/a.png").string()}); }), "notes.txt/a.png"));
}

TEST(OutputPaths, are_beside_the_input_or_in_the_folder) {
    const std::vector<fs::path> inputs{"in/a.png", "in/b.tar.jpg", "c"};
    EXPECT_EQ(output_paths(inputs, "", "_labels.png"),
              (std::vector<fs::path>{"in/a_labels.png", "in/b.tar_labels.png", "c_labels.png"}));
    EXPECT_EQ(output_paths(inputs, "out", ".npy"), (std::vector<fs::path>{"out/a.npy", "out/b.tar.npy", "out/c.npy"}));
}

TEST(OutputPaths, refuses_two_inputs_with_one_result) {
    const auto message = [](const std::vector<fs::path>& inputs, const fs::path& folder) {
        return message_of([&] { (void)output_paths(inputs, folder, "_labels.png"); });
    };
    EXPECT_EQ(message({"a.png", "b.png", "a.jpg"}, ""), "'a.png' and 'a.jpg' would both be written to 'a_labels.png'");
    EXPECT_EQ(message({"x/a.png", "y/a.png"}, "out"),
              "'x/a.png' and 'y/a.png' would both be written to 'out/a_labels.png'");
    EXPECT_EQ(message({"x/a.png", "y/a.png"}, ""), "");
    EXPECT_TRUE(contains(message({"x/a.png", "x/../x/./a.jpg"}, ""), "would both be written"));
    EXPECT_TRUE(contains(message({"a.png", "a.png"}, ""), "would both be written"));
}

TEST(OutputPaths, refuses_to_replace_an_input) {
    const Folder folder;
    const fs::path a = folder.put("a.png", "x"), labels = folder.put("a_labels.png", "x");
    const std::vector<fs::path> inputs{a, labels};
    EXPECT_EQ(message_of([&] { (void)output_paths(inputs, "", "_labels.png"); }),
              "the result for '" + a.string() + "' would replace the input '" + labels.string() + "'");
    fs::create_directory_symlink(folder.path(), folder / "same");
    EXPECT_TRUE(
        contains(message_of([&] { (void)output_paths(inputs, folder / "same", "_labels.png"); }), "would replace"));
    EXPECT_TRUE(contains(message_of([&] { (void)output_paths(inputs, folder.path(), ".png"); }), "would replace"));
}

}  // namespace
}  // namespace vkseg::app::test
