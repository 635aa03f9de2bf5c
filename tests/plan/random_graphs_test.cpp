#include "graph/fuse/fuse.hpp"
#include "graph/ops/rules.hpp"
#include "graph/passes/passes.hpp"
#include "tests/graph/builder.hpp"
#include "tests/plan/plan_checks.hpp"
#include "tests/support/plan_interpreter.hpp"

#include <cstring>
#include <random>

// Graphs that nobody would draw, to find what the networks do not show: operands used twice, in two concatenations or
// as outputs, slices off plane boundaries, shuffles of slices, results that could run in place and must not.

namespace vkseg {
namespace {

class RandomGraph {
public:
    explicit RandomGraph(uint32_t seed) : random_(seed) {}

    Graph make() {
        values_ = {builder_.input(static_cast<int>(pick(9)) + 1, 5, 7)};
        const size_t count = 4 + pick(14);
        while (builder_.graph.nodes.size() < count) add_node();
        const size_t outputs = 1 + pick(3);
        // The last value keeps most of the graph alive.
        builder_.output(values_.back());
        for (size_t i = 1; i < outputs; ++i) {
            const ValueId value = any();
            if (std::ranges::find(builder_.graph.outputs, value) == builder_.graph.outputs.end())
                builder_.output(value);
        }
        tame_weights();
        return builder_.graph;
    }

private:
    size_t pick(size_t count) { return random_() % count; }
    /// A value made lately, or any.
    ValueId any() {
        const size_t recent = std::min<size_t>(values_.size(), 4);
        return pick(3) == 0 ? values_[pick(values_.size())] : values_[values_.size() - 1 - pick(recent)];
    }
    ValueId any_with_channels(int channels) {
        std::vector<ValueId> fitting;
        for (ValueId value : values_)
            if (builder_.channels(value) == channels) fitting.push_back(value);
        return fitting[pick(fitting.size())];
    }

    /// Values keep their size from layer to layer, so that differences are mistakes and not rounding.
    void tame_weights() {
        for (Constant& constant : builder_.graph.constants) {
            const Shape& shape = constant.tensor->shape;
            if (shape.size() != 4) continue;
            Tensor scaled = *constant.tensor;
            const auto fan_in = static_cast<float>(shape[1] * shape[2] * shape[3]);
            for (float& value : scaled.data) value /= 3.0f * std::sqrt(fan_in);
            constant.tensor = std::make_shared<const Tensor>(std::move(scaled));
        }
    }

    void add_node() {
        const std::string name = fmt::format("node{}", values_.size());
        const ValueId x = any();
        const int channels = builder_.channels(x);
        values_.push_back(make_node(name, x, channels));
    }

    ValueId make_node(const std::string& name, ValueId x, int channels) {
        switch (pick(22)) {
            case 0:
                return pointwise(name, x, 1 + static_cast<int>(pick(12)));
            case 1:
            case 2:
                return builder_.conv(name, x, pick(2) == 0 ? channels : 1 + static_cast<int>(pick(12)), pick(2) == 0);
            case 3:
                return builder_.conv(name, x, channels, false, channels);  // depthwise
            case 4:
                return builder_.relu(name, x);
            case 5:
                return pick(2) == 0 ? builder_.prelu(name, x) : builder_.scale_shift(name, x);
            case 6:
            case 7:
                return builder_.add(name, x, any_with_channels(channels));
            case 8:
            case 9: {
                std::vector<ValueId> operands{x, any()};
                if (pick(3) == 0) operands.push_back(any());
                return total_channels(operands) <= 48 ? builder_.concat(name, operands) : builder_.relu(name, x);
            }
            case 10: {
                if (channels < 2) return builder_.relu(name, x);
                const int begin = static_cast<int>(pick(static_cast<size_t>(channels)));
                const int count = 1 + static_cast<int>(pick(static_cast<size_t>(channels - begin)));
                return builder_.graph.add(name, Slice{begin, count}, {x});
            }
            case 11:
                for (int groups : {4, 3, 2})
                    if (channels % groups == 0) return builder_.graph.add(name, ChannelShuffle{groups}, {x});
                return builder_.graph.add(name, Sigmoid{}, {x});
            case 12:
                return builder_.graph.add(
                    name, Pool2d{.kind = Pool2d::Kind::Average, .kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}},
                    {x});
            case 13:
            case 14:
                return modulated(name, x, channels);
            case 17:
            case 18:
                return reversible(name, pick(2) == 0 ? pointwise(name + ".widen", x, 16) : x);
            case 19:
            case 20:
                return pyramid(name, x, channels);
            case 15:
                return through_half_size(name, x, channels);
            case 16:
                for (int groups : {4, 3, 2})
                    if (channels % groups == 0)
                        return builder_.conv(name, x, groups * (1 + static_cast<int>(pick(4))), true, groups);
                return pointwise(name, x, channels);
            default:
                return builder_.graph.add(name, Multiply{}, {x, any_with_channels(channels)});
        }
    }

    /// One number per channel, added to or multiplied with every pixel.
    ValueId modulated(const std::string& name, ValueId x, int channels) {
        Graph& graph = builder_.graph;
        const SizeRule one{.kind = SizeRule::Kind::Fixed, .fixed = {1, 1}};
        const ValueId mean = graph.add(name + ".mean", AdaptiveAvgPool2d{one}, {any()});
        const ValueId factor = graph.add(name + ".gate", Sigmoid{}, {pointwise(name + ".squeeze", mean, channels)});
        if (pick(2) == 0) return graph.add(name, Add{}, {x, factor});
        return graph.add(name, Multiply{}, {x, factor});
    }

    /// VNet's module and its near relatives: halves that replace each other, in an order that allows it or not.
    ValueId reversible(const std::string& name, ValueId x) {
        Graph& graph = builder_.graph;
        const int half = builder_.channels(x) / 2;
        if (half == 0) return builder_.relu(name, x);
        const auto begin = [&](int part) { return part * half; };
        std::vector<ValueId> parts;
        for (int part : {0, 1})
            parts.push_back(graph.add(fmt::format("{}.x{}", name, part), Slice{begin(part), half}, {x}));
        const auto one_of = [&] { return parts[pick(parts.size())]; };
        parts.push_back(builder_.add(name + ".z", parts[0], builder_.conv(name + ".f", parts[1], half)));
        if (pick(2) == 0) parts.push_back(builder_.conv(name + ".g", one_of(), half));
        parts.push_back(builder_.add(name + ".y", parts[1], one_of()));
        const ValueId first = pick(4) == 0 ? one_of() : parts[2], second = pick(4) == 0 ? one_of() : parts.back();
        return builder_.concat(name, pick(3) == 0 ? std::vector{second, first} : std::vector{first, second});
    }

    /// An ESP or EESP module and its near relatives: sums that start anywhere or skip a branch, a branch that somebody
    /// else may read.
    ValueId pyramid(const std::string& name, ValueId x, int channels) {
        Graph& graph = builder_.graph;
        const bool depthwise = pick(2) == 0;
        if (channels > 8) x = pointwise(name + ".reduce", x, channels = 1 + static_cast<int>(pick(8)));
        const int width = depthwise ? channels : 1 + static_cast<int>(pick(6));
        const size_t branches = 2 + pick(3), sums_from = 1 + pick(3);
        std::vector<ValueId> parts;
        for (size_t i = 0; i < branches; ++i) {
            const int dilation = 1 + static_cast<int>(pick(4));
            const int own = i > 0 || depthwise || sums_from == 1 ? width : width + static_cast<int>(pick(4));
            Conv2d op{.kernel = {3, 3},
                      .dilation = {dilation, dilation},
                      .padding = pad_all(dilation, dilation),
                      .groups = depthwise ? channels : 1,
                      .out_channels = own};
            const std::string at = fmt::format("{}.d{}", name, i);
            op.weight = graph.add_constant(at + ".weight", test::tensor({own, depthwise ? 1 : channels, 3, 3}, 2));
            ValueId y = graph.add(at, op, {x});
            if (i >= sums_from) {
                const ValueId other = parts[pick(8) == 0 ? pick(parts.size()) : parts.size() - 1];
                y = builder_.add(at + ".sum", y, builder_.channels(other) == own ? other : parts.back());
            }
            if (builder_.channels(y) == width && pick(12) == 0) values_.push_back(y);
            parts.push_back(y);
        }
        ValueId y = builder_.concat(name + ".cat", parts);
        if (pick(2) == 0)
            y = builder_.add(name + ".add", y, pointwise(name + ".residual", any(), builder_.channels(y)));
        if (pick(2) == 0) y = builder_.scale_shift(name + ".norm", y);
        return pick(3) == 0 ? y : builder_.prelu(name, y);
    }

    ValueId through_half_size(const std::string& name, ValueId x, int channels) {
        Graph& graph = builder_.graph;
        ValueId y = builder_.pool(name + ".pool", x);
        if (pick(2) == 0) y = builder_.conv_transpose(name + ".up", y, channels, pick(2) == 0);
        if (pick(2) == 0) y = builder_.prelu(name + ".act", y);
        const SizeRule like{.kind = SizeRule::Kind::LikeOperand};
        return graph.add(name, Resize{Resize::Mode::BilinearAligned, like}, {y, x});
    }

    ValueId pointwise(const std::string& name, ValueId x, int out_channels) {
        Conv2d op{.out_channels = out_channels};
        op.weight =
            builder_.graph.add_constant(name + ".weight", test::tensor({out_channels, builder_.channels(x), 1, 1}, 2));
        return builder_.graph.add(name, op, {x});
    }

    [[nodiscard]] int total_channels(const std::vector<ValueId>& values) const {
        int total = 0;
        for (ValueId value : values) total += builder_.channels(value);
        return total;
    }

    std::mt19937 random_;
    test::Builder builder_;
    std::vector<ValueId> values_;
};

void expect_references_numbers(const Graph& raw, const Graph& graph, const Plan& plan) {
    const std::vector<HostValue> inputs = test::inputs_of(raw);
    std::vector<uint8_t> bytes(inputs[0].floats.size() * sizeof(float));
    std::memcpy(bytes.data(), inputs[0].floats.data(), bytes.size());
    const auto found = test::interpret(plan, pack_weights(plan, graph), {bytes});
    const auto wanted = run_reference(raw, inputs);
    ASSERT_EQ(found.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
        std::vector<float> floats(wanted[i].floats.size());
        std::memcpy(floats.data(), found[i].data(), floats.size() * sizeof(float));
        double largest = 1.0, error = 0.0;
        for (size_t j = 0; j < floats.size(); ++j) {
            largest = std::max(largest, std::abs(double{wanted[i].floats[j]}));
            const double difference = std::abs(double{floats[j]} - wanted[i].floats[j]);
            error = std::isfinite(difference) ? std::max(error, difference) : INFINITY;
        }
        EXPECT_LE(error, largest * 1e-5) << "output " << i;
    }
}

class RandomGraphs : public testing::TestWithParam<const char*> {};

TEST_P(RandomGraphs, KeepTheirNumbersAndTheRules) {
    const DeviceFacts& facts = paper_device(GetParam());
    for (uint32_t seed = 1; seed <= 400 && !HasFailure(); ++seed) {
        SCOPED_TRACE(fmt::format("seed {}", seed));
        const Graph raw = RandomGraph(seed).make();
        Graph graph = raw;
        PassOptions passes;
        if (seed % 3 == 0) passes.disabled = {"fuse_epilogue"};
        simplify(graph, passes);
        Choices choices;
        choices.in_place = seed % 5 != 0;
        if (seed % 7 == 0) choices.disabled_fusions = {fusion_names().begin(), fusion_names().end()};
        const Plan plan = compile(graph, facts, choices);
        test::expect_sound(plan, facts);
        expect_references_numbers(raw, graph, plan);
        if (HasFailure()) ADD_FAILURE() << to_string(graph) << to_string(plan);
    }
}

INSTANTIATE_TEST_SUITE_P(, RandomGraphs, testing::Values("lavapipe", "minimal"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace vkseg
