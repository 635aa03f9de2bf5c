#include "apps/common/statistics.hpp"

#include <gtest/gtest.h>

namespace vkseg::app {
namespace {

void expect_summary(const std::vector<double>& values, double min, double median, double p99) {
    const Summary summary = summarise(values);
    EXPECT_DOUBLE_EQ(summary.min, min);
    EXPECT_DOUBLE_EQ(summary.median, median);
    EXPECT_DOUBLE_EQ(summary.p99, p99);
}

TEST(Statistics, OfNothingAreZero) {
    expect_summary({}, 0, 0, 0);
}

TEST(Statistics, OfOneValueAreThatValue) {
    expect_summary({3.5}, 3.5, 3.5, 3.5);
}

TEST(Statistics, MedianIsTheMiddleOrBetweenTheMiddleTwo) {
    expect_summary({9, 1, 5}, 1, 5, 9);
    expect_summary({9, 1, 5, 6}, 1, 5.5, 9);
}

TEST(Statistics, OneOfAHundredMayExceedTheP99) {
    std::vector<double> values;
    for (int i = 100; i >= 1; --i) values.push_back(i);
    expect_summary(values, 1, 50.5, 99);
    values.push_back(1000);
    expect_summary(values, 1, 51, 100);
    values.resize(200, 7);
    EXPECT_DOUBLE_EQ(summarise(values).p99, 99);
}

}  // namespace
}  // namespace vkseg::app
