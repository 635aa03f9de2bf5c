#include "apps/common/atomic_file.hpp"
#include "apps/vkseg/support.hpp"
#include "graph/ir/error.hpp"
#include "importer/importer.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vkseg::app {

namespace {

using nlohmann::json;

json pair_of(Axes axes) {
    return {axes.h, axes.w};
}

/// Attributes of a node, named and valued as PyTorch's functions take them. Sizes that follow from operands are not
/// among them: every node has its output's shape.
class Attributes {
public:
    explicit Attributes(const std::vector<std::string>& constants) : constants_(constants) {}
    [[nodiscard]] const json& values() const { return values_; }

    void operator()(const Conv2d& op) { convolution(op); }
    void operator()(const ConvTranspose2d& op) {
        convolution(op);
        values_["output_padding"] = pair_of(op.output_padding);
    }
    void operator()(const Linear& op) {
        constant("weight", op.weight);
        constant("bias", op.bias);
    }
    void operator()(const BatchNorm& op) {
        constant("weight", op.gamma);
        constant("bias", op.beta);
        constant("running_mean", op.mean);
        constant("running_var", op.variance);
        values_["eps"] = op.eps;
    }
    void operator()(const ScaleShift& op) {
        constant("scale", op.scale);
        constant("shift", op.shift);
    }
    void operator()(const PRelu& op) { constant("weight", op.slope); }
    void operator()(const Slice& op) {
        values_["begin"] = op.begin;
        values_["count"] = op.count;
    }
    void operator()(const ChannelShuffle& op) { values_["groups"] = op.groups; }
    void operator()(const Pool2d& op) {
        values_["kind"] = op.kind == Pool2d::Kind::Max ? "max" : "average";
        values_["kernel_size"] = pair_of(op.kernel);
        values_["stride"] = pair_of(op.stride);
        values_["padding"] = pair_of(op.padding);
        values_["count_include_pad"] = op.count_include_pad;
        values_["ceil_mode"] = op.ceil_mode;
    }
    void operator()(const Resize& op) {
        values_["mode"] = op.mode == Resize::Mode::Nearest ? "nearest" : "bilinear";
        values_["align_corners"] = op.mode == Resize::Mode::BilinearAligned;
    }
    void operator()(const AdaptiveAvgPool2d&) {}
    template <typename Op>
    requires(std::is_empty_v<Op>) void operator()(const Op&) {}
    /// Pictures are not part of a network.
    void operator()(const ImageToTensor&) { refuse("image_to_tensor"); }
    void operator()(const Argmax&) { refuse("argmax"); }
    void operator()(const Confidence&) { refuse("confidence"); }
    void operator()(const Colourise&) { refuse("colourise"); }

private:
    template <typename Op>
    void convolution(const Op& op) {
        constant("weight", op.weight);
        constant("bias", op.bias);
        values_["stride"] = pair_of(op.stride);
        values_["dilation"] = pair_of(op.dilation);
        values_["padding"] = {op.padding.top, op.padding.bottom, op.padding.left, op.padding.right};
        values_["groups"] = op.groups;
    }
    void constant(const char* name, ConstId id) {
        if (id != no_constant) values_[name] = constants_.at(static_cast<size_t>(id));
    }
    [[noreturn]] static void refuse(const char* operation) {
        throw error("a network with the operation '{}' cannot be exported", operation);
    }

    const std::vector<std::string>& constants_;
    json values_ = json::object();
};

/// Of the constants; a second one of a name, which layers that share a tensor have, gets a number.
std::vector<std::string> names_of_constants(const Graph& graph) {
    std::vector<std::string> names;
    std::map<std::string, int> times;
    for (const Constant& constant : graph.constants) {
        const int before = times[constant.name]++;
        names.push_back(before == 0 ? constant.name : fmt::format("{}#{}", constant.name, before + 1));
    }
    return names;
}

json describe(const Graph& graph, const std::vector<std::string>& constants) {
    json nodes = json::array();
    for (const Node& node : graph.nodes) {
        if (!node.epilogue.empty())
            throw error("layer '{}' is simplified already; export the network that '--weights' names", node.name);
        Attributes attributes(constants);
        std::visit(attributes, node.op);
        nodes.push_back({{"op", op_name(node.op)},
                         {"name", node.name},
                         {"inputs", node.inputs},
                         {"output", node.output},
                         {"shape", graph.desc(node.output).shape},
                         {"attributes", attributes.values()}});
    }
    return nodes;
}

Weights tensors_of(const Graph& graph, const std::vector<std::string>& names) {
    Weights weights;
    for (size_t i = 0; i < names.size(); ++i) weights.tensors[names[i]] = WeightTensor{*graph.constants[i].tensor};
    return weights;
}

}  // namespace

int run_export(const ExportOptions& options) {
    namespace fs = std::filesystem;
    const fs::path file = options.output;
    if (file.extension() != ".json") throw error("'{}': a network is exported as .json", options.output);
    const OpenedNetwork opened = open_network(options.common, options.network, parse_config(options.common.config),
                                              parse_size(options.common.size));
    const Model& model = *opened.model;
    const Graph& graph = model.graph;
    fs::path tensors = file;
    tensors.replace_extension(".safetensors");
    const std::vector<std::string> names = names_of_constants(graph);
    const json description{{"format", "vkseg graph 1"},
                           {"network", model.network},
                           {"weights", tensors.filename().string()},
                           {"inputs", graph.inputs},
                           {"input_shape", graph.desc(graph.inputs.at(0)).shape},
                           {"outputs", graph.outputs},
                           {"params", model.parameters},
                           {"macs", count_macs(graph)},
                           {"preprocess",
                            {{"order", model.preprocess.bgr ? "BGR" : "RGB"},
                             {"subtract", model.preprocess.subtract},
                             {"multiply", model.preprocess.multiply}}},
                           {"nodes", describe(graph, names)}};
    // Whoever finds the description finds the tensors that it names.
    save_safetensors(tensors, tensors_of(graph, names));
    write_file(file, description.dump(1) + "\n");
    fmt::print("{} {}x{}: {} operations -> {}, {} tensors -> {}\n", model.network, model.width, model.height,
               graph.nodes.size(), options.output, graph.constants.size(), tensors.string());
    return 0;
}

}  // namespace vkseg::app
