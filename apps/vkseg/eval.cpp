#include "apps/common/confusion_matrix.hpp"
#include "apps/common/label_map.hpp"
#include "apps/common/labelled_pictures.hpp"
#include "apps/common/progress.hpp"
#include "apps/vkseg/bounded_queue.hpp"
#include "apps/vkseg/support.hpp"
#include "graph/ir/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <thread>

namespace vkseg::app {

namespace {

/// What reading a pair gave, or why it gave nothing.
struct Decoded {
    size_t index = 0;
    Image picture, labels;
    std::exception_ptr failure;
};

Decoded read_pair(const LabelledPicture& pair, size_t index) {
    Decoded item;
    item.index = index;
    try {
        item.picture = read_image(pair.picture);
        item.labels = read_label_map(pair.labels);
        if (item.picture.width != item.labels.width || item.picture.height != item.labels.height)
            throw error("'{}' is {}x{} pixels, but its label map '{}' is {}x{}", pair.picture.string(),
                        item.picture.width, item.picture.height, pair.labels.string(), item.labels.width,
                        item.labels.height);
    } catch (...) {
        item.failure = std::current_exception();
    }
    return item;
}

void count(ConfusionMatrix& matrix, const LabelledPicture& pair, const Image& labels,
           std::span<const uint8_t> predicted, const LabelMeaning& meaning) {
    try {
        matrix.add(labels.pixels, predicted, meaning);
    } catch (const Error& reason) {
        throw error("'{}' {}; data sets' own ids are read with --label-ids", pair.labels.string(), reason.what());
    }
}

/// Reading overlaps the device; one picture waits between them.
ConfusionMatrix evaluate(const std::vector<LabelledPicture>& pairs, Engine& engine, const ClassList& classes,
                         const LabelMeaning& meaning, Sampling upsampling) {
    ConfusionMatrix matrix(classes);
    BoundedQueue<Decoded> decoded(1);
    Progress progress(pairs.size());
    std::jthread reader([&] {
        for (size_t i = 0; i < pairs.size(); ++i)
            if (!decoded.push(read_pair(pairs[i], i))) break;
        decoded.close();
    });
    try {
        SegmentationOptions request;
        request.network_width = engine.model->width;
        request.network_height = engine.model->height;
        request.upsampling = upsampling;
        while (const auto item = decoded.pop()) {
            if (item->failure) std::rethrow_exception(item->failure);
            request.picture_width = item->picture.width;
            request.picture_height = item->picture.height;
            const auto predicted = engine.runner->segment(item->picture.pixels, request)[0];
            count(matrix, pairs[item->index], item->labels, predicted, meaning);
            progress.advance();
        }
    } catch (...) {
        decoded.close();
        throw;
    }
    progress.finish();
    return matrix;
}

std::string percent(const std::optional<double>& share) {
    return share ? fmt::format("{:.2f} %", *share * 100) : "-";
}

void print_figures(const ConfusionMatrix& matrix, const ClassList& classes, size_t pictures) {
    size_t widest = sizeof("pixel accuracy") - 1;
    for (const ClassInfo& info : classes.classes) widest = std::max(widest, info.name.size());
    fmt::print("{:{}}  {:>9}  {:>14}\n", "class", widest, "IoU", "pixels");
    int rated = 0;
    for (size_t i = 0; i < classes.classes.size(); ++i) {
        const ClassInfo& info = classes.classes[i];
        rated += matrix.iou(i) ? 1 : 0;
        if (!is_void(info))
            fmt::print("{:{}}  {:>9}  {:>14}\n", info.name, widest, percent(matrix.iou(i)), matrix.labelled(i));
    }
    fmt::print("{:{}}  {:>9}  over {} classes\n", "mIoU", widest, percent(matrix.mean_iou()), rated);
    fmt::print("{:{}}  {:>9}  of {} pixels, {} void\n", "pixel accuracy", widest, percent(matrix.pixel_accuracy()),
               matrix.counted(), matrix.ignored());
    fmt::print("{:{}}  {:>9}\n", "pictures", widest, pictures);
}

nlohmann::json number(const std::optional<double>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json();
}

nlohmann::json figures(const ConfusionMatrix& matrix, const ClassList& classes) {
    nlohmann::json rows = nlohmann::json::array(), list = nlohmann::json::array();
    for (size_t i = 0; i < classes.classes.size(); ++i) {
        list.push_back({{"name", classes.classes[i].name},
                        {"iou", number(matrix.iou(i))},
                        {"pixels", matrix.labelled(i)},
                        {"void", is_void(classes.classes[i])}});
        nlohmann::json row = nlohmann::json::array();
        for (size_t j = 0; j < classes.classes.size(); ++j) row.push_back(matrix.count(i, j));
        rows.push_back(std::move(row));
    }
    return {{"classes", list},
            {"miou", number(matrix.mean_iou())},
            {"pixel_accuracy", number(matrix.pixel_accuracy())},
            {"pixels", matrix.counted()},
            {"void_pixels", matrix.ignored()},
            {"confusion", rows}};
}

}  // namespace

int run_eval(const EvalOptions& options) {
    if (options.common.weights.empty() && !is_baked_file(options.network))
        throw error("eval needs trained weights: --weights FILE (a PyTorch state dict of {})", options.network);
    const bool bilinear = wants_bilinear(options.upsample);
    const auto pairs = find_labelled_pictures(options.images, options.labels, options.label_ids);
    Engine engine = open_engine(options.common, options.network, parse_config(options.common.config),
                                parse_size(options.common.size));
    const ClassList classes = choose_classes(options.classes, *engine.model, engine.classes);
    const std::string weights =
        std::filesystem::path(options.common.weights.empty() ? options.network : options.common.weights)
            .filename()
            .string();
    if (options.common.json.empty())
        fmt::print("{} {}x{} ({}, {} classes of {}, {} upsampling) on {}, {}\n", engine.model->network,
                   engine.model->width, engine.model->height, weights, engine.model->classes, classes.name,
                   options.upsample, engine.device_name(), engine.precision_name());
    const ConfusionMatrix matrix = evaluate(
        pairs, engine, classes, options.label_ids ? meaning_of_label_ids(classes) : meaning_of_train_ids(classes),
        bilinear ? engine.model->mask_sampling : Sampling::Nearest);
    if (matrix.counted() == 0)
        throw error("no pixel of the {} label maps in '{}' has a class of {}", pairs.size(), options.labels,
                    classes.name);
    if (options.common.json.empty()) {
        print_figures(matrix, classes, pairs.size());
        return 0;
    }
    nlohmann::json result = figures(matrix, classes);
    result.update({{"network", engine.model->network},
                   {"size", {engine.model->width, engine.model->height}},
                   {"device", engine.device_name()},
                   {"precision", engine.precision_name()},
                   {"arithmetic", engine.arithmetic_name()},
                   {"weights", options.common.weights},
                   {"class_set", classes.name},
                   {"upsample", options.upsample},
                   {"pictures", pairs.size()}});
    write_json(result, options.common.json);
    return 0;
}

}  // namespace vkseg::app
