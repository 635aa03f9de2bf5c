#include "graph/ir/config.hpp"

#include "graph/ir/weights.hpp"
#include "tests/graph/support.hpp"

#include <limits>

namespace vkseg::test {
namespace {

TEST(ConfigTest, GivesValuesAndFallbacks) {
    const Config config{{"classes", 20.0},
                        {"scale", 0.5},
                        {"deploy", true},
                        {"decoder", std::string("psp")},
                        {"widths", std::vector<double>{8, 24}}};
    EXPECT_EQ(config.integer("classes", 3, 1, 256), 20);
    EXPECT_EQ(config.integer("absent", 3, 1, 256), 3);
    EXPECT_EQ(config.number("scale", 1.0, 0, 2), 0.5);
    EXPECT_EQ(config.number("absent", 1.0, 0, 2), 1.0);
    EXPECT_TRUE(config.boolean("deploy", false));
    EXPECT_FALSE(config.boolean("absent", false));
    EXPECT_EQ(config.choice("decoder", "pyramid", {"pyramid", "psp"}), "psp");
    EXPECT_EQ(config.choice("absent", "pyramid", {"pyramid", "psp"}), "pyramid");
    EXPECT_EQ(config.numbers("widths", {}, 2, 1, 100), (std::vector<double>{8, 24}));
    EXPECT_EQ(config.numbers("widths", {}, 0, 1, 100), (std::vector<double>{8, 24}));
    EXPECT_EQ(config.numbers("absent", {1}, 1, 1, 100), std::vector<double>{1});
    EXPECT_TRUE(config.has("scale"));
    EXPECT_FALSE(config.has("absent"));
}

TEST(ConfigTest, SaysWhatItExpectedAndFound) {
    const Config config{{"classes", 0.0}, {"half", 2.5},
                        {"flag", 1.0},    {"decoder", std::string("pps")},
                        {"deploy", true}, {"widths", std::vector<double>{8, 240}},
                        {"huge", 1e300},  {"nan", std::numeric_limits<double>::quiet_NaN()}};
    EXPECT_EQ(error_of([&] { (void)config.integer("classes", 3, 1, 256); }),
              "config key 'classes' must be a whole number from 1 to 256, found 0");
    EXPECT_EQ(error_of([&] { (void)config.integer("half", 3, 1, 256); }),
              "config key 'half' must be a whole number from 1 to 256, found 2.5");
    EXPECT_EQ(error_of([&] { (void)config.integer("huge", 3, 1, 256); }),
              "config key 'huge' must be a whole number from 1 to 256, found 1e+300");
    EXPECT_EQ(error_of([&] { (void)config.integer("decoder", 3, 1, 256); }),
              "config key 'decoder' must be a whole number from 1 to 256, found \"pps\"");
    EXPECT_EQ(error_of([&] { (void)config.number("nan", 3, 0.5, 2); }),
              "config key 'nan' must be a number from 0.5 to 2, found nan");
    EXPECT_EQ(error_of([&] { (void)config.boolean("flag", true); }),
              "config key 'flag' must be true or false, found 1");
    EXPECT_EQ(error_of([&] {
                  (void)config.choice("decoder", "psp", {"pyramid", "psp"});
              }),
              "config key 'decoder' must be one of \"pyramid\", \"psp\", found \"pps\"");
    EXPECT_EQ(error_of([&] { (void)config.choice("deploy", "psp", {"psp"}); }),
              "config key 'deploy' must be one of \"psp\", found true");
    EXPECT_EQ(error_of([&] { (void)config.numbers("widths", {}, 3, 1, 1000); }),
              "config key 'widths' must be a list of 3 numbers from 1 to 1000, found [8, 240]");
    EXPECT_EQ(error_of([&] { (void)config.numbers("widths", {}, 0, 1, 100); }),
              "config key 'widths' must be a list of numbers from 1 to 100, found [8, 240]");
}

TEST(ConfigTest, RefusesUnknownKeysAndSuggestsTheClosest) {
    const Config config{{"clases", 20.0}, {"zzz", 1.0}};
    EXPECT_EQ(error_of([&] {
                  config.refuse_unknown({"a2", "a3", "classes"});
              }),
              "config key 'clases' is unknown (did you mean 'classes'?); known keys: a2, a3, classes");
    EXPECT_EQ(error_of([&] {
                  config.refuse_unknown({"clases", "classes"});
              }),
              "config key 'zzz' is unknown; known keys: clases, classes");
    EXPECT_EQ(error_of([&] { config.refuse_unknown({}); }), "config key 'clases' is unknown: no keys are known here");
    config.refuse_unknown({"clases", "zzz", "other"});
}

TEST(StoredTypeTest, HasShortNames) {
    EXPECT_STREQ(to_string(StoredType::F32), "f32");
    EXPECT_STREQ(to_string(StoredType::BF16), "bf16");
    EXPECT_STREQ(to_string(StoredType::I64), "i64");
    EXPECT_STREQ(to_string(StoredType::Bool), "bool");
}

}  // namespace
}  // namespace vkseg::test
