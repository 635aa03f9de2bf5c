#include "apps/common/legend.hpp"

#include <algorithm>

#include "apps/common/text.hpp"
#include "models/class_sets.hpp"
#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

std::vector<LegendEntry> entries_of(const ClassList& set) {
    std::vector<uint64_t> counts;
    for (size_t i = 0; i < set.classes.size(); ++i) counts.push_back(1000 - i);
    return legend_entries(set, counts);
}

bool has_colour(const Image& image, const Colour& colour, int from_row) {
    for (int y = from_row; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
            if (std::equal(colour.begin(), colour.end(), image.at(x, y))) return true;
        }
    }
    return false;
}

TEST(Legend, counts_classes) {
    Bytes indices(1000, 2);
    for (size_t i = 0; i < 10; ++i) indices[i * 7] = static_cast<uint8_t>(i % 3);
    indices[500] = 255;
    EXPECT_EQ(count_classes(indices, 3), (std::vector<uint64_t>{4, 3, 992}));
    EXPECT_EQ(count_classes(Bytes{}, 2), (std::vector<uint64_t>{0, 0}));
    EXPECT_EQ(count_classes(indices, 256)[255], 1u);
}

TEST(Legend, entries_are_the_classes_that_occur_largest_first) {
    ClassList set = generated_class_set(4);
    const std::vector<LegendEntry> entries = legend_entries(set, std::vector<uint64_t>{10, 0, 60, 30});
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_EQ(entries[0].name, "class 2");
    EXPECT_DOUBLE_EQ(entries[0].share, 0.6);
    EXPECT_EQ(entries[2].name, "class 0");
    EXPECT_TRUE(legend_entries(set, std::vector<uint64_t>(4)).empty());
}

TEST(Legend, shares_as_text) {
    EXPECT_EQ(share_text(0.217), "21.7%");
    EXPECT_EQ(share_text(1), "100.0%");
    EXPECT_EQ(share_text(0.00001), "<0.1%");
    EXPECT_EQ(share_text(0), "0.0%");
}

TEST(Legend, picture_stays_and_every_colour_is_below_it) {
    for (const auto& [width, height] : {std::pair{1024, 512}, {2048, 1024}, {256, 128}, {300, 900}, {48, 20}, {1, 1}}) {
        const Image picture = gradient(width, height);
        const std::vector<LegendEntry> entries = entries_of(class_set("cityscapes20"));
        const Image result = add_legend(picture, entries);
        ASSERT_GE(result.width, width);
        ASSERT_GT(result.height, height);
        for (int y = 0; y < height; ++y) {
            ASSERT_TRUE(std::equal(picture.at(0, y), picture.at(0, y) + 3 * width, result.at(0, y)));
        }
        for (const LegendEntry& entry : entries) EXPECT_TRUE(has_colour(result, entry.colour, height)) << entry.name;
    }
}

TEST(Legend, usual_sizes_keep_their_width_and_grow_by_at_most_a_quarter) {
    for (const auto& [width, height] : {std::pair{1024, 512}, {2048, 1024}, {4096, 2048}}) {
        const Image result = add_legend(Image(width, height, 3), entries_of(class_set("cityscapes20")));
        EXPECT_EQ(result.width, width);
        EXPECT_LE(result.height - height, height / 4);
    }
    EXPECT_EQ(add_legend(Image(256, 128, 3), entries_of(class_set("cityscapes20"))).width, 256);
}

TEST(Legend, a_note_stands_below_the_entries_in_as_many_lines_as_it_needs) {
    const Image picture(512, 256, 3);
    const std::vector<LegendEntry> entries = entries_of(class_set("cityscapes20"));
    const Image without = add_legend(picture, entries);
    std::string sentence = "drawn";
    for (int i = 0; i < 40; ++i) sentence += " streets";
    int lowest = 0;
    for (const std::string& note : {std::string("drawn streets"), std::string(10'000, 'w'), sentence}) {
        const Image with = add_legend(picture, entries, note);
        EXPECT_EQ(with.width, without.width);
        ASSERT_GT(with.height, without.height);
        bool is_drawn = false;
        for (int y = without.height; y < with.height; ++y)
            is_drawn =
                is_drawn || !std::equal(with.at(0, y), with.at(0, y) + 3 * with.width, with.at(0, with.height - 1));
        EXPECT_TRUE(is_drawn);
        EXPECT_GE(with.height, lowest);
        lowest = with.height;
    }
    EXPECT_GT(lowest, add_legend(picture, entries, "drawn streets").height);
}

TEST(Legend, without_entries_the_picture_comes_back) {
    const Image picture = gradient(64, 32);
    const Image result = add_legend(picture, {});
    EXPECT_EQ(result.height, 32);
    EXPECT_EQ(result.pixels, picture.pixels);
}

TEST(Legend, strange_names_are_drawn) {
    const std::vector<LegendEntry> entries{{std::string(10'000, 'w'), {1, 2, 3}, 0.5},
                                           {"Stra\xC3\x9F"
                                            "e \xF0\x9F\x9A\x97 \x01\n\x7F\xFF",
                                            {4, 5, 6},
                                            0.25},
                                           {"", {7, 8, 9}, 0.25}};
    const Image result = add_legend(gradient(320, 200), entries);
    EXPECT_EQ(result.width, 320);
}

TEST(Text, other_characters_become_question_marks) {
    EXPECT_EQ(to_ascii("Stra\xC3\x9F"
                       "e"),
              "Stra?e");
    EXPECT_EQ(to_ascii("a\tb"), "a?b");
    EXPECT_EQ(to_ascii("\xF0\x9F\x9A\x97"), "?");
}

TEST(Text, every_character_leaves_a_mark_within_its_line) {
    for (float unit : {1.0f, 1.5f, 4.0f}) {
        Font font(unit);
        for (char character = '!'; character < 127; ++character) {
            const int margin = 20;
            Image image(120, 120, 3);
            font.draw(image, margin, margin, std::string(1, character), {255, 255, 255});
            EXPECT_TRUE(std::any_of(image.pixels.begin(), image.pixels.end(), [](uint8_t v) { return v > 150; }))
                << character;
            const int bottom = margin + static_cast<int>(unit * Font::line_units) + 1;
            EXPECT_FALSE(has_colour(image, {255, 255, 255}, bottom)) << character;
        }
    }
}

TEST(Text, drawing_outside_the_picture_is_clipped) {
    Font font(3);
    Image image(20, 20, 3);
    for (int at : {-1000, -10, 15, 1000}) font.draw(image, at, at, "clipped", {255, 255, 255});
}

TEST(Text, shortening_keeps_the_beginning) {
    Font font(2);
    EXPECT_EQ(font.shortened("road", 1000), "road");
    const std::string shortened = font.shortened("a rather long name", 100);
    EXPECT_TRUE(shortened.starts_with("a ra"));
    EXPECT_TRUE(shortened.ends_with(".."));
    EXPECT_LE(font.width_px(shortened), 100);
    EXPECT_EQ(font.shortened("road", 0), "..");
}

}  // namespace
}  // namespace vkseg::app::test
