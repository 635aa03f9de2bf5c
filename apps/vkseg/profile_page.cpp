#include "apps/vkseg/profile.hpp"
#include "profile_page_html.hpp"

#include <nlohmann/json.hpp>

#include <cassert>
#include <string_view>

namespace vkseg::app {

std::string to_page(const std::string& heading, const std::vector<std::string>& about,
                    std::span<const TitledProfile> profiles) {
    nlohmann::json entries = nlohmann::json::array();
    for (const TitledProfile& titled : profiles) {
        nlohmann::json entry = to_json(*titled.profile);
        entry["title"] = titled.title;
        entries.push_back(std::move(entry));
    }
    const nlohmann::json data{{"heading", heading}, {"about", about}, {"profiles", entries}};
    std::string json = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    // A layer may have any name, even one that would end the script.
    for (size_t at = 0; (at = json.find('<', at)) != std::string::npos;) json.replace(at, 1, "\\u003c");
    std::string page(profile_page_html);
    constexpr std::string_view place = "/*DATA*/null";
    const size_t at = page.find(place);
    assert(at != std::string::npos);
    page.replace(at, place.size(), json);
    return page;
}

}  // namespace vkseg::app
