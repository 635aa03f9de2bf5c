#include "runtime/api/segmentation_graph.hpp"

#include "graph/ir/error.hpp"

namespace vkseg {

Graph segmentation_graph(const Graph& network, const Preprocess& preprocess, const SegmentationOptions& options) {
    Graph graph = network;
    const ValueId image = graph.inputs.at(0), scores = graph.outputs.at(0);
    // Images beyond what any network could mean; refused before anything is computed from them.
    if (options.picture_width < 1 || options.picture_height < 1)
        throw error("a picture of {}x{} pixels has no pixels", options.picture_width, options.picture_height);
    graph.inputs.clear();
    graph.outputs.clear();
    const ValueId picture =
        graph.add_input("picture", {ValueKind::Pixels,
                                    {options.picture_height, options.picture_width, bytes_per_pixel(options.format)}});

    ImageToTensor load;
    load.format = options.format;
    load.bgr = preprocess.bgr;
    load.subtract = preprocess.subtract;
    load.multiply = preprocess.multiply;
    load.size.fixed = {options.network_height, options.network_width};
    Node node;
    node.op = load;
    node.inputs = {picture};
    node.output = image;
    node.name = "image";
    graph.nodes.insert(graph.nodes.begin(), std::move(node));
    graph.infer_shapes();

    const SizeRule full{.kind = SizeRule::Kind::Fixed, .fixed = {options.picture_height, options.picture_width}};
    const ValueId labels = graph.add("labels", Argmax{options.upsampling, full}, {scores});
    graph.outputs.push_back(labels);
    if (options.confidence)
        graph.outputs.push_back(graph.add("confidence", Confidence{options.upsampling, full}, {scores}));
    Colourise colourise{options.palette, 256, options.format};
    colourise.palette.resize(256, 0xff000000u);
    if (options.colour) graph.outputs.push_back(graph.add("colour", colourise, {labels}));
    colourise.opacity = options.opacity;
    if (options.overlay) graph.outputs.push_back(graph.add("overlay", colourise, {labels, picture}));
    return graph;
}

}  // namespace vkseg
