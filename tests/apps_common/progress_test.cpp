#include "apps/common/progress.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

/// A terminal whose screen the test reads.
class Terminal {
public:
    explicit Terminal(int columns = 100) : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
        ::grantpt(master_);
        ::unlockpt(master_);
        stream_ = std::fopen(::ptsname(master_), "w");
        const winsize size{
            .ws_row = 25, .ws_col = static_cast<unsigned short>(columns), .ws_xpixel = 0, .ws_ypixel = 0};
        ::ioctl(master_, TIOCSWINSZ, &size);
        ::setenv("TERM", "xterm", 1);
    }
    ~Terminal() {
        std::fclose(stream_);
        ::close(master_);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    [[nodiscard]] FILE* stream() const { return stream_; }

    std::string output() {
        std::string text;
        pollfd poll{master_, POLLIN, 0};
        char buffer[4096];
        while (::poll(&poll, 1, 50) > 0) {
            const ssize_t size = ::read(master_, buffer, sizeof(buffer));
            if (size <= 0) break;
            text.append(buffer, static_cast<size_t>(size));
        }
        return text;
    }

private:
    int master_;
    FILE* stream_;
};

size_t occurrences(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(ProgressLine, shows_count_time_left_and_rate) {
    EXPECT_EQ(progress_line(50, 100, 12.5, 100), "[============>           ]  50/100 images  4 s left  12.5 images/s");
    EXPECT_EQ(progress_line(100, 100, 250, 100), "[========================]  100/100 images  250 images/s");
    EXPECT_EQ(progress_line(0, 100, 0, 100), "[>                       ]  0/100 images");
    EXPECT_EQ(progress_line(7, 0, 30, 100), "7 images  30.0 images/s");
    EXPECT_EQ(progress_line(120, 100, 10, 60), "[========================]  120/100 images  10.0 images/s");
}

TEST(ProgressLine, always_fits) {
    for (int columns = 0; columns < 100; ++columns) {
        EXPECT_LE(static_cast<int>(progress_line(50, 100, 12.5, columns).size()), std::max(columns - 1, 0));
    }
    EXPECT_EQ(progress_line(50, 100, 12.5, 40), "50/100 images  4 s left  12.5 images/s");
    EXPECT_EQ(progress_line(50, 100, 12.5, 30), "50/100 images  4 s left");
}

TEST(ProgressLine, durations) {
    EXPECT_EQ(duration_text(0), "0 s");
    EXPECT_EQ(duration_text(3.2), "4 s");
    EXPECT_EQ(duration_text(59.5), "1:00");
    EXPECT_EQ(duration_text(65), "1:05");
    EXPECT_EQ(duration_text(7389), "2:03:09");
    EXPECT_FALSE(duration_text(1e300).empty());
}

TEST(Progress, is_quiet_where_there_is_no_terminal) {
    FILE* file = std::tmpfile();
    {
        Progress progress(10, file);
        progress.advance(5);
        progress.note("'a.png' is not an image");
        progress.advance(5);
        progress.finish();
    }
    EXPECT_EQ(std::ftell(file), static_cast<long>(std::string("'a.png' is not an image\n").size()));
    std::fclose(file);
}

TEST(Progress, draws_seldom_and_finishes_with_a_summary) {
    Terminal terminal;
    {
        Progress progress(1000, terminal.stream());
        for (int i = 0; i < 1000; ++i) progress.advance();
        progress.finish();
        progress.finish();
    }
    const std::string output = terminal.output();
    EXPECT_TRUE(contains(output, "0/1000 images"));
    EXPECT_LT(occurrences(output, "/1000 images"), 100u);
    EXPECT_TRUE(contains(output, "\r\x1b[K1000 images in "));
    EXPECT_EQ(occurrences(output, "\n"), 1u);
    EXPECT_TRUE(output.ends_with("images/s\r\n"));
}

TEST(Progress, an_early_end_clears_the_line) {
    Terminal terminal;
    { const Progress progress(10, terminal.stream()); }
    const std::string output = terminal.output();
    EXPECT_TRUE(output.ends_with("\r\x1b[K"));
    EXPECT_EQ(occurrences(output, "\n"), 0u);
}

TEST(Progress, notes_stand_above_the_line) {
    Terminal terminal;
    Progress progress(10, terminal.stream());
    progress.note("a note");
    EXPECT_TRUE(contains(terminal.output(), "\r\x1b[Ka note\r\n\r["));
}

TEST(Progress, a_simple_terminal_gets_nothing) {
    Terminal terminal;
    ::setenv("TERM", "dumb", 1);
    {
        Progress progress(10, terminal.stream());
        progress.advance(10);
        progress.finish();
    }
    EXPECT_EQ(terminal.output(), "");
}

TEST(Progress, threads_may_share_it) {
    Terminal terminal;
    Progress progress(4000, terminal.stream());
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 1000; ++k) progress.advance();
        });
    }
    for (std::thread& thread : threads) thread.join();
    progress.finish();
    EXPECT_TRUE(contains(terminal.output(), "4000 images in"));
}

}  // namespace
}  // namespace vkseg::app::test
