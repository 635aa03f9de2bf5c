#include "graph/ir/error.hpp"
#include "graph/ops/rules.hpp"

#include <stdexcept>

namespace vkseg {

namespace {

class Verifier {
public:
    Verifier(const Graph& graph, std::string_view after)
        : graph_(graph), after_(after), known_(graph.values.size(), false) {}

    void run() {
        for (ValueId id : graph_.inputs) define(id, "inputs");
        for (const Constant& constant : graph_.constants) check(constant);
        for (const Node& node : graph_.nodes) check(node);
        for (ValueId id : graph_.outputs) {
            if (!is_known(id)) fail("outputs", fmt::format("value %{} is never made", id));
        }
    }

private:
    [[noreturn]] void fail(std::string_view where, std::string_view what) const {
        throw std::logic_error(fmt::format("graph is broken after {}: {}: {}", after_, where, what));
    }

    [[nodiscard]] bool in_range(ValueId id) const { return id >= 0 && static_cast<size_t>(id) < graph_.values.size(); }
    [[nodiscard]] bool is_known(ValueId id) const { return in_range(id) && known_[static_cast<size_t>(id)]; }

    void define(ValueId id, std::string_view where) {
        if (!in_range(id)) fail(where, fmt::format("value %{} does not exist", id));
        if (is_known(id)) fail(where, fmt::format("value %{} is made twice", id));
        known_[static_cast<size_t>(id)] = true;
    }

    void check(const Constant& constant) const {
        if (!constant.tensor) fail(constant.name, "constant has no tensor");
        const auto elements = static_cast<int64_t>(constant.tensor->data.size());
        if (elements != element_count(constant.tensor->shape)) {
            fail(constant.name,
                 fmt::format("constant of shape {} has {} elements", to_string(constant.tensor->shape), elements));
        }
    }

    void check(const Node& node) {
        const std::string where = fmt::format("'{}' ({})", node.name, op_name(node.op));
        std::vector<TensorDesc> operands;
        for (ValueId id : node.inputs) {
            if (!is_known(id)) fail(where, fmt::format("operand %{} is not made before its use", id));
            operands.push_back(graph_.desc(id));
        }
        check(node.epilogue, where);
        define(node.output, where);
        const TensorDesc& found = graph_.desc(node.output);
        const TensorDesc expected = infer_or_fail(node, operands, where);
        if (found != expected) {
            fail(where, fmt::format("value %{} has shape {}, the shape rule gives {}", node.output,
                                    to_string(found.shape), to_string(expected.shape)));
        }
    }

    void check(const Epilogue& epilogue, const std::string& where) const {
        if ((epilogue.scale == no_constant) != (epilogue.shift == no_constant)) {
            fail(where, "epilogue has only one of scale and shift");
        }
        const bool wants_slope = epilogue.activation == Epilogue::Activation::PRelu;
        if (wants_slope != (epilogue.slope != no_constant)) {
            fail(where, "epilogue has a slope without prelu or prelu without a slope");
        }
    }

    /// The rules also check that constants are in range and that their shapes fit.
    TensorDesc infer_or_fail(const Node& node, Operands operands, const std::string& where) const {
        try {
            return infer(node, graph_, operands);
        } catch (const Error& reason) {
            fail(where, reason.what());
        }
    }

    const Graph& graph_;
    std::string_view after_;
    /// Values made so far, by id.
    std::vector<bool> known_;
};

}  // namespace

void verify(const Graph& graph, std::string_view after) {
    Verifier(graph, after).run();
}

}  // namespace vkseg
