#pragma once

#include "graph/ir/config.hpp"
#include "graph/ir/graph.hpp"
#include "graph/ir/preprocess.hpp"
#include "graph/ir/weights.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vkseg {

/// (pixel - mean) / std / 255 in blue, green, red order: the published ESPNet weights.
[[nodiscard]] Preprocess espnet_preprocess();
/// (pixel / 255 - mean) / std in red, green, blue order with the ImageNet constants.
[[nodiscard]] Preprocess imagenet_preprocess();

/// What a network's build function gives: scores {classes, h, w} from one input "image" {3, H, W}.
struct BuiltNetwork {
    Graph graph;
    /// Learnable elements of the published checkpoint, including those its forward never reads.
    uint64_t parameters = 0;
    int classes = 0;
};

class Scope;

/// One entry of the list of networks: data and a function. Lives in the one file of its network.
struct NetworkInfo {
    std::string name;
    /// Paper and section, one line.
    std::string paper;
    std::string summary;
    int default_width = 1024;
    int default_height = 512;
    Preprocess preprocess;
    /// How the published code makes a mask of scores that are smaller than the labels.
    Sampling mask_sampling = Sampling::Bilinear;
    /// Keys of `Config` with their meaning and default, one line each: {"classes", "number of classes (20)"}.
    std::vector<std::pair<std::string, std::string>> config_keys;
    /// Trained weights known to exist, by name of the publication; "" when none are public.
    std::string published_weights;
    /// Trained weights that come with the program: a file in share/vkseg/weights; "" when there are none.
    std::string shipped_weights;
    /// The paper's figures, as text.
    std::string paper_figures;
    /// Reads the configuration, asks `scope` for every tensor, returns the value of the scores.
    ValueId (*build)(const Config& config, Graph& graph, ValueId image, Scope& scope) = nullptr;
};

/// Every network, sorted by name. Files in models/ enter themselves: see `RegisterNetwork`.
[[nodiscard]] const std::vector<const NetworkInfo*>& networks();
/// The network of that name; throws `Error` that lists the names.
[[nodiscard]] const NetworkInfo& network(std::string_view name);

/// `static const RegisterNetwork entry({...});` at the end of a network's file.
struct RegisterNetwork {
    explicit RegisterNetwork(NetworkInfo info);
};

/// Builds the graph at `width` x `height` from trained weights. Throws `Error` naming key, tensor, expected and found
/// on an unknown or bad key, on a missing, extra or wrongly shaped tensor, or on a size that the network cannot take.
[[nodiscard]] BuiltNetwork build_network(std::string_view name, const Config& config, const Weights& weights, int width,
                                         int height);
/// The same with made-up tensors (seeded, well scaled): for counting, planning and timing without weights.
[[nodiscard]] BuiltNetwork build_network(std::string_view name, const Config& config, int width, int height,
                                         uint64_t seed = 1);
/// What `build_network` with made-up tensors invented, under the checkpoint's names.
[[nodiscard]] Weights make_random_weights(std::string_view name, const Config& config, uint64_t seed = 1);

}  // namespace vkseg
