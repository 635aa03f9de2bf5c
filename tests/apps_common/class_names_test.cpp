#include "apps/common/class_names.hpp"

#include "models/class_sets.hpp"
#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

using Names = std::vector<std::string>;

class ClassNames : public testing::Test {
protected:
    Names read(std::string_view name, std::string_view text, int classes = 3) const {
        return read_class_names(folder.put(name, text), classes);
    }
    std::string refusal(std::string_view name, std::string_view text, int classes = 3) const {
        return message_of([&] { (void)read(name, text, classes); });
    }

    Folder folder;
};

const Names fish{"tench", "great white shark, white shark", "jack-o'-lantern"};

TEST_F(ClassNames, one_a_line) {
    EXPECT_EQ(read("n.txt", "tench\ngreat white shark, white shark\njack-o'-lantern\n"), fish);
    EXPECT_EQ(read("n.txt", "\xEF\xBB\xBFtench\r\n great white shark, white shark \r\n\r\njack-o'-lantern"), fish);
    EXPECT_EQ(read("n.txt", "n01440764 tench\nn01484850\tgreat white shark, white shark\nn03590841 jack-o'-lantern"),
              fish);
}

TEST_F(ClassNames, json_by_position_and_by_index) {
    EXPECT_EQ(read("n.json", R"( ["tench", "great white shark, white shark", "jack-o'-lantern"])"), fish);
    EXPECT_EQ(read("n", R"({"1": "great white shark, white shark", "0": "tench", "2": "jack-o'-lantern"})"), fish);
    EXPECT_EQ(read("n", R"({"0": ["n01440764", "tench"], "1": ["n01484850", "great white shark, white shark"],
                            "2": ["n03590841", "jack-o'-lantern"]})"),
              fish);
}

TEST_F(ClassNames, of_python_lists_the_one_of_the_right_length) {
    const char* source = R"("""Private: ["this", "is", "text"]."""
# ["nor", "this", "one"]
shape = [1, 2, 3]
_OTHERS = ["a", "b"]
_NAMES = [
    "tench",  # a comment, with "quotes" and ]
    'great white shark, white shark',
    "jack-o'-lantern",
]
_MORE = ["x", "y", "z"]
_ESCAPED = ['it\'s']
)";
    EXPECT_EQ(read("_meta.py", source), fish);
    EXPECT_EQ(read("_meta.py", source, 2), (Names{"a", "b"}));
    EXPECT_EQ(read("_meta.py", source, 1), (Names{"it's"}));
    EXPECT_TRUE(contains(refusal("_meta.py", source, 1000), "no list of 1000 names; its longest has 3"));
    EXPECT_TRUE(contains(refusal("_meta.py", "names = ['open", 1), "no list of 1 names"));
    EXPECT_TRUE(contains(refusal("_meta.py", "[[[['a' 'b'], 'c'", 1), "no list of 1 names"));
}

TEST_F(ClassNames, of_wordnet_ids_from_the_file_beside) {
    const char* ids = "n01440764\nn01484850\nn03590841\n";
    EXPECT_EQ(read("imagenet_synsets.txt", ids), (Names{"n01440764", "n01484850", "n03590841"}));
    folder.put("imagenet_synset_to_lemma.txt",
               "n00004475\torganism, being\nn03590841\tjack-o'-lantern\nn01440764\ttench\n"
               "n01484850\tgreat white shark, white shark\n");
    EXPECT_EQ(read("imagenet_synsets.txt", ids), fish);
}

TEST_F(ClassNames, of_another_number_are_refused) {
    EXPECT_TRUE(contains(refusal("n.txt", "a\nb\n"), "has 2 names, but the network gives 3 classes"));
    EXPECT_TRUE(contains(refusal("n.txt", ""), "has 0 names"));
    EXPECT_TRUE(contains(refusal("n.json", R"(["a"])"), "has 1 names"));
    EXPECT_TRUE(contains(refusal("n.json", R"(["a", 2, "c"])"), "name 1 is no text"));
    EXPECT_TRUE(contains(refusal("n.json", R"({"0": "a", "2": "b", "x": "c"})"), "name 1 is missing"));
    EXPECT_TRUE(contains(refusal("n.json", R"(["a", )"), "not valid JSON"));
    EXPECT_TRUE(contains(message_of([&] { (void)read_class_names(folder / "none", 3); }), "does not exist"));
}

TEST_F(ClassNames, make_a_class_set) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += fmt::format("thing {}\n", i);
    const ClassList set = read_named_class_set(folder.put("names.txt", text), generated_class_set(1000));
    EXPECT_EQ(set.name, "imagenet");
    EXPECT_EQ(set.classes.at(999).name, "thing 999");
    EXPECT_EQ(read_named_class_set(folder.put("pets.txt", "cat\ndog\n"), generated_class_set(2)).name, "pets");
    EXPECT_TRUE(contains(message_of([] { (void)class_set("imagenet"); }), "--names FILE"));
}

}  // namespace
}  // namespace vkseg::app::test
