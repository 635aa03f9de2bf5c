#include "graph/ir/serialize.hpp"

#include "graph/ops/op_fields.hpp"
#include "graph/ops/rules.hpp"

#include <cmath>
#include <optional>

namespace vkseg {

namespace {

/// Far above any kernel, stride or number of channels, and so far below an overflow that shape rules cannot meet one.
constexpr int32_t max_attribute = 1 << 24;

class FieldWriter {
public:
    explicit FieldWriter(ByteWriter& writer) : writer_(writer) {}

    template <typename... Ts>
    void put(Ts&... values) {
        (one(values), ...);
    }
    template <typename... Ids>
    void constants(Ids&... ids) {
        (writer_.number<ConstId>(ids), ...);
    }
    template <typename Enum>
    void choice(Enum& value, Enum) {
        writer_.number(static_cast<uint8_t>(value));
    }
    void words(std::vector<uint32_t>& values) {
        writer_.number(static_cast<uint32_t>(values.size()));
        writer_.block(values.data(), values.size() * sizeof(uint32_t));
    }

private:
    void one(bool& value) { writer_.flag(value); }
    template <Number T>
    void one(T& value) {
        writer_.number(value);
    }
    template <typename T>
    void one(T& value) {
        fields(*this, value);
    }

    ByteWriter& writer_;
};

class FieldReader {
public:
    FieldReader(ByteReader& reader, size_t constants) : reader_(reader), constants_(constants) {}

    template <typename... Ts>
    void put(Ts&... values) {
        (one(values), ...);
    }
    template <typename... Ids>
    void constants(Ids&... ids) {
        (constant(ids), ...);
    }
    template <typename Enum>
    void choice(Enum& value, Enum last) {
        const auto found = reader_.number<uint8_t>();
        if (found > static_cast<uint8_t>(last))
            throw error("expected a choice of 0 to {}, found {}", static_cast<int>(last), found);
        value = static_cast<Enum>(found);
    }
    void words(std::vector<uint32_t>& values) {
        values.resize(reader_.count(sizeof(uint32_t)));
        const auto bytes = reader_.block(values.size() * sizeof(uint32_t));
        if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    }

private:
    void constant(ConstId& id) {
        id = reader_.number<ConstId>();
        if (id == no_constant || (id >= 0 && static_cast<size_t>(id) < constants_)) return;
        throw error("expected one of {} constants, found {}", constants_, id);
    }
    void one(bool& value) { value = reader_.flag(); }
    void one(int& value) {
        value = reader_.number<int32_t>();
        if (value < 0 || value > max_attribute)
            throw error("expected a whole number of 0 to {}, found {}", max_attribute, value);
    }
    template <std::floating_point T>
    void one(T& value) {
        value = reader_.number<T>();
        if (!std::isfinite(value)) throw error("expected a finite number, found {}", value);
    }
    template <typename T>
    void one(T& value) {
        fields(*this, value);
    }

    ByteReader& reader_;
    size_t constants_;
};

/// The operation called `name`, with its fields at their defaults. By name, because places in the variant move.
template <size_t Index = 0>
std::optional<Op> op_by_name(std::string_view name) {
    if constexpr (Index < std::variant_size_v<Op>) {
        Op op{std::in_place_index<Index>};
        if (name == op_name(op)) return op;
        return op_by_name<Index + 1>(name);
    }
    return std::nullopt;
}

Tensor read_tensor(ByteReader& reader, const std::string& name) {
    Tensor tensor;
    uint64_t elements = 1;
    for (auto rank = reader.count(sizeof(int64_t)); rank > 0; --rank) {
        const auto extent = reader.number<int64_t>();
        // The division keeps the product below what is there, so it cannot overflow.
        const uint64_t room = reader.remaining() / sizeof(float) / elements;
        if (extent < 1 || static_cast<uint64_t>(extent) > room)
            throw error("constant '{}': expected an extent of 1 to {}, found {}", name, room, extent);
        tensor.shape.push_back(extent);
        elements *= static_cast<uint64_t>(extent);
    }
    const auto bytes = reader.block(elements * sizeof(float));
    tensor.data.resize(elements);
    std::memcpy(tensor.data.data(), bytes.data(), bytes.size());
    return tensor;
}

ValueId read_value_id(ByteReader& reader, const Graph& graph) {
    const auto id = reader.number<ValueId>();
    if (id < 0 || static_cast<size_t>(id) >= graph.values.size())
        throw error("expected one of the {} values made so far, found {}", graph.values.size(), id);
    return id;
}

void check(const Epilogue& epilogue) {
    if ((epilogue.scale == no_constant) != (epilogue.shift == no_constant))
        throw error("expected scale and shift in the epilogue, found only one of them");
    if ((epilogue.activation == Epilogue::Activation::PRelu) != (epilogue.slope != no_constant))
        throw error("expected a slope in the epilogue with prelu and only there");
}

void read_node(ByteReader& reader, Graph& graph) {
    std::string name = reader.text();
    std::string value_name = reader.text();
    try {
        const std::string op_name = reader.text();
        std::optional<Op> op = op_by_name(op_name);
        if (!op) throw error("there is no operation '{}'", op_name);
        FieldReader archive(reader, graph.constants.size());
        std::visit([&](auto& alternative) { fields(archive, alternative); }, *op);
        Epilogue epilogue;
        fields(archive, epilogue);
        check(epilogue);
        std::vector<ValueId> operands;
        for (auto left = reader.count(sizeof(ValueId)); left > 0; --left)
            operands.push_back(read_value_id(reader, graph));
        Node node{std::move(*op), operands, static_cast<ValueId>(graph.values.size()), epilogue, name};
        std::vector<TensorDesc> descs;
        for (ValueId id : operands) descs.push_back(graph.desc(id));
        graph.values.push_back({infer(node, graph, descs), std::move(value_name)});
        graph.nodes.push_back(std::move(node));
    } catch (const Error& reason) {
        throw error("node '{}': {}", name, reason.what());
    }
}

}  // namespace

void write_graph(ByteWriter& writer, const Graph& graph) {
    writer.number(static_cast<uint32_t>(graph.constants.size()));
    for (const Constant& constant : graph.constants) {
        writer.text(constant.name);
        writer.number(static_cast<uint32_t>(constant.tensor->shape.size()));
        for (int64_t extent : constant.tensor->shape) writer.number(extent);
        writer.block(constant.tensor->data.data(), constant.tensor->data.size() * sizeof(float));
    }
    // Passes leave values behind that nothing makes any more; those that are left get new places.
    std::vector<ValueId> place(graph.values.size(), no_value);
    ValueId next = 0;
    const auto write_id = [&](ValueId id) {
        if (place.at(static_cast<size_t>(id)) == no_value) throw error("value %{} is used but never made", id);
        writer.number(place[static_cast<size_t>(id)]);
    };
    writer.number(static_cast<uint32_t>(graph.inputs.size()));
    for (ValueId id : graph.inputs) {
        const Value& value = graph.values.at(static_cast<size_t>(id));
        writer.text(value.name);
        writer.number(static_cast<uint8_t>(value.desc.kind));
        for (size_t axis = 0; axis < 3; ++axis) writer.number(value.desc.shape.at(axis));
        place[static_cast<size_t>(id)] = next++;
    }
    writer.number(static_cast<uint32_t>(graph.nodes.size()));
    for (const Node& node : graph.nodes) {
        writer.text(node.name);
        writer.text(graph.values.at(static_cast<size_t>(node.output)).name);
        writer.text(op_name(node.op));
        FieldWriter archive(writer);
        Op op = node.op;
        std::visit([&](auto& alternative) { fields(archive, alternative); }, op);
        Epilogue epilogue = node.epilogue;
        fields(archive, epilogue);
        writer.number(static_cast<uint32_t>(node.inputs.size()));
        for (ValueId id : node.inputs) write_id(id);
        place[static_cast<size_t>(node.output)] = next++;
    }
    writer.number(static_cast<uint32_t>(graph.outputs.size()));
    for (ValueId id : graph.outputs) write_id(id);
}

Graph read_graph(ByteReader& reader) {
    Graph graph;
    for (auto left = reader.count(8); left > 0; --left) {
        std::string name = reader.text();
        Tensor tensor = read_tensor(reader, name);
        graph.add_constant(std::move(name), std::move(tensor));
    }
    for (auto left = reader.count(8); left > 0; --left) {
        std::string name = reader.text();
        TensorDesc desc;
        FieldReader(reader, 0).choice(desc.kind, ValueKind::Pixels);
        for (int axis = 0; axis < 3; ++axis) desc.shape.push_back(reader.number<int64_t>());
        graph.add_input(std::move(name), std::move(desc));
    }
    for (auto left = reader.count(12); left > 0; --left) read_node(reader, graph);
    for (auto left = reader.count(sizeof(ValueId)); left > 0; --left)
        graph.outputs.push_back(read_value_id(reader, graph));
    return graph;
}

}  // namespace vkseg
