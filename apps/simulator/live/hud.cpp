#include "apps/simulator/live/hud.hpp"

#include "apps/common/text.hpp"
#include "apps/simulator/classes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vkseg::sim {

namespace {

constexpr Colour background{16, 18, 22}, dim{150, 156, 166}, bright{232, 236, 240}, accent{110, 190, 255},
    graph_back{28, 31, 37}, warm{255, 176, 80};

void fill(app::Image& image, int left, int top, int width, int height, const Colour& colour) {
    for (int y = std::max(0, top); y < std::min(image.height, top + height); ++y)
        for (int x = std::max(0, left); x < std::min(image.width, left + width); ++x)
            std::copy(colour.begin(), colour.end(), image.at(x, y));
}

/// Bars of the last frame times, newest at the right; a line at a round number of milliseconds.
void draw_graph(app::Image& image, app::Font& font, const std::deque<float>& times, int left, int top, int width,
                int height) {
    fill(image, left, top, width, height, graph_back);
    if (times.empty()) return;
    float scale_ms = 8;
    const float most = *std::max_element(times.begin(), times.end());
    while (scale_ms < most) scale_ms *= 2;
    const int bar = 3, count = std::min(static_cast<int>(times.size()), width / bar);
    for (int i = 0; i < count; ++i) {
        const float time = times[times.size() - 1 - static_cast<size_t>(i)];
        const int tall = std::max(1, static_cast<int>(time / scale_ms * static_cast<float>(height - 2)));
        fill(image, left + width - (i + 1) * bar, top + height - tall, bar - 1, tall, accent);
    }
    fill(image, left, top + height / 2, width, 1, {70, 76, 86});
    font.draw(image, left + 6, top + 6, fmt::format("{:.0f} ms", scale_ms), dim);
    font.draw(image, left + 6, top + height / 2 + 5, fmt::format("{:.0f} ms", scale_ms / 2), dim);
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& controls() {
    static const std::vector<std::pair<std::string, std::string>> list{
        {"V", "view: both, picture, overlay, mask, true labels"},
        {"Space", "stop and go"},
        {"Up, Down", "faster, slower"},
        {"N", "another city"},
        {"M", "segmentation: same queue, sliced, off"},
        {"[ ]", "budget of a slice"},
        {"- +", "opacity of the overlay"},
        {"Mouse", "drag to look around, wheel to zoom, right click to look ahead"},
        {"Tab", "panel"},
        {"S", "screenshot"},
        {"H", "keys"},
        {"Esc", "quit"},
    };
    return list;
}

app::Image draw_hud(const HudState& state, int width, int height) {
    app::Image image(width, height, 3);
    fill(image, 0, 0, width, height, background);
    fill(image, 0, 0, width, 1, {50, 54, 62});
    const float unit = std::clamp(static_cast<float>(std::min(height, width / 7)) / 130.0f, 1.0f, 2.2f);
    app::Font font(unit);
    const int line = static_cast<int>(unit * 14.5f), margin = static_cast<int>(unit * 10);
    const int left_width = static_cast<int>(static_cast<float>(width) * 0.34f);

    int y = margin;
    const auto text = [&](const std::string& words, const Colour& colour) {
        font.draw(image, margin, y, font.shortened(words, left_width - 2 * margin), colour);
        y += line;
    };
    const double frame_ms = state.frame_ms.empty() ? 0 : static_cast<double>(state.frame_ms.back());
    text(state.device, bright);
    text(state.scene, dim);
    text(fmt::format("frame {:.1f} ms ({:.0f}/s)   drawing {:.1f} ms", frame_ms, frame_ms > 0 ? 1000 / frame_ms : 0,
                     state.scene_ms),
         bright);
    if (!state.network.empty()) {
        text(fmt::format("{}, {}", state.network, state.mode), accent);
        text(fmt::format("segmentation {:.1f} ms in this frame", state.segmentation_ms), bright);
        if (state.step_count > 0)
            text(fmt::format("steps {}-{} of {}", state.first_step + 1, state.end_step, state.step_count), dim);
        if (state.mask_ms > 0) text(fmt::format("a mask every {:.0f} ms", state.mask_ms), dim);
    } else
        text("no segmentation", dim);
    text("H: keys", warm);

    const int graph_left = left_width, graph_width = static_cast<int>(static_cast<float>(width) * 0.22f);
    if (state.help) {
        int row = margin, column = graph_left;
        const int keys_width = font.width_px("Up, Down") + margin;
        for (const auto& [key, meaning] : controls()) {
            if (row + line > height) {
                row = margin;
                column += (width - graph_left) / 2;
            }
            font.draw(image, column, row, key, warm);
            font.draw(image, column + keys_width, row,
                      font.shortened(meaning, (width - graph_left) / 2 - keys_width - margin), bright);
            row += line;
        }
        return image;
    }
    draw_graph(image, font, state.frame_ms, graph_left, margin, graph_width, height - 2 * margin);
    const int legend_left = graph_left + graph_width + 2 * margin;
    const int rows = std::max(1, (height - margin) / line);
    std::vector<std::pair<std::string, Colour>> legend;
    if (state.classes != nullptr)
        for (const ClassInfo& each : state.classes->classes)
            if (each.name != "void") legend.emplace_back(app::to_ascii(each.name), each.colour);
    if (legend.empty())
        for (const SimulatedClass& each : classes) legend.emplace_back(each.name, each.colour);
    const size_t count = legend.size();
    const int columns = (static_cast<int>(count) + rows - 1) / rows;
    const int column_width = (width - legend_left - margin) / std::max(1, columns);
    const int swatch = static_cast<int>(unit * 8);
    for (size_t i = 0; i < count; ++i) {
        const auto& [name, colour] = legend[i];
        const int x = legend_left + static_cast<int>(i) / rows * column_width,
                  top = margin + static_cast<int>(i) % rows * line;
        fill(image, x, top, swatch * 2, swatch, colour);
        font.draw(image, x + swatch * 2 + swatch / 2, top, font.shortened(name, column_width - 3 * swatch), bright);
    }
    return image;
}

}  // namespace vkseg::sim
