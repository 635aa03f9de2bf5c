#include "apps/simulator/live/model_source.hpp"

#include "apps/common/read_file.hpp"
#include "graph/ir/error.hpp"

#include <vkseg/vkseg_import.h>

namespace vkseg::sim {

std::optional<std::filesystem::path> default_model() {
    std::error_code failed;
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (failed) return std::nullopt;
    const std::filesystem::path beside = program.parent_path().parent_path() / "share" / "vkseg" / "simulator.vkseg";
    if (std::filesystem::is_regular_file(beside, failed)) return beside;
    return std::nullopt;
}

std::vector<uint8_t> load_baked(const ModelSource& source) {
    if (!source.baked.empty()) {
        if (!source.weights.empty() || !source.network.empty())
            throw error(
                "--baked brings network and weights along, so that --network and --weights cannot stand beside it");
        return app::read_file(source.baked);
    }
    if (source.weights.empty()) {
        if (!source.network.empty())
            throw error("--network {} needs --weights FILE: made-up weights would mean nothing", source.network);
        if (const auto path = default_model()) return app::read_file(*path);
        throw error(
            "nothing says what segments: give --weights FILE (with --network NAME) or --baked FILE; there are no "
            "weights "
            "beside this program, and made-up ones would mean nothing");
    }
    vkseg_import_desc desc{};
    desc.struct_size = sizeof desc;
    desc.network = source.network.empty() ? "espnet" : source.network.c_str();
    desc.weights_path = source.weights.c_str();
    desc.config_json = source.config.empty() ? nullptr : source.config.c_str();
    desc.width = source.width;
    desc.height = source.height;
    uint8_t* bytes = nullptr;
    size_t size = 0;
    if (vkseg_import(&desc, &bytes, &size) != VKSEG_IMPORT_SUCCESS) throw Error(vkseg_import_last_error());
    std::vector<uint8_t> baked(bytes, bytes + size);
    vkseg_import_free(bytes);
    return baked;
}

}  // namespace vkseg::sim
