#pragma once

#include "apps/common/image.hpp"
#include "apps/simulator/scene/instance.hpp"
#include "graph/ir/class_list.hpp"

#include <array>
#include <string>

namespace vkseg::sim {

struct SimulatedClass {
    Label label;
    const char* name;
    Colour colour;
};

/// Cityscapes' 19 classes in the order of their train ids, in its colours.
inline constexpr std::array<SimulatedClass, 19> classes{{
    {Label::Road, "road", {128, 64, 128}},
    {Label::Sidewalk, "sidewalk", {244, 35, 232}},
    {Label::Building, "building", {70, 70, 70}},
    {Label::Wall, "wall", {102, 102, 156}},
    {Label::Fence, "fence", {190, 153, 153}},
    {Label::Pole, "pole", {153, 153, 153}},
    {Label::TrafficLight, "traffic light", {250, 170, 30}},
    {Label::TrafficSign, "traffic sign", {220, 220, 0}},
    {Label::Vegetation, "vegetation", {107, 142, 35}},
    {Label::Terrain, "terrain", {152, 251, 152}},
    {Label::Sky, "sky", {70, 130, 180}},
    {Label::Person, "person", {220, 20, 60}},
    {Label::Rider, "rider", {255, 0, 0}},
    {Label::Car, "car", {0, 0, 142}},
    {Label::Truck, "truck", {0, 0, 70}},
    {Label::Bus, "bus", {0, 60, 100}},
    {Label::Train, "train", {0, 80, 100}},
    {Label::Motorcycle, "motorcycle", {0, 0, 230}},
    {Label::Bicycle, "bicycle", {119, 11, 32}},
}};

/// How much of a run of label maps each class takes.
class ClassStatistics {
public:
    void add(const app::Image& labels);
    /// A line for each class: share of all pixels, and of the frames that show at least 20 pixels of it.
    [[nodiscard]] std::string table() const;
    [[nodiscard]] uint64_t pixels(Label label) const { return pixels_[static_cast<size_t>(label)]; }
    [[nodiscard]] uint64_t all_pixels() const { return all_pixels_; }

private:
    std::array<uint64_t, 256> pixels_{};
    std::array<uint64_t, 256> frames_with_{};
    uint64_t all_pixels_ = 0, frames_ = 0;
};

/// Label ids in Cityscapes' colours.
[[nodiscard]] app::Image coloured(const app::Image& labels);

}  // namespace vkseg::sim
