#include "apps/common/atomic_file.hpp"

#include <sys/stat.h>

#include <cstdio>
#include <memory>
#include <thread>

#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

namespace fs = std::filesystem;

const Bytes old_content{'o', 'l', 'd'};

std::string text_of(const fs::path& path) {
    const Bytes bytes = content(path);
    return std::string(bytes.begin(), bytes.end());
}

TEST(AtomicFile, replaces_only_on_commit) {
    const Folder folder;
    const fs::path path = folder.put("report.json", old_content);
    AtomicFile file(path);
    file.write(Bytes{'n', 'e'});
    file.write(Bytes{'w'});
    EXPECT_EQ(text_of(path), "old");
    file.commit();
    EXPECT_EQ(text_of(path), "new");
    EXPECT_EQ(folder.names().size(), 1u);
}

TEST(AtomicFile, without_commit_nothing_happens) {
    const Folder folder;
    const fs::path path = folder.put("report.json", old_content);
    {
        AtomicFile file(path);
        file.write(Bytes(100));
        EXPECT_EQ(folder.names().size(), 2u);
    }
    EXPECT_EQ(text_of(path), "old");
    EXPECT_EQ(folder.names().size(), 1u);
}

TEST(AtomicFile, full_disk_leaves_the_old_file) {
    const Folder folder;
    const fs::path path = folder.put("report.json", old_content);
    const FileSizeLimit limit(4096);
    const std::string message = message_of([&] { write_file(path, Bytes(10'000)); });
    EXPECT_TRUE(contains(message, "cannot write '" + path.string() + "': "));
    EXPECT_EQ(text_of(path), "old");
    EXPECT_EQ(folder.names().size(), 1u);
}

TEST(AtomicFile, permissions_are_those_of_the_replaced_file_or_the_usual_ones) {
    const Folder folder;
    const fs::path path = folder.put("shared.json", old_content);
    fs::permissions(path, fs::perms(0640));
    write_file(path, "new");
    EXPECT_EQ(fs::status(path).permissions(), fs::perms(0640));
    const mode_t mask = ::umask(022);
    write_file(folder / "fresh.json", "new");
    ::umask(mask);
    EXPECT_EQ(fs::status(folder / "fresh.json").permissions(), fs::perms(0644));
}

TEST(AtomicFile, follows_symbolic_links) {
    const Folder folder;
    fs::create_directory(folder / "elsewhere");
    folder.put("elsewhere/target", old_content);
    fs::create_symlink("elsewhere/target", folder / "link");
    write_file(folder / "link", "new");
    EXPECT_TRUE(fs::is_symlink(folder / "link"));
    EXPECT_EQ(text_of(folder / "elsewhere/target"), "new");
    fs::create_symlink("loop", folder / "loop");
    EXPECT_TRUE(contains(message_of([&] { write_file(folder / "loop", "new"); }), "leads in a circle"));
    fs::create_symlink(folder / "elsewhere/fresh", folder / "dangling");
    write_file(folder / "dangling", "new");
    EXPECT_EQ(text_of(folder / "elsewhere/fresh"), "new");
}

TEST(AtomicFile, devices_and_pipes_are_written_to_and_stay) {
    const Folder folder;
    write_file("/dev/null", "gone");
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
    EXPECT_TRUE(contains(message_of([] { write_file("/dev/full", "x"); }), "No space left"));

    const fs::path pipe = folder / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    std::string received;
    std::thread reader([&] { received = text_of(pipe); });
    write_file(pipe, "through the pipe");
    reader.join();
    EXPECT_EQ(received, "through the pipe");
    EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST(AtomicFile, open_files_of_the_process_receive_what_is_written) {
    // What /dev/stdout is with a pipe and with a file behind it.
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    write_file(fmt::format("/proc/self/fd/{}", ends[1]), "abc");
    char received[3];
    ASSERT_EQ(::read(ends[0], received, 3), 3);
    EXPECT_EQ(std::string(received, 3), "abc");
    ::close(ends[0]);
    ::close(ends[1]);

    const Folder folder;
    const fs::path path = folder.put("redirected", "before ");
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "a"), &std::fclose);
    fs::create_symlink(fmt::format("/proc/self/fd/{}", ::fileno(file.get())), folder / "stdout");
    write_file(folder / "stdout", "written ");
    std::fputs("after", file.get());
    std::fflush(file.get());
    EXPECT_EQ(text_of(path), "before written after");
}

TEST(AtomicFile, names_of_the_greatest_length_work) {
    const Folder folder;
    const std::string longest(255, 'n');
    write_file(folder / longest, "new");
    EXPECT_EQ(text_of(folder / longest), "new");
    EXPECT_TRUE(contains(message_of([&] { write_file(folder / (longest + "n"), "x"); }), "cannot write"));
    EXPECT_EQ(folder.names().size(), 1u);
}

TEST(AtomicFile, a_relative_name_without_folder_and_an_empty_name) {
    EXPECT_TRUE(contains(message_of([] { write_file("", "x"); }), "cannot write ''"));
    const Folder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    write_file("plain.txt", "x");
    fs::current_path(before);
    EXPECT_EQ(text_of(folder / "plain.txt"), "x");
}

TEST(AtomicFile, threads_writing_one_name_leave_one_whole_file) {
    const Folder folder;
    const fs::path path = folder / "race";
    std::vector<std::thread> threads;
    for (char letter : {'a', 'b', 'c', 'd'}) {
        threads.emplace_back([&path, letter] {
            for (int i = 0; i < 50; ++i) write_file(path, std::string(5000, letter));
        });
    }
    for (std::thread& thread : threads) thread.join();
    const std::string text = text_of(path);
    EXPECT_EQ(text, std::string(5000, text.at(0)));
    EXPECT_EQ(folder.names().size(), 1u);
}

}  // namespace
}  // namespace vkseg::app::test
