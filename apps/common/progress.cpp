#include "apps/common/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

constexpr auto redraw_interval = std::chrono::milliseconds(100);

double seconds(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

bool can_redraw(FILE* stream) {
    if (!::isatty(::fileno(stream))) return false;
    const char* kind = std::getenv("TERM");
    return !kind || std::string_view(kind) != "dumb";
}

int terminal_columns(FILE* stream) {
    winsize size{};
    if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

std::string rate_text(double images_per_second) {
    return fmt::format("{:.{}f} images/s", images_per_second, images_per_second < 100 ? 1 : 0);
}

std::string bar_text(uint64_t done, uint64_t total) {
    constexpr size_t width = 24;
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto filled = static_cast<size_t>(share * width);
    std::string bar(width, ' ');
    std::fill_n(bar.begin(), filled, '=');
    if (filled < width) bar[filled] = '>';
    return fmt::format("[{}]", bar);
}

}  // namespace

std::string duration_text(double duration_s) {
    const auto whole = static_cast<int64_t>(std::ceil(std::clamp(duration_s, 0.0, 1e9)));
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string progress_line(uint64_t done, uint64_t total, double images_per_second, int columns) {
    std::vector<std::string> parts;  // from the most important to the least, apart from the bar
    parts.push_back(total > 0 ? fmt::format("{}/{} images", done, total) : fmt::format("{} images", done));
    if (images_per_second > 0) {
        if (total > done) {
            parts.push_back(duration_text(static_cast<double>(total - done) / images_per_second) + " left");
        }
        parts.push_back(rate_text(images_per_second));
    }
    // The last column stays free: some terminals wrap as soon as it is written.
    const size_t room = static_cast<size_t>(std::max(columns - 1, 0));
    std::string line;
    for (const std::string& part : parts) {
        const std::string longer = line.empty() ? part : line + "  " + part;
        if (longer.size() > room) break;
        line = longer;
    }
    if (total == 0) return line;
    const std::string bar = bar_text(done, total);
    return bar.size() + 2 + line.size() <= room ? bar + "  " + line : line;
}

Progress::Progress(uint64_t total, FILE* stream)
    : stream_(stream), is_terminal_(can_redraw(stream)), total_(total), start_(Clock::now()) {
    if (is_terminal_) draw(start_);
}

Progress::~Progress() {
    clear();
}

void Progress::advance(uint64_t images) {
    const std::lock_guard lock(mutex_);
    done_ += images;
    if (!is_terminal_ || is_finished_) return;
    const Clock::time_point now = Clock::now();
    if (done_at_first_ == 0) {
        done_at_first_ = done_;
        first_ = now;
    }
    if (now - last_drawn_ >= redraw_interval) draw(now);
}

void Progress::note(std::string_view line) {
    const std::lock_guard lock(mutex_);
    const bool was_drawn = is_drawn_;
    clear();
    std::fwrite(line.data(), 1, line.size(), stream_);
    std::fputc('\n', stream_);
    if (was_drawn) draw(Clock::now());
    std::fflush(stream_);
}

void Progress::finish() {
    const std::lock_guard lock(mutex_);
    if (!is_terminal_ || is_finished_) return;
    is_finished_ = true;
    clear();
    const double elapsed_s = seconds(Clock::now() - start_);
    const std::string elapsed = elapsed_s < 60 ? fmt::format("{:.1f} s", elapsed_s) : duration_text(elapsed_s);
    std::string line = fmt::format("{} {} in {}", done_, done_ == 1 ? "image" : "images", elapsed);
    if (done_ > 1) line += ", " + rate_text(static_cast<double>(done_) / elapsed_s);
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stream_);
    std::fflush(stream_);
}

double Progress::rate(Clock::time_point now) const {
    if (done_ == 0) return 0;
    if (done_ == done_at_first_) return static_cast<double>(done_) / std::max(seconds(now - start_), 1e-6);
    return static_cast<double>(done_ - done_at_first_) / std::max(seconds(now - first_), 1e-6);
}

void Progress::draw(Clock::time_point now) {
    const std::string line =
        fmt::format("\r{}\x1b[K", progress_line(done_, total_, rate(now), terminal_columns(stream_)));
    std::fwrite(line.data(), 1, line.size(), stream_);
    std::fflush(stream_);
    is_drawn_ = true;
    last_drawn_ = now;
}

void Progress::clear() {
    if (!is_drawn_) return;
    std::fputs("\r\x1b[K", stream_);
    std::fflush(stream_);
    is_drawn_ = false;
}

}  // namespace vkseg::app
