#include "apps/common/legend.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numeric>

#include "apps/common/text.hpp"
#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

constexpr Colour panel_colour{24, 26, 30};
constexpr Colour name_colour{236, 237, 240};
constexpr Colour share_colour{160, 166, 176};
constexpr Colour note_colour{240, 190, 90};
constexpr Colour outline_colour{98, 102, 110};  // black and dark blue classes would vanish in the panel

/// All in pixels. An entry is: swatch, gap, name, gap, share (right-aligned).
struct Layout {
    float unit;
    int margin, gap, gutter, row, swatch;
    int name_width, share_width, entry_width;
    int columns, rows;
    int panel_width, panel_height;
};

int scaled(float unit, float units) {
    return static_cast<int>(std::lround(unit * units));
}

/// Words in as many lines as they need; a word that is wider than a line is cut off.
std::vector<std::string> wrap(std::string_view text, Font& font, int width) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const size_t end = std::min(text.find(' '), text.size());
        const std::string word(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!lines.empty() && font.width_px(lines.back() + " " + word) <= width) {
            lines.back() += " " + word;
        } else if (!word.empty()) {
            lines.push_back(font.shortened(word, width));
        }
    }
    return lines;
}

Layout lay_out(int picture_width, std::span<const LegendEntry> entries, Font& font, float unit) {
    Layout layout{};
    layout.unit = unit;
    layout.margin = scaled(unit, 6);
    layout.gap = scaled(unit, 4);
    layout.row = scaled(unit, 14);
    layout.swatch = scaled(unit, 9);
    for (const LegendEntry& entry : entries) {
        layout.name_width = std::max(layout.name_width, font.width_px(entry.name));
        layout.share_width = std::max(layout.share_width, font.width_px(share_text(entry.share)));
    }
    // One long name must not cost all the others their columns.
    layout.name_width = std::min(layout.name_width, scaled(unit, 100));
    layout.entry_width = layout.swatch + layout.gap + layout.name_width + layout.gap + layout.share_width;

    layout.gutter = scaled(unit, 9);
    const int count = static_cast<int>(entries.size());
    const int fitting = (picture_width - 2 * layout.margin + layout.gutter) / (layout.entry_width + layout.gutter);
    layout.columns = std::clamp(fitting, 1, count);
    layout.rows = (count + layout.columns - 1) / layout.columns;
    layout.columns = (count + layout.rows - 1) / layout.rows;  // as even as the rows allow
    layout.panel_width = std::max(picture_width, layout.entry_width + 2 * layout.margin);
    layout.panel_height = layout.rows * layout.row + 2 * layout.margin - scaled(unit, 3);
    return layout;
}

/// Square with rounded corners and smooth edges.
void draw_swatch(Image& image, int left, int top, int size, float radius, const Colour& colour) {
    const float half = static_cast<float>(size) / 2;
    for (int y = 0; y < size; ++y) {
        for (int x = 0; x < size; ++x) {
            const float dx = std::abs(static_cast<float>(x) + 0.5f - half) - (half - radius);
            const float dy = std::abs(static_cast<float>(y) + 0.5f - half) - (half - radius);
            const float outside = std::hypot(std::max(dx, 0.0f), std::max(dy, 0.0f)) - radius;
            const float covered = std::clamp(0.5f - outside, 0.0f, 1.0f);
            uint8_t* pixel = image.at(left + x, top + y);
            for (size_t c = 0; c < 3; ++c) {
                const float mixed =
                    static_cast<float>(pixel[c]) * (1 - covered) + static_cast<float>(colour[c]) * covered;
                pixel[c] = static_cast<uint8_t>(std::lround(mixed));
            }
        }
    }
}

void draw_entry(Image& image, const Layout& layout, Font& font, int left, int top, const LegendEntry& entry) {
    const int outline = std::max(1, scaled(layout.unit, 0.6f));
    draw_swatch(image, left, top, layout.swatch, 1.8f * layout.unit, outline_colour);
    draw_swatch(image, left + outline, top + outline, layout.swatch - 2 * outline, 1.2f * layout.unit, entry.colour);
    const int name_left = left + layout.swatch + layout.gap;
    const int text_top = top + (layout.swatch - scaled(layout.unit, Font::capital_units)) / 2;
    font.draw(image, name_left, text_top, font.shortened(entry.name, layout.name_width), name_colour);
    const std::string share = share_text(entry.share);
    font.draw(image, left + layout.entry_width - font.width_px(share), text_top, share, share_colour);
}

}  // namespace

std::vector<uint64_t> count_classes(std::span<const uint8_t> class_indices, size_t classes) {
    // Four histograms: neighbouring pixels mostly have the same class, and one counter would wait for itself.
    std::array<std::array<uint32_t, 256>, 4> partial{};
    std::vector<uint64_t> all(std::max<size_t>(classes, 256));
    constexpr size_t chunk = size_t{1} << 30;
    while (!class_indices.empty()) {
        const std::span<const uint8_t> part = class_indices.first(std::min(class_indices.size(), chunk));
        class_indices = class_indices.subspan(part.size());
        for (size_t i = 0; i < part.size(); ++i) ++partial[i % 4][part[i]];
        for (std::array<uint32_t, 256>& counts : partial) {
            for (size_t index = 0; index < 256; ++index) all[index] += counts[index];
            counts.fill(0);
        }
    }
    all.resize(classes);
    return all;
}

std::vector<LegendEntry> legend_entries(const ClassList& set, std::span<const uint64_t> pixel_counts) {
    assert(pixel_counts.size() == set.classes.size());
    const uint64_t total = std::accumulate(pixel_counts.begin(), pixel_counts.end(), uint64_t{0});
    std::vector<LegendEntry> entries;
    for (size_t i = 0; i < pixel_counts.size(); ++i) {
        if (pixel_counts[i] == 0) continue;
        const ClassInfo& info = set.classes[i];
        entries.push_back({info.name, info.colour, static_cast<double>(pixel_counts[i]) / static_cast<double>(total)});
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const LegendEntry& a, const LegendEntry& b) { return a.share > b.share; });
    return entries;
}

std::string share_text(double share) {
    const double percent = 100 * share;
    if (percent > 0 && percent < 0.1) return "<0.1%";
    return fmt::format("{:.1f}%", percent);
}

Image add_legend(const Image& picture, std::span<const LegendEntry> entries, std::string_view note) {
    assert(picture.channels == 3 && picture.width > 0 && picture.height > 0);
    if (entries.empty()) return picture;
    // 1.5 pixels at 1024 suit four columns of street classes; below one pixel nothing is readable.
    const float unit = std::clamp(1.5f * static_cast<float>(picture.width) / 1024.0f, 1.0f, 16.0f);
    Font font(unit);
    const Layout layout = lay_out(picture.width, entries, font, unit);

    const int inner_width = layout.panel_width - 2 * layout.margin;
    const std::vector<std::string> note_lines = wrap(note, font, inner_width);
    const int note_height = static_cast<int>(note_lines.size()) * layout.row;
    Image result(layout.panel_width, picture.height + layout.panel_height + note_height, 3);
    for (size_t i = 0; i < result.pixels.size(); i += 3) std::copy_n(panel_colour.data(), 3, &result.pixels[i]);
    for (int y = 0; y < picture.height; ++y) {
        std::copy_n(picture.at(0, y), size_t{3} * static_cast<size_t>(picture.width), result.at(0, y));
    }
    for (size_t i = 0; i < entries.size(); ++i) {
        // Down the columns first: entries come sorted, and a list is read downwards.
        const int column = static_cast<int>(i) / layout.rows, row = static_cast<int>(i) % layout.rows;
        const int left = layout.margin + column * ((inner_width + layout.gutter) / layout.columns);
        const int top = picture.height + layout.margin + row * layout.row;
        draw_entry(result, layout, font, left, top, entries[i]);
    }
    int note_top = picture.height + layout.margin + layout.rows * layout.row;
    for (const std::string& line : note_lines) {
        font.draw(result, layout.margin, note_top, line, note_colour);
        note_top += layout.row;
    }
    return result;
}

}  // namespace vkseg::app
