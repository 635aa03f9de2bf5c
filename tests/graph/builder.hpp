#pragma once

#include "graph/passes/passes.hpp"
#include "tests/graph/support.hpp"

namespace vkseg::test {

/// Small graphs for the tests of passes. Constants are named after their node, as in a checkpoint.
class Builder {
public:
    Graph graph;

    ValueId input(int channels = 2, int height = 4, int width = 6) {
        return graph.add_input("image", features(channels, height, width));
    }
    ValueId conv(const std::string& name, ValueId x, int out_channels, bool bias = false, int groups = 1) {
        Conv2d op{.kernel = {3, 3}, .padding = pad_all(1, 1), .groups = groups, .out_channels = out_channels};
        op.weight = constant(name + ".weight", {out_channels, channels(x) / groups, 3, 3}, 2);
        if (bias) op.bias = constant(name + ".bias", {out_channels}, 3);
        return graph.add(name, op, {x});
    }
    ValueId conv1x1(const std::string& name, ValueId x, int out_channels, int groups = 1) {
        Conv2d op{.groups = groups, .out_channels = out_channels};
        op.weight = constant(name + ".weight", {out_channels, channels(x) / groups, 1, 1}, 13);
        return graph.add(name, op, {x});
    }
    ValueId conv_transpose(const std::string& name, ValueId x, int out_channels, bool bias = false, int groups = 1) {
        ConvTranspose2d op{.kernel = {2, 2}, .stride = {2, 2}, .groups = groups, .out_channels = out_channels};
        op.weight = constant(name + ".weight", {channels(x), out_channels / groups, 2, 2}, 4);
        if (bias) op.bias = constant(name + ".bias", {out_channels}, 5);
        return graph.add(name, op, {x});
    }
    ValueId batch_norm(const std::string& name, ValueId x) {
        BatchNorm op{.eps = 1e-3f};
        op.gamma = constant(name + ".weight", {channels(x)}, 6);
        op.beta = constant(name + ".bias", {channels(x)}, 7);
        op.mean = constant(name + ".running_mean", {channels(x)}, 8);
        Tensor variance = tensor({channels(x)}, 9);
        for (float& value : variance.data) value = std::abs(value) + 0.25f;
        op.variance = graph.add_constant(name + ".running_var", std::move(variance));
        return graph.add(name, op, {x});
    }
    ValueId scale_shift(const std::string& name, ValueId x) {
        const ConstId scale = constant(name + ".scale", {channels(x)}, 10);
        return graph.add(name, ScaleShift{scale, constant(name + ".shift", {channels(x)}, 11)}, {x});
    }
    ValueId prelu(const std::string& name, ValueId x) {
        return graph.add(name, PRelu{constant(name + ".weight", {channels(x)}, 12)}, {x});
    }
    ValueId relu(const std::string& name, ValueId x) { return graph.add(name, Relu{}, {x}); }
    ValueId add(const std::string& name, ValueId left, ValueId right) { return graph.add(name, Add{}, {left, right}); }
    ValueId concat(const std::string& name, std::vector<ValueId> operands) {
        return graph.add(name, Concat{}, std::move(operands));
    }
    ValueId pool(const std::string& name, ValueId x) {
        return graph.add(name, Pool2d{.kernel = {2, 2}, .stride = {2, 2}}, {x});
    }
    void output(ValueId x) { graph.outputs.push_back(x); }

    [[nodiscard]] int channels(ValueId x) const { return graph.desc(x).channels(); }

private:
    ConstId constant(std::string name, const Shape& shape, int64_t salt) {
        return graph.add_constant(std::move(name), tensor(shape, salt));
    }
};

/// Runs a pass and compares the text after it; the graph must stay whole. Returns whether the pass changed it.
inline bool expect_after(bool (*pass)(Graph&), Graph& graph, const std::string& expected) {
    const bool changed = pass(graph);
    verify(graph, "the pass");
    EXPECT_EQ(to_string(graph), expected);
    return changed;
}

/// The first test of every pass.
inline void expect_no_change(bool (*pass)(Graph&), Graph graph) {
    EXPECT_FALSE(expect_after(pass, graph, to_string(graph)));
}

inline std::vector<HostValue> inputs_of(const Graph& graph) {
    std::vector<HostValue> inputs;
    for (ValueId id : graph.inputs) {
        const TensorDesc& desc = graph.desc(id);
        inputs.push_back(pattern(desc.channels(), desc.height(), desc.width(), 1 + id));
    }
    return inputs;
}

/// Both graphs give the same outputs, up to `tolerance` of the largest value in each.
inline void expect_same_outputs(const Graph& before, const Graph& after, double tolerance) {
    const std::vector<HostValue> inputs = inputs_of(before);
    const std::vector<HostValue> expected = run_reference(before, inputs);
    const std::vector<HostValue> found = run_reference(after, inputs);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(found[i].desc, expected[i].desc);
        ASSERT_EQ(found[i].bytes, expected[i].bytes);
        double largest = 1.0;
        for (float value : expected[i].floats) largest = std::max(largest, std::abs(double{value}));
        for (size_t j = 0; j < found[i].floats.size(); ++j) {
            ASSERT_NEAR(found[i].floats[j], expected[i].floats[j], tolerance * largest)
                << "output " << i << " element " << j << "\n"
                << to_string(before) << "became\n"
                << to_string(after);
        }
    }
}

}  // namespace vkseg::test
