#include "runtime/api/baked_model.hpp"

#include "graph/ir/serialize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>

namespace vkseg {

namespace {

// The file: signature, version, checksum and length of what follows; then what `write_contents` writes.
constexpr std::array<char, 8> signature{'v', 'k', 's', 'e', 'g', 'n', 'e', 't'};
constexpr uint32_t baked_version = 5;
/// No segmentation network comes near this; it keeps a mistaken file out of memory.
constexpr uint64_t max_file_bytes = uint64_t{4} << 30;

void write_classes(ByteWriter& writer, const ClassList& list) {
    writer.text(list.name);
    writer.number(static_cast<uint32_t>(list.classes.size()));
    for (const ClassInfo& info : list.classes) {
        writer.text(info.name);
        for (uint8_t value : info.colour) writer.number(value);
        writer.number<int32_t>(info.label_id);
    }
}

ClassList read_classes(ByteReader& reader) {
    ClassList list;
    list.name = reader.text();
    for (auto left = reader.count(11); left > 0; --left) {
        ClassInfo info;
        info.name = reader.text();
        for (uint8_t& value : info.colour) value = reader.number<uint8_t>();
        info.label_id = reader.number<int32_t>();
        list.classes.push_back(std::move(info));
    }
    return list;
}

void write_choices(ByteWriter& writer, const Choices& choices, bool precision_by_device) {
    // Members are named, so that one that is forgotten here does not compile.
    // Arithmetic is left to tuned choices: it takes a calibration on the device.
    const auto& [precision, arithmetic, denied_families, disabled_fusions, in_place, layers] = choices;
    writer.flag(precision_by_device);
    writer.flag(precision == Precision::FP16);
    writer.flag(in_place);
    for (const auto* names : {&denied_families, &disabled_fusions}) {
        writer.number(static_cast<uint32_t>(names->size()));
        for (const std::string& name : *names) writer.text(name);
    }
    writer.number(static_cast<uint32_t>(layers.size()));
    for (const auto& [label, choice] : layers) {
        writer.text(label);
        writer.text(to_string(choice));
    }
}

Choices read_choices(ByteReader& reader, bool& precision_by_device) {
    Choices choices;
    precision_by_device = reader.flag();
    choices.precision = reader.flag() ? Precision::FP16 : Precision::FP32;
    choices.in_place = reader.flag();
    for (auto* names : {&choices.denied_families, &choices.disabled_fusions})
        for (auto left = reader.count(4); left > 0; --left) names->insert(reader.text());
    for (auto left = reader.count(8); left > 0; --left) {
        std::string label = reader.text();
        choices.layers[std::move(label)] = parse_layer_choice(reader.text());
    }
    return choices;
}

void write_preprocess(ByteWriter& writer, const Preprocess& preprocess) {
    const auto& [bgr, subtract, multiply] = preprocess;
    writer.flag(bgr);
    for (float value : subtract) writer.number(value);
    for (float value : multiply) writer.number(value);
}

Preprocess read_preprocess(ByteReader& reader) {
    Preprocess preprocess;
    preprocess.bgr = reader.flag();
    for (auto* values : {&preprocess.subtract, &preprocess.multiply})
        for (float& value : *values) {
            value = reader.number<float>();
            if (!std::isfinite(value)) throw error("expected finite numbers for pre-processing, found {}", value);
        }
    return preprocess;
}

/// Of any graph, to one that models and runners take: one picture in, scores of each class out.
void check_network(const Graph& graph) {
    if (graph.inputs.size() != 1 || graph.outputs.size() != 1)
        throw error("expected a graph with one input and one output, found {} and {}", graph.inputs.size(),
                    graph.outputs.size());
    const TensorDesc& image = graph.desc(graph.inputs[0]);
    const TensorDesc& scores = graph.desc(graph.outputs[0]);
    if (image.kind != ValueKind::Features || image.channels() != 3)
        throw error("expected an input of 3 channels, found {}", to_string(image.shape));
    if (scores.kind != ValueKind::Features || graph.nodes.empty())
        throw error("expected scores as the output, found {}", to_string(scores.shape));
}

std::vector<std::string> names_of_non_finite(const Graph& graph) {
    std::vector<std::string> names;
    for (const Constant& constant : graph.constants)
        if (!std::ranges::all_of(constant.tensor->data, [](float value) { return std::isfinite(value); }))
            names.push_back(constant.name);
    return names;
}

/// The bytes after the header, which is checked.
std::span<const uint8_t> contents(std::span<const uint8_t> bytes) {
    ByteReader reader(bytes);
    if (bytes.size() < signature.size() || !std::equal(signature.begin(), signature.end(), bytes.begin()))
        throw error("expected a file that begins with 'vksegnet', found another kind of file");
    (void)reader.block(signature.size());
    const auto version = reader.number<uint32_t>();
    if (version != baked_version)
        throw error("expected version {} of the format, found version {}{}", baked_version, version,
                    version > baked_version ? ", which a newer vkseg wrote" : "");
    const auto expected = reader.number<uint64_t>();
    const auto length = reader.number<uint64_t>();
    if (length != reader.remaining())
        throw error("expected {} bytes after the header, found {}; the file is truncated or damaged", length,
                    reader.remaining());
    const auto rest = reader.block(length);
    if (const uint64_t found = checksum(rest); found != expected)
        throw error("expected checksum {:016x}, found {:016x}; the file is damaged", expected, found);
    return rest;
}

BakedModel load(std::span<const uint8_t> bytes, const BakedOptions& options) {
    ByteReader reader(contents(bytes));
    BakedModel baked;
    Model model;
    model.network = reader.text();
    model.preprocess = read_preprocess(reader);
    model.mask_sampling = reader.flag() ? Sampling::BilinearAligned : Sampling::Bilinear;
    model.parameters = reader.number<uint64_t>();
    model.notice = one_line(reader.text());
    baked.classes = read_classes(reader);
    baked.choices = read_choices(reader, baked.precision_by_device);
    for (auto left = reader.count(4); left > 0; --left) baked.tuned.push_back(parse_tuned_choices(reader.text()));
    model.graph = read_graph(reader);
    if (reader.remaining() != 0) throw error("expected the end of the file, found {} more bytes", reader.remaining());
    check_network(model.graph);
    const size_t channels = static_cast<size_t>(model.graph.desc(model.graph.outputs[0]).channels());
    if (!baked.classes.classes.empty() && baked.classes.classes.size() != channels)
        throw error("expected {} classes, found {}", channels, baked.classes.classes.size());
    model.non_finite_tensors = names_of_non_finite(model.graph);
    const TensorDesc image = model.graph.desc(model.graph.inputs[0]);
    const int width = options.width > 0 ? options.width : image.width();
    const int height = options.height > 0 ? options.height : image.height();
    if (width != image.width() || height != image.height()) set_network_size(model.graph, model.network, width, height);
    baked.model = make_model(std::move(model), options.disabled_passes);
    return baked;
}

std::vector<uint8_t> read_bytes(const std::filesystem::path& file) {
    std::error_code status;
    if (!std::filesystem::exists(file, status)) throw error("the file does not exist");
    if (!std::filesystem::is_regular_file(file, status)) throw error("expected a file, found something else");
    const uint64_t size = std::filesystem::file_size(file, status);
    std::ifstream stream(file, std::ios::binary);
    if (status || !stream) throw error("the file cannot be read");
    if (size > max_file_bytes) throw error("expected at most {} bytes, found {}", max_file_bytes, size);
    std::vector<uint8_t> bytes(size);
    stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    bytes.resize(static_cast<size_t>(stream.gcount()));
    return bytes;
}

}  // namespace

std::vector<uint8_t> bake(const Model& model, const Choices& choices, const ClassList& classes,
                          bool precision_by_device, const std::vector<TunedChoices>& tuned) {
    if (!classes.classes.empty() && classes.classes.size() != static_cast<size_t>(model.classes))
        throw error("{} classes are named, but {} gives {}", classes.classes.size(), model.network, model.classes);
    for (const TunedChoices& one : tuned)
        if (const std::string reason = misfit_of_graph(one, model.simplified); !reason.empty())
            throw error("tuned choices do not belong to {}: {}", model.network, reason);
    ByteWriter body;
    body.text(model.network);
    write_preprocess(body, model.preprocess);
    body.flag(model.mask_sampling == Sampling::BilinearAligned);
    body.number(model.parameters);
    body.text(model.notice);
    write_classes(body, classes);
    write_choices(body, choices, precision_by_device);
    body.number(static_cast<uint32_t>(tuned.size()));
    for (const TunedChoices& one : tuned) body.text(to_string(one));
    write_graph(body, model.graph);
    ByteWriter file;
    file.block(signature.data(), signature.size());
    file.number(baked_version);
    file.number(checksum(body.bytes()));
    file.number<uint64_t>(body.bytes().size());
    file.block(body.bytes().data(), body.bytes().size());
    return file.bytes();
}

BakedModel load_baked(std::span<const uint8_t> bytes, const BakedOptions& options) {
    try {
        return load(bytes, options);
    } catch (const Error& reason) {
        throw error("baked network: {}", reason.what());
    }
}

BakedModel load_baked(const std::filesystem::path& file, const BakedOptions& options) {
    try {
        return load(read_bytes(file), options);
    } catch (const Error& reason) {
        throw error("'{}': {}", file.string(), reason.what());
    }
}

bool is_baked_file(const std::filesystem::path& file) {
    std::array<char, signature.size()> start{};
    std::error_code status;
    if (!std::filesystem::is_regular_file(file, status)) return false;
    std::ifstream stream(file, std::ios::binary);
    return stream.read(start.data(), start.size()) && start == signature;
}

}  // namespace vkseg
