#pragma once

#include "graph/ir/error.hpp"
#include "runtime/recorder_memory.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace vkseg {

/// A frame slot was recorded again before its last recording ran to its end.
class SlotInUse : public Error {
public:
    using Error::Error;
};
/// Something that must come before was not done.
class NotReady : public Error {
public:
    using Error::Error;
};

/// One side of a dependency on a host's resource.
struct ResourceUse {
    VkPipelineStageFlags stages = 0;
    VkAccessFlags access = 0;
    VkImageLayout layout = VK_IMAGE_LAYOUT_UNDEFINED;
    bool transfer_ownership = false;
    uint32_t queue_family = 0;
};

/// An image (with a view when it is read) or a part of a buffer, with who used it last and who will next.
struct HostResource {
    VkImage image = VK_NULL_HANDLE;
    VkImageView view = VK_NULL_HANDLE;
    VkBuffer buffer = VK_NULL_HANDLE;
    uint64_t offset_bytes = 0;
    ResourceUse before, after;
};

/// Where an output of the plan goes.
enum class OutputTarget : uint8_t {
    /// Kept in the recorder's memory: another dispatch wants it.
    Internal,
    /// Written to the host's buffer.
    Buffer,
    /// Kept in the recorder's memory and copied to the host's image.
    Image,
};

struct RecorderOptions {
    /// One per output of the plan.
    std::vector<OutputTarget> outputs;
    uint32_t slots = 2;
    /// Notice a slot that is recorded again too early.
    bool checked = false;
};

struct RecordRequest {
    uint32_t slot = 0;
    /// By index in `Plan::inputs` and `Plan::outputs`.
    std::span<const HostResource> inputs, outputs;
    /// Limits of the slice; 0 for none.
    uint32_t max_steps = 0;
    double budget_us = 0;
    bool restart = false;
};

struct RecordProgress {
    /// Steps of which something was recorded begin at `first_step`; those before `end_step` are complete.
    uint32_t first_step = 0, end_step = 0, step_count = 0;
    bool finished = false;
    double estimated_us = 0;
};

/// Carries out one plan in command buffers of the host, in its frame: no submission, no wait, and once prepared no
/// allocation. Knows nothing of networks. The context must outlive it, and the host's work must be over when it dies.
/// For one thread at a time; recorders of one context may be prepared and recorded in different threads at once.
class Recorder {
public:
    /// `pack` gives the plan's packed weights; it is called once, while preparing. Every input of the plan is a
    /// sampled image or a buffer of the host's. Throws `OutOfMemory`.
    Recorder(Context& context, std::shared_ptr<const Plan> plan, RecorderOptions options,
             std::function<std::vector<uint8_t>()> pack);
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    /// Weights and the outputs that are kept.
    [[nodiscard]] MemoryRegion& persistent() { return persistent_; }
    [[nodiscard]] const MemoryRegion& persistent() const { return persistent_; }
    /// The arena; undefined between runs.
    [[nodiscard]] MemoryRegion& transient() { return transient_; }
    [[nodiscard]] const MemoryRegion& transient() const { return transient_; }
    [[nodiscard]] const Plan& plan() const { return *plan_; }

    /// Compiles pipelines and makes everything that recording needs. Both regions must be bound. `progress(done,
    /// total)` counts pipelines and returns false to stop; `prepare` then returns false and may be called again.
    bool prepare(const std::function<bool(size_t, size_t)>& progress);
    [[nodiscard]] bool prepared() const { return prepared_; }

    /// Weights to their place, and where the driver compiles at first dispatch, a dispatch of each pipeline.
    void record_setup(VkCommandBuffer commands);
    [[nodiscard]] bool set_up() const { return set_up_; }
    /// Frees what only the set-up needed.
    void finish_setup() { staging_ = {}; }

    /// Throws `NotReady` or `SlotInUse`; nothing is recorded then.
    RecordProgress record(VkCommandBuffer commands, const RecordRequest& request);

    /// Throws `SlotInUse` for a slot that `record` would refuse.
    void expect_free(uint32_t slot) const;
    /// What was recorded last with `slot` will never run: the slot is free, and the next recording begins a new run.
    void abandon(uint32_t slot);
    /// The set-up that was recorded will never run; it is due again.
    void forget_setup() { set_up_ = false; }

private:
    /// A dispatch with everything resolved but the host's resources.
    struct Ready {
        const Dispatch* dispatch = nullptr;
        const ShaderProgram* program = nullptr;
        VkPipeline pipeline = VK_NULL_HANDLE;
        std::vector<uint8_t> push;
        VkDescriptorSet internal_set = VK_NULL_HANDLE;
        /// One per slot where the dispatch touches the host's resources.
        std::vector<VkDescriptorSet> host_sets;
    };
    /// Where a run stands. A step that is longer than a slice is recorded in pieces: parts of each dispatch's grid.
    struct Cursor {
        size_t step = 0;
        uint32_t piece = 0;
        auto operator<=>(const Cursor&) const = default;
    };
    static constexpr uint32_t pieces_of_step = 64;
    struct Pieces {
        uint32_t first = 0, end = pieces_of_step;
        [[nodiscard]] double share() const { return static_cast<double>(end - first) / pieces_of_step; }
    };
    /// What [from, to) holds of a step that it touches.
    [[nodiscard]] static Pieces pieces(size_t step, Cursor from, Cursor to) {
        return {step == from.step ? from.piece : 0, step == to.step ? to.piece : pieces_of_step};
    }
    struct Slot {
        vk::Owned<VkEvent> event;
        bool recorded = false;
        /// The part of a run whose timestamps are on their way.
        Cursor timed_from, timed_to;
    };

    void resolve_dispatches();
    void make_slots();
    void fill_staging();
    void read_timestamps(uint32_t slot);
    [[nodiscard]] Cursor end_of_slice(const RecordRequest& request) const;
    [[nodiscard]] bool is_kept(size_t output) const { return options_.outputs[output] != OutputTarget::Buffer; }
    [[nodiscard]] BufferRange kept(size_t output) const;
    [[nodiscard]] HostPart host_part(const Dispatch& dispatch, uint32_t binding, const RecordRequest& request) const;
    void record_step(VkCommandBuffer commands, size_t step, Pieces pieces, const RecordRequest& request);
    void copy_to_images(VkCommandBuffer commands, const RecordRequest& request);
    void record_timestamp(VkCommandBuffer commands, uint32_t slot, size_t index);

    Context& context_;
    std::shared_ptr<const Plan> plan_;
    RecorderOptions options_;
    std::function<std::vector<uint8_t>()> pack_;
    std::vector<uint64_t> kept_offset_;
    MemoryRegion persistent_, transient_;
    vk::Owned<VkBufferView> texels_;
    vk::Buffer staging_;
    DescriptorSets sets_;
    std::vector<std::vector<Ready>> steps_;
    std::vector<double> step_us_;
    /// Steps that touch nothing of the host's: its promises hold for whole steps.
    std::vector<bool> divisible_;
    /// The first step that writes an output of the host's; from there on a run is not divided.
    size_t tail_ = 0;
    Cursor next_;
    std::vector<Slot> slots_;
    vk::Owned<VkQueryPool> queries_;
    bool prepared_ = false, set_up_ = false;
};

}  // namespace vkseg
