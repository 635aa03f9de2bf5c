#pragma once

#include <vector>

namespace vkseg {

/// Where the logical channels of a value lie in its planes: slot = plane * 4 + lane. Dense unless a concatenation made
/// it: operands' planes follow one another, each padded to whole planes, so 16+3 channels take 5 planes and the
/// consumers' weights are packed to match. Lanes without a channel hold finite numbers.
struct ChannelMap {
    std::vector<int> slot_of_channel;
    int planes = 0;

    [[nodiscard]] static ChannelMap dense(int channels);
    /// The operands' maps one after another.
    void append(const ChannelMap& other);
    [[nodiscard]] bool is_dense() const;
    /// Logical channel of each slot of planes [first, first + count), -1 for pad lanes.
    [[nodiscard]] std::vector<int> channel_of_slot(int first_plane, int plane_count) const;
    [[nodiscard]] std::vector<int> channel_of_slot() const { return channel_of_slot(0, planes); }
    bool operator==(const ChannelMap&) const = default;
};

}  // namespace vkseg
