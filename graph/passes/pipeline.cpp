#include "graph/ir/error.hpp"
#include "graph/passes/batchnorm.hpp"
#include "graph/passes/passes.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace vkseg {

namespace {

struct Pass {
    const char* name;
    bool (*run)(Graph&);
    /// What must happen even where the pass is disabled; may be null.
    bool (*instead)(Graph&);
};

constexpr Pass passes[] = {
    // First: a dead reader counts as a use, and a value with two uses neither folds nor fuses.
    {"eliminate_dead_nodes", eliminate_dead_nodes, nullptr},
    // Before fuse_epilogue: it looks for the batch norm right behind the bare convolution, and what it cannot fold it
    // leaves as the ScaleShift that fuse_epilogue takes. Planning knows no BatchNorm, hence the substitute.
    {"fold_batchnorm", fold_batchnorm, lower_batchnorm},
    // Last: an epilogue closes a convolution to folding. Leaves no dead node behind, nor does fold_batchnorm.
    {"fuse_epilogue", fuse_epilogue, nullptr},
};

void check_names(const PassOptions& options) {
    const std::vector<std::string>& names = pass_names();
    for (const std::string& name : options.disabled) {
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        throw error("there is no pass '{}' to disable; passes are {}", name, fmt::join(names, ", "));
    }
}

}  // namespace

const std::vector<std::string>& pass_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> list;
        for (const Pass& pass : passes) list.emplace_back(pass.name);
        return list;
    }();
    return names;
}

void simplify(Graph& graph, const PassOptions& options) {
    check_names(options);
    verify(graph, "building");
    for (const Pass& pass : passes) {
        const bool enabled = !options.disabled.contains(pass.name);
        const auto run = enabled ? pass.run : pass.instead;
        if (!run) continue;
        const bool changed = run(graph);
        verify(graph, pass.name);
        if (enabled && options.observer) options.observer(pass.name, changed, graph);
    }
}

}  // namespace vkseg
