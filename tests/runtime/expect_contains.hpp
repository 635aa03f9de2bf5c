#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace vkseg::test {

inline void expect_contains(const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
}

}  // namespace vkseg::test
