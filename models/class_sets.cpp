#include "models/class_sets.hpp"

#include "graph/ir/error.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

namespace vkseg {
namespace {

ClassList cityscapes(bool with_void) {
    ClassList set{with_void ? "cityscapes20" : "cityscapes19",
                  {
                      {"road", {128, 64, 128}, 7},
                      {"sidewalk", {244, 35, 232}, 8},
                      {"building", {70, 70, 70}, 11},
                      {"wall", {102, 102, 156}, 12},
                      {"fence", {190, 153, 153}, 13},
                      {"pole", {153, 153, 153}, 17},
                      {"traffic light", {250, 170, 30}, 19},
                      {"traffic sign", {220, 220, 0}, 20},
                      {"vegetation", {107, 142, 35}, 21},
                      {"terrain", {152, 251, 152}, 22},
                      {"sky", {70, 130, 180}, 23},
                      {"person", {220, 20, 60}, 24},
                      {"rider", {255, 0, 0}, 25},
                      {"car", {0, 0, 142}, 26},
                      {"truck", {0, 0, 70}, 27},
                      {"bus", {0, 60, 100}, 28},
                      {"train", {0, 80, 100}, 31},
                      {"motorcycle", {0, 0, 230}, 32},
                      {"bicycle", {119, 11, 32}, 33},
                  }};
    if (with_void) set.classes.push_back({"void", {0, 0, 0}, 0});
    return set;
}

ClassList numbered(std::string name, std::vector<ClassInfo> classes) {
    for (size_t i = 0; i < classes.size(); ++i) classes[i].label_id = static_cast<int>(i);
    return {std::move(name), std::move(classes)};
}

ClassList camvid(bool with_unlabelled) {
    ClassList set = numbered(with_unlabelled ? "camvid12" : "camvid11", {
                                                                            {"Sky", {128, 128, 128}},
                                                                            {"Building", {128, 0, 0}},
                                                                            {"Pole", {192, 192, 128}},
                                                                            {"Road", {128, 64, 128}},
                                                                            {"Pavement", {60, 40, 222}},
                                                                            {"Tree", {128, 128, 0}},
                                                                            {"SignSymbol", {192, 128, 128}},
                                                                            {"Fence", {64, 64, 128}},
                                                                            {"Car", {64, 0, 128}},
                                                                            {"Pedestrian", {64, 64, 0}},
                                                                            {"Bicyclist", {0, 128, 192}},
                                                                        });
    if (with_unlabelled) set.classes.push_back({"Unlabelled", {0, 0, 0}, 11});
    return set;
}

/// The colour map of PASCAL VOC: bit i of every channel in turn, the most significant bits first.
Colour pascal_colour(int index) {
    Colour colour{};
    for (int bit = 7; index != 0; --bit, index >>= 3) {
        for (int channel = 0; channel < 3; ++channel) {
            colour[static_cast<size_t>(channel)] |= static_cast<uint8_t>((index >> channel & 1) << bit);
        }
    }
    return colour;
}

ClassList pascal() {
    ClassList set = numbered("pascal21", {});
    for (const char* name : {"background", "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",
                             "car",        "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",
                             "motorbike",  "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"}) {
        const int index = static_cast<int>(set.classes.size());
        set.classes.push_back({name, pascal_colour(index), index});
    }
    return set;
}

const std::vector<ClassList>& built_in_sets() {
    static const std::vector<ClassList> sets{cityscapes(false), cityscapes(true), camvid(false), camvid(true),
                                             pascal()};
    return sets;
}

/// Close to how different two colours look: the eye weighs green most, and red against blue by the shade.
int difference(const Colour& a, const Colour& b) {
    const int red = a[0] - b[0], green = a[1] - b[1], blue = a[2] - b[2];
    const int mean_red = (a[0] + b[0]) / 2;
    return (512 + mean_red) * red * red / 256 + 4 * green * green + (767 - mean_red) * blue * blue / 256;
}

/// Each colour is the candidate farthest from all before it, so a colour does not depend on how many follow.
/// Near-black and greys are no candidates: they stand for "nothing here" in the usual sets.
std::vector<Colour> distinct_colours(size_t count) {
    struct Candidate {
        Colour colour;
        int distance;  // to the nearest colour taken
    };
    std::vector<Candidate> candidates;
    constexpr int step = 15;
    for (int red = 0; red < 256; red += step) {
        for (int green = 0; green < 256; green += step) {
            for (int blue = 0; blue < 256; blue += step) {
                const auto [least, most] = std::minmax({red, green, blue});
                if (most < 105 || most - least < 60) continue;
                candidates.push_back(
                    {{static_cast<uint8_t>(red), static_cast<uint8_t>(green), static_cast<uint8_t>(blue)},
                     std::numeric_limits<int>::max()});
            }
        }
    }
    std::vector<Colour> taken;
    Colour next{45, 120, 225};
    while (taken.size() < count) {
        taken.push_back(next);
        int farthest = -1;
        for (Candidate& candidate : candidates) {
            candidate.distance = std::min(candidate.distance, difference(candidate.colour, taken.back()));
            if (candidate.distance > farthest) {
                farthest = candidate.distance;
                next = candidate.colour;
            }
        }
    }
    return taken;
}

}  // namespace

std::vector<std::string> class_set_names() {
    std::vector<std::string> names;
    for (const ClassList& set : built_in_sets()) names.push_back(set.name);
    return names;
}

const ClassList& class_set(std::string_view name) {
    std::string known;
    for (const ClassList& set : built_in_sets()) {
        if (set.name == name) return set;
        known += (known.empty() ? "" : ", ") + set.name;
    }
    if (name == "imagenet")
        throw error(
            "the class set imagenet has 1000 names, which are not part of vkseg: classify --names FILE reads them");
    throw error("there is no class set '{}', expected one of {}", name, known);
}

ClassList default_class_set(std::string_view network, int classes) {
    if (!network.ends_with("-cls")) {
        for (const ClassList& set : built_in_sets()) {
            if (static_cast<int>(set.classes.size()) == classes) return set;
        }
    }
    return generated_class_set(classes);
}

ClassList generated_class_set(int classes) {
    assert(classes >= 0);
    ClassList set{fmt::format("generated{}", classes), {}};
    for (const Colour& colour : distinct_colours(static_cast<size_t>(classes))) {
        const int index = static_cast<int>(set.classes.size());
        set.classes.push_back({fmt::format("class {}", index), colour, index});
    }
    return set;
}

}  // namespace vkseg
