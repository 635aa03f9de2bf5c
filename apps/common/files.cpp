#include "apps/common/files.hpp"

#include <algorithm>
#include <map>
#include <system_error>

#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> images_in(const fs::path& folder) {
    std::vector<fs::path> images;
    std::error_code code;
    fs::directory_iterator entry(folder, code);
    for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
        const fs::path& path = entry->path();
        if (path.filename().string().starts_with('.') || !has_image_extension(path)) continue;
        // A link that leads nowhere stays in the list: reading it says so, leaving it out would say nothing.
        std::error_code ignored;
        if (!entry->is_directory(ignored)) images.push_back(path);
    }
    if (code) throw error("cannot read the folder '{}': {}", folder.string(), code.message());
    if (images.empty()) throw error("the folder '{}' holds no PNG, JPEG or BMP files", folder.string());
    std::sort(images.begin(), images.end());
    return images;
}

/// The same text for every way to name the same file, whether or not it exists.
std::string identity(const fs::path& path) {
    std::error_code code;
    const fs::path canonical = fs::weakly_canonical(fs::absolute(path, code), code);
    return (code ? path : canonical).string();
}

}  // namespace

bool has_image_extension(const fs::path& path) {
    std::string extension = path.extension().string();
    for (char& letter : extension) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    return extension == ".png" || extension == ".jpg" || extension == ".jpeg" || extension == ".bmp";
}

std::vector<fs::path> expand_inputs(std::span<const std::string> files_and_folders) {
    std::vector<fs::path> inputs;
    for (const std::string& name : files_and_folders) {
        const fs::path path(name);
        std::error_code code;
        const fs::file_status status = fs::status(path, code);
        if (status.type() == fs::file_type::not_found) throw error("'{}' does not exist", name);
        if (code) throw error("cannot read '{}': {}", name, code.message());
        if (fs::is_directory(status)) {
            const std::vector<fs::path> images = images_in(path);
            inputs.insert(inputs.end(), images.begin(), images.end());
        } else {
            inputs.push_back(path);
        }
    }
    return inputs;
}

std::vector<fs::path> output_paths(std::span<const fs::path> inputs, const fs::path& folder, std::string_view ending) {
    std::map<std::string, const fs::path*> input_of;
    for (const fs::path& input : inputs) input_of.emplace(identity(input), &input);

    std::vector<fs::path> outputs;
    std::map<std::string, const fs::path*> writer_of;
    for (const fs::path& input : inputs) {
        const fs::path name = input.stem().string() + std::string(ending);
        const fs::path output = (folder.empty() ? input.parent_path() : folder) / name;
        const std::string key = identity(output);
        if (const auto found = input_of.find(key); found != input_of.end()) {
            throw error("the result for '{}' would replace the input '{}'", input.string(), found->second->string());
        }
        if (const auto [found, is_new] = writer_of.emplace(key, &input); !is_new) {
            throw error("'{}' and '{}' would both be written to '{}'", found->second->string(), input.string(),
                        output.string());
        }
        outputs.push_back(output);
    }
    return outputs;
}

}  // namespace vkseg::app
