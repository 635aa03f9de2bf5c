#include "apps/common/files.hpp"
#include "apps/common/image.hpp"
#include "apps/common/legend.hpp"
#include "apps/common/progress.hpp"
#include "apps/common/raw_frames.hpp"
#include "apps/vkseg/bounded_queue.hpp"
#include "apps/vkseg/support.hpp"
#include "graph/ir/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

namespace vkseg::app {

namespace {

/// What reading gave: a picture, or the sentence why there is none.
struct Decoded {
    size_t index = 0;
    Image picture;
    std::string failure;
};

/// What the device made of one picture.
struct Segmented {
    size_t index = 0;
    Image labels, colour, overlay, confidence;
    /// As it was; only for --side-by-side.
    Image picture;
};

struct OutputNames {
    std::vector<std::filesystem::path> labels, colour, overlay, confidence, side_by_side;
};

/// RGBA from the device to the RGB that files hold.
Image drop_alpha(std::span<const uint8_t> rgba, int width, int height) {
    Image image(width, height, 3);
    for (size_t i = 0, n = image.pixels.size() / 3; i < n; ++i)
        for (size_t c = 0; c < 3; ++c) image.pixels[i * 3 + c] = rgba[i * 4 + c];
    return image;
}

Image grey(std::span<const uint8_t> bytes, int width, int height) {
    Image image(width, height, 1);
    image.pixels.assign(bytes.begin(), bytes.end());
    return image;
}

/// Two RGB pictures of one height.
Image beside(const Image& left, const Image& right) {
    Image both(left.width + right.width, left.height, 3);
    for (int y = 0; y < left.height; ++y) {
        std::copy_n(left.at(0, y), size_t{3} * static_cast<size_t>(left.width), both.at(0, y));
        std::copy_n(right.at(0, y), size_t{3} * static_cast<size_t>(right.width), both.at(left.width, y));
    }
    return both;
}

const std::string& weights_file(const SegmentOptions& options) {
    return options.common.weights.empty() ? options.network : options.common.weights;
}

class Segmenter {
public:
    explicit Segmenter(const SegmentOptions& options) : options_(options) {
        expect_trained(options.common, options.network, "segment");
        const bool bilinear = wants_bilinear(options.upsample);
        if (!(options.opacity >= 0 && options.opacity <= 1))
            throw error("--opacity {}: expected a number from 0 to 1", options.opacity);
        engine_ = open_engine(options.common, options.network, parse_config(options.common.config),
                              parse_size(options.common.size));
        classes_ = choose_classes(options.classes, *engine_.model, engine_.classes);
        request_.network_width = engine_.model->width;
        request_.network_height = engine_.model->height;
        request_.upsampling = bilinear ? engine_.model->mask_sampling : Sampling::Nearest;
        request_.confidence = options.confidence;
        request_.colour = request_.overlay = true;
        request_.opacity = static_cast<int>(std::lround(options.opacity * 256));
        for (const ClassInfo& info : classes_.classes)
            request_.palette.push_back(uint32_t{0xff000000} | static_cast<uint32_t>(info.colour[2]) << 16 |
                                       static_cast<uint32_t>(info.colour[1]) << 8 | info.colour[0]);
    }

    [[nodiscard]] const Engine& engine() const { return engine_; }
    [[nodiscard]] const ClassList& classes() const { return classes_; }
    /// What the reader of any result should know of the weights; "" when there is nothing.
    [[nodiscard]] std::string notice() const { return weights_notice(*engine_.model); }

    Segmented segment(size_t index, const Image& picture) {
        SegmentationOptions request = request_;
        request.picture_width = picture.width;
        request.picture_height = picture.height;
        const auto results = engine_.runner->segment(picture.pixels, request);
        Segmented out;
        out.index = index;
        out.labels = grey(results[0], picture.width, picture.height);
        size_t next = 1;
        if (request.confidence) out.confidence = grey(results[next++], picture.width, picture.height);
        out.colour = drop_alpha(results[next++], picture.width, picture.height);
        out.overlay = drop_alpha(results[next], picture.width, picture.height);
        return out;
    }

    [[nodiscard]] std::vector<LegendEntry> legend(const Image& labels) const {
        return legend_entries(classes_, count_classes(labels.pixels, classes_.classes.size()));
    }

    /// Class indices to the data set's own ids; what has none becomes 0.
    void to_label_ids(Image& labels) const {
        for (uint8_t& label : labels.pixels) {
            const int id = label < classes_.classes.size() ? classes_.classes[label].label_id : 0;
            label = static_cast<uint8_t>(id >= 0 && id <= 255 ? id : 0);
        }
    }

private:
    const SegmentOptions& options_;
    Engine engine_;
    ClassList classes_;
    SegmentationOptions request_;
};

/// The files of one picture: those already written go again when a later one fails, so that none stands alone.
class PictureFiles {
public:
    ~PictureFiles() {
        std::error_code ignored;
        for (const auto& path : written_) std::filesystem::remove(path, ignored);
    }
    void write(const std::filesystem::path& path, const Image& image) {
        write_png(path, image);
        written_.push_back(path);
    }
    void keep() { written_.clear(); }

private:
    std::vector<std::filesystem::path> written_;
};

nlohmann::json write_results(const Segmenter& segmenter, const SegmentOptions& options, const OutputNames& names,
                             Segmented result) {
    const size_t i = result.index;
    const auto legend = segmenter.legend(result.labels);
    if (options.label_ids) segmenter.to_label_ids(result.labels);
    PictureFiles files;
    files.write(names.labels[i], result.labels);
    files.write(names.colour[i], result.colour);
    files.write(names.overlay[i], add_legend(result.overlay, legend, segmenter.notice()));
    nlohmann::json entry{{"width", result.labels.width},
                         {"height", result.labels.height},
                         {"labels", names.labels[i].string()},
                         {"colour", names.colour[i].string()},
                         {"overlay", names.overlay[i].string()}};
    if (options.confidence) {
        files.write(names.confidence[i], result.confidence);
        entry["confidence"] = names.confidence[i].string();
    }
    if (options.side_by_side) {
        files.write(names.side_by_side[i],
                    add_legend(beside(result.picture, result.overlay), legend, segmenter.notice()));
        entry["side_by_side"] = names.side_by_side[i].string();
    }
    files.keep();
    for (const LegendEntry& share : legend) entry["classes"][share.name] = share.share;
    return entry;
}

int segment_pictures(const SegmentOptions& options) {
    const std::vector<std::filesystem::path> inputs = expand_inputs(options.inputs);
    OutputNames names{
        output_paths(inputs, options.output, "_labels.png"), output_paths(inputs, options.output, "_colour.png"),
        output_paths(inputs, options.output, "_overlay.png"), output_paths(inputs, options.output, "_confidence.png"),
        output_paths(inputs, options.output, "_side_by_side.png")};
    Segmenter segmenter(options);
    std::error_code status;
    const bool made_folder = std::filesystem::create_directories(options.output, status);
    if (!std::filesystem::is_directory(options.output))
        throw error("--output '{}' is no folder and cannot be made one", options.output);
    const std::string notice = segmenter.notice();
    if (options.common.json.empty() && !notice.empty()) fmt::print("{}\n", notice);
    if (options.common.json.empty())
        fmt::print("{} {}x{} ({}, {} classes of {}) on {}, {}\n", segmenter.engine().model->network,
                   segmenter.engine().model->width, segmenter.engine().model->height,
                   std::filesystem::path(weights_file(options)).filename().string(), segmenter.engine().model->classes,
                   segmenter.classes().name, segmenter.engine().device_name(), segmenter.engine().precision_name());

    // Reading, device and writing overlap; two pictures wait at most between them.
    BoundedQueue<Decoded> decoded(2);
    BoundedQueue<Segmented> segmented(2);
    Progress progress(inputs.size());
    std::vector<nlohmann::json> entries(inputs.size());
    std::vector<std::string> failures(inputs.size());
    std::jthread reader([&] {
        for (size_t i = 0; i < inputs.size(); ++i) {
            Decoded item{i, {}, {}};
            try {
                item.picture = read_image(inputs[i]);
            } catch (const std::exception& reason) {
                item.failure = reason.what();
            }
            if (!decoded.push(std::move(item))) break;
        }
        decoded.close();
    });
    std::jthread writer([&] {
        while (auto item = segmented.pop()) {
            const size_t i = item->index;
            try {
                entries[i] = write_results(segmenter, options, names, std::move(*item));
            } catch (const std::exception& reason) {
                failures[i] = reason.what();
            }
            progress.advance();
        }
    });
    const auto stop = [&] {
        decoded.close();
        segmented.close();
    };
    try {
        while (auto item = decoded.pop()) {
            if (item->failure.empty()) {
                try {
                    Segmented result = segmenter.segment(item->index, item->picture);
                    if (options.side_by_side) result.picture = std::move(item->picture);
                    segmented.push(std::move(result));
                    continue;
                } catch (const DeviceLost&) {
                    throw;
                } catch (const Error& reason) {
                    item->failure = fmt::format("'{}': {}", inputs[item->index].string(), reason.what());
                }
            }
            failures[item->index] = item->failure;
            progress.advance();
        }
    } catch (...) {
        stop();
        throw;
    }
    segmented.close();
    writer.join();
    reader.join();
    progress.finish();
    // A folder that nothing was written to leaves with the failure; one with files in it stays.
    if (made_folder && std::filesystem::is_empty(options.output, status))
        std::filesystem::remove(options.output, status);

    int failed = 0;
    nlohmann::json list = nlohmann::json::array();
    for (size_t i = 0; i < inputs.size(); ++i) {
        nlohmann::json entry = entries[i].is_null() ? nlohmann::json::object() : entries[i];
        entry["input"] = inputs[i].string();
        if (!failures[i].empty()) {
            ++failed;
            entry["error"] = failures[i];
            fmt::print(stderr, "vkseg: {}\n", failures[i]);
        } else if (options.common.json.empty()) {
            fmt::print("{} -> {}, _colour, _overlay{}{}\n", inputs[i].string(), names.labels[i].string(),
                       options.confidence ? ", _confidence" : "", options.side_by_side ? ", _side_by_side" : "");
        }
        list.push_back(std::move(entry));
    }
    if (!options.common.json.empty()) {
        nlohmann::json result{{"network", segmenter.engine().model->network},
                              {"size", {segmenter.engine().model->width, segmenter.engine().model->height}},
                              {"device", segmenter.engine().device_name()},
                              {"precision", segmenter.engine().precision_name()},
                              {"arithmetic", segmenter.engine().arithmetic_name()},
                              {"weights", weights_file(options)},
                              {"pictures", list}};
        if (!notice.empty()) result["notice"] = notice;
        write_json(result, options.common.json);
    }
    return failed == 0 ? 0 : 1;
}

/// Raw frames from standard input to standard output, one for one.
int segment_raw(const SegmentOptions& options) {
    if (options.inputs != std::vector<std::string>{"-"})
        throw error("--raw reads frames from standard input: name '-' as the only input");
    const FrameFormat format = parse_frame_format(options.raw);
    if (options.raw_output != "overlay" && options.raw_output != "colour" && options.raw_output != "labels")
        throw error("--raw-output '{}': expected overlay, colour or labels", options.raw_output);
    Segmenter segmenter(options);
    // Standard output is for frames.
    if (const std::string notice = segmenter.notice(); !notice.empty()) warn(notice);
    std::vector<uint8_t> frame, result;
    Image picture;
    Progress progress(0);
    for (size_t i = 0; read_frame(stdin, format, frame); ++i) {
        to_rgb(format, frame, picture);
        Segmented segmented = segmenter.segment(i, picture);
        if (options.raw_output == "labels") {
            if (options.label_ids) segmenter.to_label_ids(segmented.labels);
            write_frame(stdout, segmented.labels.pixels);
        } else {
            from_rgb(options.raw_output == "colour" ? segmented.colour : segmented.overlay, format, result);
            write_frame(stdout, result);
        }
        progress.advance();
    }
    progress.finish();
    return 0;
}

}  // namespace

int run_segment(const SegmentOptions& chosen) {
    SegmentOptions options = chosen;
    take_shipped_weights(options.common, options.network);
    return options.raw.empty() ? segment_pictures(options) : segment_raw(options);
}

}  // namespace vkseg::app
