#include "graph/plan/channel_map.hpp"

#include <cassert>
#include <cstddef>
#include <numeric>

namespace vkseg {

ChannelMap ChannelMap::dense(int channels) {
    ChannelMap map;
    map.slot_of_channel.resize(static_cast<size_t>(channels));
    std::iota(map.slot_of_channel.begin(), map.slot_of_channel.end(), 0);
    map.planes = (channels + 3) / 4;
    return map;
}

void ChannelMap::append(const ChannelMap& other) {
    for (int slot : other.slot_of_channel) slot_of_channel.push_back(planes * 4 + slot);
    planes += other.planes;
}

bool ChannelMap::is_dense() const {
    return *this == dense(static_cast<int>(slot_of_channel.size()));
}

std::vector<int> ChannelMap::channel_of_slot(int first_plane, int plane_count) const {
    assert(first_plane >= 0 && first_plane + plane_count <= planes);
    std::vector<int> channels(static_cast<size_t>(plane_count) * 4, -1);
    for (size_t channel = 0; channel < slot_of_channel.size(); ++channel) {
        const int slot = slot_of_channel[channel] - first_plane * 4;
        if (slot >= 0 && slot < plane_count * 4) channels[static_cast<size_t>(slot)] = static_cast<int>(channel);
    }
    return channels;
}

}  // namespace vkseg
