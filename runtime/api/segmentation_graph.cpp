#include "runtime/api/segmentation_graph.hpp"

#include "graph/ir/error.hpp"

namespace vkseg {

namespace {

/// Puts resize and normalisation of a picture before a network; the graph's only input is then "picture".
void read_picture(Graph& graph, const Preprocess& preprocess, Axes picture_size, PixelFormat format,
                  const TexelReading& texels, Axes network_size) {
    if (picture_size.h < 1 || picture_size.w < 1)
        throw error("a picture of {}x{} pixels has no pixels", picture_size.w, picture_size.h);
    const ValueId image = graph.inputs.at(0);
    graph.inputs.clear();
    const ValueId picture =
        graph.add_input("picture", {ValueKind::Pixels, {picture_size.h, picture_size.w, bytes_per_pixel(format)}});
    ImageToTensor load = picture_reading(preprocess, network_size);
    load.format = format;
    load.texels = texels;
    Node node;
    node.op = load;
    node.inputs = {picture};
    node.output = image;
    node.name = "image";
    graph.nodes.insert(graph.nodes.begin(), std::move(node));
    graph.infer_shapes();
}

}  // namespace

ImageToTensor picture_reading(const Preprocess& preprocess, Axes network_size) {
    ImageToTensor load;
    load.bgr = preprocess.bgr;
    load.subtract = preprocess.subtract;
    load.multiply = preprocess.multiply;
    load.size.fixed = network_size;
    return load;
}

Graph segmentation_graph(const Graph& network, const Preprocess& preprocess, const SegmentationOptions& options) {
    Graph graph = network;
    const ValueId scores = graph.outputs.at(0);
    graph.outputs.clear();
    read_picture(graph, preprocess, {options.picture_height, options.picture_width}, options.format, options.texels,
                 {options.network_height, options.network_width});
    const ValueId picture = graph.inputs.at(0);

    const SizeRule full{.kind = SizeRule::Kind::Fixed, .fixed = {options.picture_height, options.picture_width}};
    const bool coloured = options.colour || options.overlay;
    ValueId labels = no_value;
    if (options.labels || coloured) labels = graph.add("labels", Argmax{options.upsampling, full}, {scores});
    if (options.labels) graph.outputs.push_back(labels);
    if (options.confidence)
        graph.outputs.push_back(graph.add("confidence", Confidence{options.upsampling, full}, {scores}));
    Colourise colourise{options.palette, 256, options.format, options.texels, options.blue_first};
    colourise.palette.resize(256, 0xff000000u);
    if (options.colour) graph.outputs.push_back(graph.add("colour", colourise, {labels}));
    colourise.opacity = options.opacity;
    if (options.overlay) graph.outputs.push_back(graph.add("overlay", colourise, {labels, picture}));
    if (options.scores) graph.outputs.push_back(scores);
    return graph;
}

Graph classification_graph(const Graph& network, const Preprocess& preprocess, int picture_width, int picture_height,
                           int network_width, int network_height) {
    Graph graph = network;
    const ValueId scores = graph.outputs.at(0);
    if (graph.desc(scores).height() != 1 || graph.desc(scores).width() != 1)
        throw error("the network gives scores of {}, so it segments; a classifier gives one score per class",
                    to_string(graph.desc(scores).shape));
    graph.outputs.clear();
    read_picture(graph, preprocess, {picture_height, picture_width}, PixelFormat::RGB8, {},
                 {network_height, network_width});
    graph.outputs.push_back(graph.add("probabilities", Softmax{}, {scores}));
    return graph;
}

}  // namespace vkseg
