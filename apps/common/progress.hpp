#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace vkseg::app {

/// One line of progress fitted to `columns` characters: bar, images done, images per second, time left. Less
/// important parts go first where the line is short. `total` 0 means unknown, as with a stream; a rate of 0 means
/// not known yet.
[[nodiscard]] std::string progress_line(uint64_t done, uint64_t total, double images_per_second, int columns);

/// "4 s", "1:05", "2:03:09".
[[nodiscard]] std::string duration_text(double seconds);

/// A line on the terminal that is redrawn at most ten times a second, and nothing at all where the stream is not
/// a terminal. Safe to call from several threads.
class Progress {
public:
    explicit Progress(uint64_t total, FILE* stream = stderr);

    /// Clears the line, so that the message of an error on its way starts on a clean one.
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void advance(uint64_t images = 1);

    /// Prints a line of its own above the progress, terminal or not.
    void note(std::string_view line);

    /// Replaces the progress by "100 images in 8.1 s, 12.4 images/s". Later calls do nothing.
    void finish();

private:
    using Clock = std::chrono::steady_clock;

    void draw(Clock::time_point now);
    void clear();
    [[nodiscard]] double rate(Clock::time_point now) const;

    std::mutex mutex_;
    FILE* stream_;
    bool is_terminal_;
    bool is_drawn_ = false;
    bool is_finished_ = false;
    uint64_t total_;
    uint64_t done_ = 0;
    uint64_t done_at_first_ = 0;  // the first images pay for start-up and would spoil the forecast
    Clock::time_point start_, first_, last_drawn_;
};

}  // namespace vkseg::app
