#include "graph/fuse/fuse.hpp"
#include "graph/ir/error.hpp"
#include "graph/passes/passes.hpp"
#include "models/network.hpp"
#include "runtime/api/segmentation_graph.hpp"
#include "tests/graph/builder.hpp"
#include "tests/plan/plan_checks.hpp"

#include <chrono>

namespace vkseg {
namespace {

const DeviceFacts& minimal() {
    return paper_device("minimal");
}

std::vector<std::string> labels_of(const Plan& plan, std::string_view family) {
    std::vector<std::string> labels;
    for (const Dispatch* dispatch : test::dispatches_of(plan))
        if (std::string_view(to_string(dispatch->shader)).starts_with(family)) labels.push_back(dispatch->label);
    return labels;
}

using Labels = std::vector<std::string>;

/// No fusion: concatenations belong to several.
Choices one_by_one() {
    Choices choices;
    choices.disabled_fusions = {fusion_names().begin(), fusion_names().end()};
    return choices;
}

TEST(Compile, ConcatenationsCostNothingWhereTheirOperandsAreMade) {
    test::Builder b;
    const ValueId x = b.input(5);
    b.output(b.concat("outer", {b.conv("a", x, 3), b.concat("inner", {b.conv("b", x, 4), b.conv("c", x, 2)})}));
    const Plan plan = compile(b.graph, minimal(), one_by_one());
    EXPECT_EQ(labels_of(plan, "conv2d"), (Labels{"a", "b", "c"}));
    // The host wants dense channels; nothing else is copied.
    EXPECT_EQ(labels_of(plan, "relayout"), Labels{"outer.relayout"});
    test::expect_sound(plan, minimal());
}

TEST(Compile, StraysOfConcatenationsAreCopied) {
    test::Builder b;
    const ValueId x = b.input(4);
    const ValueId a = b.conv("a", x, 4), c = b.conv("c", x, 4);
    const ValueId first = b.concat("first", {a, c});
    b.output(b.conv("end1", first, 4));
    b.output(b.conv("end2", b.concat("second", {c, a}), 4));
    b.output(b.conv("end3", b.concat("twice", {first, first}), 4));
    const Plan plan = compile(b.graph, minimal(), one_by_one());
    EXPECT_EQ(labels_of(plan, "relayout"), (Labels{"second.copy", "second.copy", "twice.copy"}));
    test::expect_sound(plan, minimal());
}

TEST(Compile, AddingValuesOfOtherMapsCopiesOne) {
    test::Builder b;
    const ValueId x = b.input(4);
    const ValueId padded = b.concat("cat", {b.conv("a", x, 3), b.conv("b", x, 3)});
    const ValueId dense = b.pool("pool", b.conv("c", x, 6));
    b.output(b.conv("end", b.add("sum", dense, b.pool("pooled", padded)), 4));
    const Plan plan = compile(b.graph, minimal());
    EXPECT_EQ(labels_of(plan, "relayout"), Labels{"pooled.relayout"});
}

/// A convolution can make any map, so what is added to it need not move.
TEST(Compile, AConvolutionTakesTheMapOfWhatIsAdded) {
    test::Builder b;
    const ValueId x = b.input(4);
    const ValueId padded = b.concat("cat", {b.conv("a", x, 3), b.conv("b", x, 3)});
    b.output(b.conv("end", b.add("sum", b.conv("c", padded, 6), padded), 4));
    simplify(b.graph);
    const Plan plan = compile(b.graph, minimal());
    EXPECT_EQ(labels_of(plan, "relayout"), Labels{});
    EXPECT_EQ(labels_of(plan, "eltwise"), Labels{});
    test::expect_sound(plan, minimal());
}

/// The residual block `x + conv(x)`: the sum could take x's memory, if the convolution did not read x's neighbours.
TEST(Compile, AnOperandReadWithItsNeighboursIsNotOverwritten) {
    test::Builder b;
    ValueId x = b.conv("first", b.input(4), 8);
    for (const char* name : {"block1", "block2"})
        x = b.add(std::string(name) + ".sum", b.conv(std::string(name), x, 8), x);
    b.output(x);
    simplify(b.graph);
    for (const char* device : {"minimal", "lavapipe"}) {
        const Plan plan = compile(b.graph, paper_device(device));
        EXPECT_EQ(labels_of(plan, "eltwise"), Labels{});
        test::expect_in_place_by_texel(plan);
    }
}

TEST(Compile, ElementwiseOperationsTakeTheirOperandsMemory) {
    test::Builder b;
    const ValueId first = b.conv("first", b.input(4, 64, 64), 8), second = b.conv("second", first, 8);
    b.output(b.add("sum", second, first));
    PassOptions unfused;
    unfused.disabled = {"fuse_epilogue"};
    simplify(b.graph, unfused);
    const Plan plan = compile(b.graph, minimal());
    const auto all = test::dispatches_of(plan);
    const auto sum = std::ranges::find(all, "sum", [](const Dispatch* dispatch) { return dispatch->label; });
    ASSERT_NE(sum, all.end());
    EXPECT_EQ((*sum)->writes[0], (*sum)->reads[0]);
    Choices apart;
    apart.in_place = false;
    EXPECT_EQ(compile(b.graph, minimal(), apart).arena_bytes, plan.arena_bytes * 3 / 2);
}

TEST(Compile, IndependentBranchesShareAStep) {
    test::Builder b;
    const ValueId x = b.input(4);
    b.output(b.concat("cat", {b.conv("a", x, 4), b.conv("b", x, 4), b.conv("c", x, 4), b.conv("d", x, 4)}));
    const Plan plan = compile(b.graph, minimal(), one_by_one());
    ASSERT_EQ(plan.steps.size(), 3u);  // load, four branches, store
    EXPECT_EQ(plan.steps[1].dispatches.size(), 4u);
}

TEST(Compile, AnInputMayBeAnOutput) {
    test::Builder b;
    const ValueId x = b.input(5);
    b.output(x);
    b.output(b.conv("a", x, 3));
    const Plan plan = compile(b.graph, minimal());
    EXPECT_EQ(plan.outputs.size(), 2u);
    test::expect_sound(plan, minimal());
}

TEST(Compile, RefusesWhatIsBeyondTheDeviceInASentence) {
    const auto refusal = [](const Graph& graph, const DeviceFacts& facts) {
        return test::error_of([&] { (void)compile(graph, facts); });
    };
    const Graph graph = build_network("espnet", {}, 1024, 512).graph;
    Graph simple = graph;
    simplify(simple);
    DeviceFacts small = minimal();
    small.device_memory_bytes = 32 << 20;
    EXPECT_NE(refusal(simple, small).find("'minimal' allocates at most 32 MB"), std::string::npos);
    DeviceFacts narrow = minimal();
    narrow.max_workgroup_count[0] = 16;
    EXPECT_NE(refusal(simple, narrow).find("'minimal' starts at most 16 along one axis"), std::string::npos);

    SegmentationOptions options;
    options.picture_width = 16384;
    options.picture_height = 16384;
    options.network_width = options.network_height = 64;
    EXPECT_NE(refusal(segmentation_graph(simple, {}, options), minimal()).find("a picture of 768 MB"),
              std::string::npos);
    options.picture_width = 40000;
    EXPECT_NE(refusal(segmentation_graph(simple, {}, options), minimal()).find("but a side has at most 32767"),
              std::string::npos);
}

TEST(Compile, IsAPureFunction) {
    Graph graph = build_network("espnet", {}, 256, 128).graph;
    simplify(graph);
    for (const DeviceFacts& facts : paper_devices())
        EXPECT_EQ(to_string(compile(graph, facts)), to_string(compile(graph, facts))) << facts.name;
}

TEST(Compile, TakesAFewMilliseconds) {
    Graph graph = build_network("espnet", {}, 1024, 512).graph;
    simplify(graph);
    for (const char* device : {"nvidia-discrete", "lavapipe"}) {
        auto best = std::chrono::steady_clock::duration::max();
        for (int i = 0; i < 20; ++i) {
            const auto start = std::chrono::steady_clock::now();
            (void)compile(graph, paper_device(device));
            best = std::min(best, std::chrono::steady_clock::now() - start);
        }
#ifdef __SANITIZE_ADDRESS__
        constexpr std::chrono::milliseconds limit(50);
#else
        constexpr std::chrono::milliseconds limit(5);
#endif
        EXPECT_LT(best, limit) << device;
        RecordProperty(std::string(device) + "_microseconds",
                       static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(best).count()));
    }
}

}  // namespace
}  // namespace vkseg
