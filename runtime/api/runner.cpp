#include "runtime/api/runner.hpp"

#include "graph/ir/error.hpp"

#include <algorithm>
#include <cstring>

namespace vkseg {

namespace {

/// Plans are some 100 kB each; a stream of ever new sizes must not pile them up.
constexpr size_t max_prepared = 64;

void copy_input(Session& session, std::span<const uint8_t> bytes) {
    std::memcpy(session.input(0).data(), bytes.data(), bytes.size());
}

}  // namespace

Precision precision_on(const DeviceFacts& facts, PrecisionChoice choice) {
    // Half the bytes pay on GPUs; on a CPU driver the conversions cost what the memory saves.
    const bool automatic = choice == PrecisionChoice::Auto;
    const bool fp16 = automatic ? facts.type != DeviceType::Cpu : choice == PrecisionChoice::FP16;
    return fp16 ? Precision::FP16 : Precision::FP32;
}

void expect_arithmetic(const DeviceFacts& facts, const Choices& choices) {
    if (choices.arithmetic == Arithmetic::FP32) return;
    if (!facts.fp16_arithmetic)
        throw error("'{}' has no fp16 arithmetic (shaderFloat16); leave --arithmetic fp16 out", facts.name);
    if (choices.precision == Precision::FP32)
        throw error("fp16 arithmetic is for activations that are stored in fp16; say --precision fp16 too");
    if (suits_cpu_shape(facts) && !choices.denied_families.contains("cpu_shaped"))
        throw error("'{}' runs the CPU-shaped kernels, which compute in fp32; leave --arithmetic fp16 out", facts.name);
}

Runner::Runner(std::shared_ptr<const Model> model, Context* context, const RunnerOptions& options)
    : model_(std::move(model)), context_(context) {
    choices_.denied_families = options.denied_families;
    choices_.disabled_fusions = options.disabled_fusions;
    choices_.layers = options.layers;
    choices_.precision = context == nullptr ? Precision::FP32 : precision_on(context->facts(), options.precision);
    choices_.arithmetic = options.arithmetic;
    if (context == nullptr && options.precision == PrecisionChoice::FP16)
        throw error("the reference computes in fp32; leave --precision out or say fp32");
    if (context == nullptr && options.arithmetic == Arithmetic::FP16)
        throw error("the reference computes in fp32; leave --arithmetic out or say fp32");
    if (context != nullptr) expect_arithmetic(context->facts(), choices_);
    if (context != nullptr) session_ = std::make_unique<Session>(*context);
}

Runner::Prepared Runner::make_prepared(const std::function<Graph(const Graph&)>& make) const {
    Prepared prepared;
    if (context_ == nullptr) {
        prepared.graph = std::make_shared<const Graph>(make(model_->graph));
        return prepared;
    }
    prepared.graph = std::make_shared<const Graph>(make(model_->simplified));
    prepared.plan = std::make_shared<const Plan>(compile(*prepared.graph, context_->facts(), choices_));
    return prepared;
}

Runner::Prepared& Runner::prepare(const std::string& key, const std::function<Graph(const Graph&)>& make) {
    const auto found = prepared_.find(key);
    if (found != prepared_.end()) return found->second;
    Prepared prepared = make_prepared(make);
    if (prepared_.size() >= max_prepared) prepared_.clear();
    return prepared_.emplace(key, std::move(prepared)).first->second;
}

void Runner::activate(const Prepared& prepared) {
    session_->set_plan(prepared.plan, [&] { return pack_weights(*prepared.plan, *prepared.graph); });
}

Tensor Runner::scores(const Tensor& input) {
    Tensor result;
    scores(input, result);
    return result;
}

void Runner::scores(const Tensor& input, Tensor& result) {
    if (input.shape.size() != 3 || input.shape[0] != 3)
        throw error("the input is {}, but {} takes 3xHxW", to_string(input.shape), model_->network);
    const auto height = static_cast<int>(input.shape[1]), width = static_cast<int>(input.shape[2]);
    const Prepared& prepared = prepare(fmt::format("scores {}x{}", width, height), [&](const Graph& network) {
        Graph graph = network;
        graph.set_input_size(width, height);
        return graph;
    });
    const Shape& shape = prepared.graph->desc(prepared.graph->outputs[0]).shape;
    if (result.shape != shape) result = Tensor(shape);
    if (context_ == nullptr) {
        const HostValue value{prepared.graph->desc(prepared.graph->inputs[0]), input.data, {}};
        result.data = run_reference(*prepared.graph, std::span(&value, 1))[0].floats;
        return;
    }
    activate(prepared);
    copy_input(*session_, {reinterpret_cast<const uint8_t*>(input.data.data()), input.data.size() * sizeof(float)});
    session_->run();
    std::memcpy(result.data.data(), session_->output(0).data(), result.data.size() * sizeof(float));
}

std::vector<std::span<const uint8_t>> Runner::segment(std::span<const uint8_t> pixels,
                                                      const SegmentationOptions& options) {
    std::string key = fmt::format("segment {}x{} {} to {}x{} {} {} {} {} {}", options.picture_width,
                                  options.picture_height, static_cast<int>(options.format), options.network_width,
                                  options.network_height, static_cast<int>(options.upsampling), options.confidence,
                                  options.colour, options.overlay, options.opacity);
    for (uint32_t colour : options.palette) key += fmt::format(" {:x}", colour);
    const Prepared& prepared =
        prepare(key, [&](const Graph& network) { return segmentation_graph(network, model_->preprocess, options); });
    const Graph& graph = *prepared.graph;
    const TensorDesc& picture = graph.desc(graph.inputs[0]);
    if (pixels.size() != picture.host_size_bytes())
        throw error("a picture of {}x{} pixels takes {} bytes, but {} were given", options.picture_width,
                    options.picture_height, picture.host_size_bytes(), pixels.size());
    std::vector<std::span<const uint8_t>> results;
    if (context_ == nullptr) {
        const HostValue value{picture, {}, {pixels.begin(), pixels.end()}};
        reference_results_ = run_reference(graph, std::span(&value, 1));
        for (const HostValue& result : reference_results_) results.emplace_back(result.bytes);
        return results;
    }
    activate(prepared);
    copy_input(*session_, pixels);
    session_->run();
    for (size_t i = 0; i < graph.outputs.size(); ++i)
        results.push_back(session_->output(i).first(graph.desc(graph.outputs[i]).host_size_bytes()));
    return results;
}

std::vector<float> Runner::classify(std::span<const uint8_t> rgb, int width, int height) {
    const Prepared& prepared = prepare(fmt::format("classify {}x{}", width, height), [&](const Graph& network) {
        return classification_graph(network, model_->preprocess, width, height, model_->width, model_->height);
    });
    const Graph& graph = *prepared.graph;
    const TensorDesc& picture = graph.desc(graph.inputs[0]);
    if (rgb.size() != picture.host_size_bytes())
        throw error("a picture of {}x{} pixels takes {} bytes, but {} were given", width, height,
                    picture.host_size_bytes(), rgb.size());
    if (context_ == nullptr) {
        const HostValue value{picture, {}, {rgb.begin(), rgb.end()}};
        return run_reference(graph, std::span(&value, 1))[0].floats;
    }
    activate(prepared);
    copy_input(*session_, rgb);
    session_->run();
    std::vector<float> probabilities(static_cast<size_t>(model_->classes));
    std::memcpy(probabilities.data(), session_->output(0).data(), probabilities.size() * sizeof(float));
    return probabilities;
}

std::vector<DispatchTime> Runner::profile() {
    return session_ == nullptr ? std::vector<DispatchTime>{} : session_->profile();
}

}  // namespace vkseg
