#pragma once

#include "graph/ops/rules.hpp"
#include "runtime/api/model.hpp"
#include "runtime/api/segmentation_graph.hpp"
#include "runtime/session.hpp"

#include <map>
#include <memory>

namespace vkseg {

enum class PrecisionChoice : uint8_t { Auto, FP32, FP16 };

/// What `Auto` means on a device.
[[nodiscard]] Precision precision_on(const DeviceFacts& facts, PrecisionChoice choice);

/// Throws `Error` where plans would not compute in what the choices ask for: the device, the storage or its family of
/// kernels has fp32 arithmetic only.
void expect_arithmetic(const DeviceFacts& facts, const Choices& choices);

struct RunnerOptions {
    PrecisionChoice precision = PrecisionChoice::Auto;
    std::set<std::string, std::less<>> denied_families;
    /// Names of fusions to leave out.
    std::set<std::string, std::less<>> disabled_fusions{};
    /// What tuning chose layer by layer.
    LayerChoices layers{};
    Arithmetic arithmetic = Arithmetic::FP32;
};

/// A model on one device. Pictures and tensors of any size the model can take; a size is planned when it is first seen
/// and remembered. For one thread at a time; several runners are independent. Without a context, everything runs on
/// the CPU reference.
class Runner {
public:
    /// `context` may be null (the reference) and must outlive the runner.
    Runner(std::shared_ptr<const Model> model, Context* context, const RunnerOptions& options = {});

    /// Scores {classes, h, w} of a normalised tensor {3, H, W}.
    [[nodiscard]] Tensor scores(const Tensor& input);
    /// The same into a tensor whose memory is kept where the shape is the same: new memory for each frame costs as long
    /// as copying into it.
    void scores(const Tensor& input, Tensor& result);

    /// One result per output of `segmentation_graph`: valid until the next call. `pixels` holds
    /// picture_height * picture_width * bytes_per_pixel(format) bytes.
    [[nodiscard]] std::vector<std::span<const uint8_t>> segment(std::span<const uint8_t> pixels,
                                                                const SegmentationOptions& options);

    /// Probability of each class for an 8-bit RGB picture. Throws `Error` when the model is no classifier.
    [[nodiscard]] std::vector<float> classify(std::span<const uint8_t> rgb, int width, int height);

    [[nodiscard]] Precision precision() const { return choices_.precision; }
    [[nodiscard]] Arithmetic arithmetic() const { return choices_.arithmetic; }
    [[nodiscard]] const Model& model() const { return *model_; }
    /// GPU times of the dispatches of the last plan that ran; empty on the reference.
    [[nodiscard]] std::vector<DispatchTime> profile();
    [[nodiscard]] Session* session() { return session_.get(); }

private:
    /// A graph at one size, and its plan.
    struct Prepared {
        std::shared_ptr<const Graph> graph;
        std::shared_ptr<const Plan> plan;
    };
    Prepared& prepare(const std::string& key, const std::function<Graph(const Graph&)>& make);
    [[nodiscard]] Prepared make_prepared(const std::function<Graph(const Graph&)>& make) const;
    void activate(const Prepared& prepared);

    std::shared_ptr<const Model> model_;
    Context* context_ = nullptr;
    Choices choices_;
    std::unique_ptr<Session> session_;
    std::map<std::string, Prepared> prepared_;
    std::vector<HostValue> reference_results_;
};

}  // namespace vkseg
