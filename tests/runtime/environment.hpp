#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace vkseg::test {

/// Sets an environment variable, or removes it, until the end of the scope.
class ScopedVariable {
public:
    ScopedVariable(std::string name, const std::optional<std::string>& value) : name_(std::move(name)) {
        if (const char* old = std::getenv(name_.c_str())) old_ = old;
        set(value);
    }
    ~ScopedVariable() { set(old_); }
    ScopedVariable(const ScopedVariable&) = delete;
    ScopedVariable& operator=(const ScopedVariable&) = delete;

private:
    void set(const std::optional<std::string>& value) {
        if (value)
            setenv(name_.c_str(), value->c_str(), 1);
        else
            unsetenv(name_.c_str());
    }
    std::string name_;
    std::optional<std::string> old_;
};

/// An empty folder that goes with its owner.
class ScopedFolder {
public:
    ScopedFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "vkseg-test-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    ~ScopedFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScopedFolder(const ScopedFolder&) = delete;
    ScopedFolder& operator=(const ScopedFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace vkseg::test
