#include "apps/common/palette.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "models/class_sets.hpp"
#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

TEST(ClassList, built_in_sets_have_their_sizes) {
    for (const auto& [name, size] : {std::pair<const char*, size_t>{"cityscapes19", 19},
                                     {"cityscapes20", 20},
                                     {"camvid11", 11},
                                     {"camvid12", 12},
                                     {"pascal21", 21}}) {
        const ClassList& set = class_set(name);
        EXPECT_EQ(set.name, name);
        EXPECT_EQ(set.classes.size(), size);
        std::set<std::string> names;
        std::set<Colour> colours;
        for (const ClassInfo& info : set.classes) {
            names.insert(info.name);
            colours.insert(info.colour);
        }
        EXPECT_EQ(names.size(), size) << name;
        EXPECT_EQ(colours.size(), size) << name;
    }
    EXPECT_EQ(class_set_names().size(), 5u);
}

TEST(ClassList, cityscapes_label_ids) {
    const std::vector<int> ids{7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33, 0};
    const ClassList& set = class_set("cityscapes20");
    for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(set.classes[i].label_id, ids[i]);
    EXPECT_EQ(set.classes[19].name, "void");
    EXPECT_EQ(set.classes[13].name, "car");
    EXPECT_EQ(set.classes[13].colour, (Colour{0, 0, 142}));
}

TEST(ClassList, pascal_colours_follow_the_colour_map) {
    const ClassList& set = class_set("pascal21");
    EXPECT_EQ(set.classes[0].colour, (Colour{0, 0, 0}));
    EXPECT_EQ(set.classes[1].colour, (Colour{128, 0, 0}));
    EXPECT_EQ(set.classes[7].colour, (Colour{128, 128, 128}));
    EXPECT_EQ(set.classes[8].colour, (Colour{64, 0, 0}));
    EXPECT_EQ(set.classes[15].colour, (Colour{192, 128, 128}));
    EXPECT_EQ(set.classes[20].colour, (Colour{0, 64, 128}));
    EXPECT_EQ(set.classes[15].name, "person");
    EXPECT_EQ(set.classes[20].name, "tvmonitor");
}

TEST(ClassList, unknown_name_lists_the_known_ones) {
    const std::string message = message_of([] { (void)class_set("ade20k"); });
    EXPECT_TRUE(contains(message, "'ade20k'"));
    EXPECT_TRUE(contains(message, "cityscapes19, cityscapes20, camvid11, camvid12, pascal21"));
}

TEST(ClassList, default_goes_by_the_number_of_classes) {
    EXPECT_EQ(default_class_set("espnet", 20).name, "cityscapes20");
    EXPECT_EQ(default_class_set("lpsnet", 19).name, "cityscapes19");
    EXPECT_EQ(default_class_set("espnetv2", 21).name, "pascal21");
    EXPECT_EQ(default_class_set("vnet", 11).name, "camvid11");
    EXPECT_EQ(default_class_set("vnet", 12).name, "camvid12");
    EXPECT_EQ(default_class_set("vnet", 5).classes.size(), 5u);
    EXPECT_EQ(default_class_set("espnetv2-cls", 20).classes[0].name, "class 0");
    EXPECT_EQ(default_class_set("espnetv2-cls", 1000).classes.size(), 1000u);
}

int distance(const Colour& a, const Colour& b) {
    int sum = 0;
    for (size_t c = 0; c < 3; ++c) sum += std::abs(a[c] - b[c]);
    return sum;
}

TEST(ClassList, generated_colours_are_distinct) {
    for (const auto& [classes, apart] : {std::pair{2, 150}, {8, 90}, {20, 55}, {40, 30}, {150, 8}, {1000, 1}}) {
        const ClassList set = generated_class_set(classes);
        int nearest = 1000;
        for (size_t i = 0; i < set.classes.size(); ++i) {
            EXPECT_EQ(set.classes[i].label_id, static_cast<int>(i));
            for (size_t k = 0; k < i; ++k) {
                nearest = std::min(nearest, distance(set.classes[i].colour, set.classes[k].colour));
            }
        }
        EXPECT_GE(nearest, apart) << classes;
    }
    EXPECT_TRUE(generated_class_set(0).classes.empty());
}

class ReadClassSet : public testing::Test {
protected:
    ClassList read(std::string_view text) { return read_class_set(folder_.put("classes.json", text)); }
    std::string failure(std::string_view text) {
        return message_of([&] { (void)read(text); });
    }

    Folder folder_;
};

TEST_F(ReadClassSet, reads_names_colours_and_ids) {
    const ClassList set =
        read(R"([{"name": "road", "colour": [128, 64, 128], "id": 7}, {"name": "Weg", "color": [0, 0, 255]}])");
    EXPECT_EQ(set.name, "classes");
    ASSERT_EQ(set.classes.size(), 2u);
    EXPECT_EQ(set.classes[0].name, "road");
    EXPECT_EQ(set.classes[0].colour, (Colour{128, 64, 128}));
    EXPECT_EQ(set.classes[0].label_id, 7);
    EXPECT_EQ(set.classes[1].colour, (Colour{0, 0, 255}));
    EXPECT_EQ(set.classes[1].label_id, 1);
}

TEST_F(ReadClassSet, says_what_is_wrong_and_where) {
    EXPECT_TRUE(contains(failure("[{"), "is not valid JSON: parse error at line 1, column 3"));
    EXPECT_TRUE(contains(failure(""), "is not valid JSON"));
    EXPECT_TRUE(contains(failure("\xff\xfe"), "is not valid JSON"));
    EXPECT_TRUE(contains(failure("{}"), "must hold a list of classes, found object"));
    EXPECT_TRUE(contains(failure("[]"), "holds no classes"));
    EXPECT_TRUE(contains(failure(R"([{"name": "a", "colour": [1, 2, 3]}, 5])"), "class 1: expected"));
    EXPECT_TRUE(contains(failure(R"([{"colour": [1, 2, 3]}])"), "class 0: \"name\" is missing"));
    EXPECT_TRUE(contains(failure(R"([{"name": "a"}])"), "class 0: \"colour\" is missing"));
    EXPECT_TRUE(contains(failure(R"([{"name": 5, "colour": [1, 2, 3]}])"), "\"name\" must be a text"));
    EXPECT_TRUE(contains(failure(R"([{"name": "", "colour": [1, 2, 3]}])"), "\"name\" must be a text"));
    EXPECT_TRUE(contains(failure(R"([{"name": "a", "colour": "red"}])"), "must be [red, green, blue]"));
    EXPECT_TRUE(contains(failure(R"([{"name": "a", "colour": [1, 2]}])"), "must be [red, green, blue]"));
    for (const char* value :
         {"256", "-1", "1.5", "\"1\"", "null", "1e300", "99999999999999999999", "18446744073709551615"}) {
        const std::string colour = std::string(R"([{"name": "a", "colour": [1, 2, )") + value + "]}]";
        EXPECT_TRUE(contains(failure(colour), "whole numbers from 0 to 255")) << value;
        const std::string id = std::string(R"([{"name": "a", "colour": [1, 2, 3], "id": )") + value + "}]";
        EXPECT_TRUE(contains(failure(id), "\"id\" must be a whole number from 0 to 255")) << value;
    }
    EXPECT_TRUE(contains(failure(R"([{"name": "a", "colour": [1, 2, 3], "idd": 1}])"), "unknown key \"idd\""));
    EXPECT_TRUE(contains(message_of([&] { (void)read_class_set(folder_ / "none.json"); }), "does not exist"));
    EXPECT_NE(failure(std::string(100'000, '[')), "");
}

TEST_F(ReadClassSet, more_classes_than_a_label_picture_can_hold) {
    std::string list = "[";
    for (int i = 0; i < 257; ++i) list += std::string(i ? "," : "") + R"({"name": "a", "colour": [1, 2, 3], "id": 0})";
    EXPECT_TRUE(contains(failure(list + "]"), "holds 257 classes, at most 256"));
}

}  // namespace
}  // namespace vkseg::app::test
