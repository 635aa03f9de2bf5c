#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/image.hpp"
#include "apps/common/palette.hpp"

namespace vkseg::app {

/// A small built-in typeface at one size, drawn with smooth edges. Only ASCII has shapes; every other character
/// shows as '?'. Glyphs are rasterised once, so keep a Font for as long as its size is needed.
class Font {
public:
    /// `unit_px` is the stroke grid: capitals are capital_units high, a line with descenders line_units.
    explicit Font(float unit_px);

    static constexpr float line_units = 12.0f;
    static constexpr float capital_units = 7.0f;

    [[nodiscard]] int width_px(std::string_view text);

    /// `left` and `top` are the corner of the capitals; pixels outside the RGB image are left out.
    void draw(Image& image, int left, int top, std::string_view text, const Colour& colour);

    /// The text, or as much of its beginning as fits the width followed by "..".
    [[nodiscard]] std::string shortened(std::string_view text, int width_px);

private:
    struct Glyph {
        bool is_ready = false;
        int advance_px = 0;
        int left_px = 0, top_px = 0;  // of the coverage against the pen
        int width_px = 0, height_px = 0;
        std::vector<uint8_t> coverage;
    };

    const Glyph& glyph(char character);
    void rasterise(char character, Glyph& glyph) const;

    float unit_px_;
    std::array<Glyph, 96> glyphs_;
};

/// ASCII only: '?' for every other character (not byte) of a UTF-8 text and for control characters.
[[nodiscard]] std::string to_ascii(std::string_view utf8);

}  // namespace vkseg::app
