#include "graph/ops/rules.hpp"
#include "graph/passes/passes.hpp"

#include <algorithm>

namespace vkseg {

namespace {

using Activation = Epilogue::Activation;

/// Stages run in this order, so one that is filled closes those before it.
enum class Stage { Add, ScaleShift, Activation };

bool is_open(const Epilogue& epilogue, Stage stage) {
    if (epilogue.activation != Activation::None) return false;
    if (stage == Stage::Activation) return true;
    if (epilogue.scale != no_constant) return false;
    return stage == Stage::ScaleShift || !epilogue.add;
}

/// The stage that the operation can become; false when it is none.
bool stage_of(const Op& op, Stage& stage) {
    if (std::holds_alternative<Add>(op)) {
        stage = Stage::Add;
    } else if (std::holds_alternative<ScaleShift>(op)) {
        stage = Stage::ScaleShift;
    } else if (std::holds_alternative<Relu>(op) || std::holds_alternative<PRelu>(op) ||
               std::holds_alternative<Sigmoid>(op)) {
        stage = Stage::Activation;
    } else {
        return false;
    }
    return true;
}

/// Enters the operation in the epilogue. The added operand is the caller's, who knows which of the two it is.
void append(Epilogue& epilogue, const Op& op) {
    if (std::holds_alternative<Add>(op)) epilogue.add = true;
    if (std::holds_alternative<Relu>(op)) epilogue.activation = Activation::Relu;
    if (std::holds_alternative<Sigmoid>(op)) epilogue.activation = Activation::Sigmoid;
    if (const auto* affine = std::get_if<ScaleShift>(&op)) {
        epilogue.scale = affine->scale;
        epilogue.shift = affine->shift;
    }
    if (const auto* prelu = std::get_if<PRelu>(&op)) {
        epilogue.activation = Activation::PRelu;
        epilogue.slope = prelu->slope;
    }
}

class Fuser {
public:
    explicit Fuser(Graph& graph) : graph_(graph), uses_(graph.use_counts()), makers_(graph.values.size(), none) {}

    bool run() {
        bool changed = false;
        kept_.reserve(graph_.nodes.size());
        for (Node& node : graph_.nodes) {
            Stage stage{};
            if (stage_of(node.op, stage)) {
                changed = true;
                if (moved_into_maker(node, stage)) continue;
                become_identity(node);
            }
            makers_[static_cast<size_t>(node.output)] = static_cast<int>(kept_.size());
            kept_.push_back(std::move(node));
        }
        graph_.nodes = std::move(kept_);
        return changed;
    }

private:
    static constexpr int none = -1;

    [[nodiscard]] int maker(ValueId id) const { return makers_[static_cast<size_t>(id)]; }

    bool moved_into_maker(const Node& node, Stage stage) {
        // Only where the operand made last is made are all operands there: nodes never change their order.
        const ValueId last =
            *std::max_element(node.inputs.begin(), node.inputs.end(),
                              [this](ValueId left, ValueId right) { return maker(left) < maker(right); });
        if (maker(last) == none || uses_[static_cast<size_t>(last)] != 1) return false;
        Node& target = kept_[static_cast<size_t>(maker(last))];
        if (!carries_epilogue(target.op) || !is_open(target.epilogue, stage)) return false;
        if (stage == Stage::Add) {
            // An operand that counts for every pixel can be added to a result, not the other way round.
            if (graph_.desc(last) != graph_.desc(node.output) || !carries_added_operand(target.op)) return false;
            target.inputs.push_back(node.inputs[0] == last ? node.inputs[1] : node.inputs[0]);
        }
        append(target.epilogue, node.op);
        target.output = node.output;
        makers_[static_cast<size_t>(node.output)] = maker(last);
        return true;
    }

    /// The operand that an Add had second stays the last one, where an epilogue looks for it.
    static void become_identity(Node& node) {
        append(node.epilogue, node.op);
        node.op = Identity{};
    }

    Graph& graph_;
    std::vector<int> uses_;
    /// Where each value's node stands in `kept_`.
    std::vector<int> makers_;
    std::vector<Node> kept_;
};

}  // namespace

bool fuse_epilogue(Graph& graph) {
    return Fuser(graph).run();
}

}  // namespace vkseg
