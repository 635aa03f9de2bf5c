#include "apps/common/text.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_easy_font.h>
#pragma GCC diagnostic pop

namespace vkseg::app {
namespace {

constexpr int grid = 16;  // units; no glyph is larger
constexpr float stroke_radius_units = 0.56f;
constexpr float tracking_units = -0.25f;  // the typeface is spaced for one pixel a unit and too wide when larger

constexpr float space_units = 4.0f;  // not as wide as a digit, as the typeface has it

struct Stroke {
    float x0, y0, x1, y1;
};

/// The typeface is a set of unit squares. Joining the centres of touching squares by round strokes keeps its
/// shapes and loses the staircases.
std::vector<Stroke> strokes(char character) {
    struct Vertex {
        float x, y, z;
        unsigned char colour[4];
    };
    char text[] = {character, '\0'};
    std::array<Vertex, 4 * 64> vertices;
    const int quads = stb_easy_font_print(0, 0, text, nullptr, vertices.data(), sizeof(vertices));

    std::array<std::array<bool, grid + 1>, grid + 1> set{};
    for (size_t quad = 0; quad < static_cast<size_t>(quads); ++quad) {
        const Vertex& first = vertices[4 * quad];
        const Vertex& opposite = vertices[4 * quad + 2];
        for (int y = static_cast<int>(first.y); y < std::min(grid, static_cast<int>(opposite.y)); ++y) {
            for (int x = static_cast<int>(first.x); x < std::min(grid, static_cast<int>(opposite.x)); ++x) {
                set[static_cast<size_t>(y)][static_cast<size_t>(x)] = true;
            }
        }
    }

    std::vector<Stroke> found;
    for (size_t y = 0; y < grid; ++y) {
        for (size_t x = 0; x < grid; ++x) {
            if (!set[y][x]) continue;
            const float cx = static_cast<float>(x) + 0.5f, cy = static_cast<float>(y) + 0.5f;
            const bool right = set[y][x + 1], below = set[y + 1][x], left = x > 0 && set[y][x - 1];
            found.push_back({cx, cy, cx, cy});  // a dot, should nothing touch it
            if (right) found.push_back({cx, cy, cx + 1, cy});
            if (below) found.push_back({cx, cy, cx, cy + 1});
            // A diagonal that a corner square already joins would fill the corner.
            if (!right && !below && set[y + 1][x + 1]) found.push_back({cx, cy, cx + 1, cy + 1});
            if (!left && !below && x > 0 && set[y + 1][x - 1]) found.push_back({cx, cy, cx - 1, cy + 1});
        }
    }
    return found;
}

float distance(const Stroke& stroke, float x, float y) {
    const float dx = stroke.x1 - stroke.x0, dy = stroke.y1 - stroke.y0;
    const float length_squared = dx * dx + dy * dy;
    const float along =
        length_squared > 0 ? std::clamp(((x - stroke.x0) * dx + (y - stroke.y0) * dy) / length_squared, 0.0f, 1.0f) : 0;
    return std::hypot(x - stroke.x0 - along * dx, y - stroke.y0 - along * dy);
}

}  // namespace

std::string to_ascii(std::string_view utf8) {
    std::string text;
    for (char character : utf8) {
        const auto byte = static_cast<unsigned char>(character);
        const bool continues_character = (byte & 0xC0) == 0x80;
        if (continues_character) continue;
        text += byte >= 32 && byte < 127 ? character : '?';
    }
    return text;
}

Font::Font(float unit_px) : unit_px_(unit_px) {
    assert(unit_px > 0);
}

const Font::Glyph& Font::glyph(char character) {
    assert(character >= 32 && character < 127);
    Glyph& glyph = glyphs_[static_cast<size_t>(character - 32)];
    if (!glyph.is_ready) rasterise(character, glyph);
    return glyph;
}

void Font::rasterise(char character, Glyph& glyph) const {
    char text[] = {character, '\0'};
    float advance_units = character == ' ' ? space_units : static_cast<float>(stb_easy_font_width(text));
    if (unit_px_ > 1.2f) advance_units += tracking_units;
    glyph.advance_px = static_cast<int>(std::lround(advance_units * unit_px_));
    glyph.left_px = glyph.top_px = -static_cast<int>(std::ceil(unit_px_));
    glyph.width_px = glyph.height_px = static_cast<int>(std::ceil(unit_px_ * (Font::line_units + 2)));
    glyph.coverage.resize(static_cast<size_t>(glyph.width_px) * static_cast<size_t>(glyph.height_px));
    const std::vector<Stroke> all = strokes(character);
    for (int y = 0; y < glyph.height_px; ++y) {
        for (int x = 0; x < glyph.width_px; ++x) {
            const float ux = (static_cast<float>(x + glyph.left_px) + 0.5f) / unit_px_;
            const float uy = (static_cast<float>(y + glyph.top_px) + 0.5f) / unit_px_;
            float nearest = grid;
            for (const Stroke& stroke : all) nearest = std::min(nearest, distance(stroke, ux, uy));
            const float covered = std::clamp((stroke_radius_units - nearest) * unit_px_ + 0.5f, 0.0f, 1.0f);
            glyph.coverage[static_cast<size_t>(y) * static_cast<size_t>(glyph.width_px) + static_cast<size_t>(x)] =
                static_cast<uint8_t>(std::lround(255.0f * covered));
        }
    }
    glyph.is_ready = true;
}

int Font::width_px(std::string_view text) {
    int width = 0;
    for (char character : to_ascii(text)) width += glyph(character).advance_px;
    return width;
}

void Font::draw(Image& image, int left, int top, std::string_view text, const Colour& colour) {
    assert(image.channels == 3);
    for (char character : to_ascii(text)) {
        const Glyph& shape = glyph(character);
        for (int y = 0; y < shape.height_px; ++y) {
            const int to_y = top + shape.top_px + y;
            if (to_y < 0 || to_y >= image.height) continue;
            for (int x = 0; x < shape.width_px; ++x) {
                const int to_x = left + shape.left_px + x;
                const int covered = shape.coverage[static_cast<size_t>(y) * static_cast<size_t>(shape.width_px) +
                                                   static_cast<size_t>(x)];
                if (covered == 0 || to_x < 0 || to_x >= image.width) continue;
                uint8_t* pixel = image.at(to_x, to_y);
                for (size_t c = 0; c < 3; ++c) {
                    pixel[c] = static_cast<uint8_t>((pixel[c] * (255 - covered) + colour[c] * covered + 127) / 255);
                }
            }
        }
        left += shape.advance_px;
    }
}

std::string Font::shortened(std::string_view text, int width) {
    std::string ascii = to_ascii(text);
    if (width_px(ascii) <= width) return ascii;
    while (!ascii.empty() && width_px(ascii + "..") > width) ascii.pop_back();
    while (!ascii.empty() && ascii.back() == ' ') ascii.pop_back();
    return ascii + "..";
}

}  // namespace vkseg::app
