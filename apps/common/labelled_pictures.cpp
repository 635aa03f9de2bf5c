#include "apps/common/labelled_pictures.hpp"

#include <glob.h>

#include <algorithm>
#include <functional>
#include <set>
#include <system_error>

#include "apps/common/files.hpp"
#include "graph/ir/error.hpp"

namespace vkseg::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view cityscapes_ending = "_leftImg8bit";

/// Pictures, and the folder that their places are told from.
struct Found {
    std::vector<fs::path> pictures;
    fs::path root;
};

Found pictures_below(const fs::path& folder) {
    Found found{{}, folder};
    std::error_code code;
    fs::recursive_directory_iterator entry(folder, fs::directory_options::follow_directory_symlink, code);
    for (; !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
        std::error_code ignored;
        const fs::path& path = entry->path();
        if (path.filename().string().starts_with('.')) {
            if (entry->is_directory(ignored)) entry.disable_recursion_pending();
        } else if (!entry->is_directory(ignored) && has_image_extension(path)) {
            found.pictures.push_back(path);
        }
    }
    if (code) throw error("cannot read the folder '{}': {}", folder.string(), code.message());
    if (found.pictures.empty()) throw error("the folder '{}' holds no PNG, JPEG or BMP files", folder.string());
    return found;
}

Found pictures_matching(const std::string& pattern) {
    Found found{{}, fs::path(pattern.substr(0, pattern.find_first_of("*?["))).parent_path()};
    glob_t matches{};
    const int status = ::glob(pattern.c_str(), 0, nullptr, &matches);
    for (size_t i = 0; status == 0 && i < matches.gl_pathc; ++i)
        if (has_image_extension(matches.gl_pathv[i])) found.pictures.emplace_back(matches.gl_pathv[i]);
    ::globfree(&matches);
    if (found.pictures.empty()) throw error("no PNG, JPEG or BMP file matches '{}'", pattern);
    return found;
}

std::string label_name(const fs::path& picture, bool label_ids) {
    const std::string stem = picture.stem().string();
    if (!stem.ends_with(cityscapes_ending)) return stem + ".png";
    return stem.substr(0, stem.size() - cityscapes_ending.size()) +
           (label_ids ? "_gtFine_labelIds.png" : "_gtFine_labelTrainIds.png");
}

/// The label map's path, or "" when there is none.
fs::path find_labels(const fs::path& folder, const fs::path& place, const std::string& name) {
    for (const fs::path& candidate : {folder / place / name, folder / name}) {
        std::error_code ignored;
        if (fs::exists(candidate, ignored)) return candidate.lexically_normal();
    }
    return {};
}

}  // namespace

std::vector<LabelledPicture> find_labelled_pictures(const std::string& pictures, const fs::path& labels,
                                                    bool label_ids) {
    std::error_code code;
    const bool is_pattern = !fs::exists(pictures, code) && pictures.find_first_of("*?[") != std::string::npos;
    if (!is_pattern && !fs::is_directory(pictures, code)) throw error("the folder '{}' does not exist", pictures);
    if (!fs::is_directory(labels, code)) throw error("the folder '{}' does not exist", labels.string());
    Found found = is_pattern ? pictures_matching(pictures) : pictures_below(pictures);
    const auto is_cityscapes = [](const fs::path& path) { return path.stem().string().ends_with(cityscapes_ending); };
    if (std::ranges::any_of(found.pictures, is_cityscapes)) std::erase_if(found.pictures, std::not_fn(is_cityscapes));
    std::ranges::sort(found.pictures);

    std::vector<LabelledPicture> pairs;
    for (const fs::path& picture : found.pictures) {
        const fs::path place = picture.parent_path().lexically_relative(found.root);
        const std::string name = label_name(picture, label_ids);
        const fs::path map = find_labels(labels, place, name);
        if (map.empty()) {
            const bool other = !find_labels(labels, place, label_name(picture, !label_ids)).empty();
            throw error("'{}' has no label map '{}' in '{}'{}", picture.string(), name, labels.string(),
                        !other      ? ""
                        : label_ids ? "; there are train ids, which are read without --label-ids"
                                    : "; there are label ids, which are read with --label-ids");
        }
        pairs.push_back({picture, map});
    }
    // Pictures and labels in one folder: what labels another picture is none.
    const auto labels_itself = [](const LabelledPicture& pair) {
        std::error_code ignored;
        return fs::equivalent(pair.picture, pair.labels, ignored);
    };
    std::set<fs::path> used;
    for (const LabelledPicture& pair : pairs)
        if (!labels_itself(pair)) used.insert(fs::weakly_canonical(pair.labels));
    std::erase_if(pairs,
                  [&](const LabelledPicture& pair) { return used.contains(fs::weakly_canonical(pair.picture)); });
    const auto lonely = std::ranges::find_if(pairs, labels_itself);
    if (lonely != pairs.end()) throw error("'{}' would be its own label map", lonely->picture.string());
    return pairs;
}

}  // namespace vkseg::app
