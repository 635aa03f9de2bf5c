#pragma once

#include "graph/plan/plan.hpp"
#include "runtime/breadcrumbs.hpp"
#include "runtime/context.hpp"
#include "runtime/recording.hpp"
#include "runtime/vk/buffer.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vkseg {

struct DispatchTime {
    std::string label;
    ShaderId shader{};
    uint64_t nanoseconds = 0;
    /// Since the first dispatch of the run began.
    uint64_t start_nanoseconds = 0;
};

/// What the last `set_plan` took, on the wall.
struct SetUpTimes {
    double pipelines_ms = 0;
    /// Packing them included; 0 when those that were there would do.
    double weights_ms = 0;
    double memory_ms = 0;
    double record_ms = 0;
};

/// What a session holds on the device.
struct SessionMemory {
    uint64_t activations_bytes = 0;
    uint64_t weights_bytes = 0;
    /// Inputs and outputs, in memory that the host maps.
    uint64_t host_bytes = 0;
};

/// Carries out plans on a context: memory bound once, commands recorded once, then replayed. It knows nothing of
/// networks. Plans of one set of weights may follow each other (sizes); memory only grows, and going back to a plan
/// that was seen before only records again. For one thread at a time; the context must outlive it.
class Session {
public:
    explicit Session(Context& context);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Makes `plan` the one that runs. `pack` gives the packed weights; it is called when they differ from those
    /// uploaded. Throws `OutOfMemory`, `Error` (a shader that does not compile) or `DeviceLost`.
    void set_plan(std::shared_ptr<const Plan> plan, const std::function<std::vector<uint8_t>()>& pack);

    /// The host's memory of an input or output of the current plan; valid until the next `set_plan`. Inputs keep their
    /// bytes between runs.
    [[nodiscard]] std::span<uint8_t> input(size_t index) const;
    [[nodiscard]] std::span<const uint8_t> output(size_t index) const;

    /// One submission; returns when the outputs are there. Allocates nothing. Throws `DeviceLost`.
    void run();

    /// From now on, every run takes two timestamps, before its first and after its last command. No effect on devices
    /// without timestamps.
    void time_runs(bool on);
    /// Device time of the last run; 0 unless it was timed.
    [[nodiscard]] uint64_t run_nanoseconds() const { return run_nanoseconds_; }
    /// One run with GPU timestamps around each dispatch, from a recording of its own. Empty without timestamps.
    [[nodiscard]] std::vector<DispatchTime> profile();
    /// One run, each step submitted alone and waited for: nanoseconds on the wall per step. What is left to do on
    /// drivers without timestamps; a submission costs far more than a barrier.
    [[nodiscard]] std::vector<uint64_t> profile_steps();

    /// Records the current plan anew, as a change of size does.
    void record_again();
    [[nodiscard]] const Plan& plan() const { return *plan_; }
    [[nodiscard]] const SetUpTimes& set_up_times() const { return set_up_times_; }
    [[nodiscard]] SessionMemory memory_use() const;
    [[nodiscard]] uint64_t arena_capacity_bytes() const { return arena_.size_bytes(); }

private:
    /// Where timestamps are taken, if anywhere.
    struct Timestamps {
        VkQueryPool pool = VK_NULL_HANDLE;
        bool around_dispatches = false;
    };
    void upload_weights(const Plan& plan, const std::function<std::vector<uint8_t>()>& pack);
    void reserve_memory(const Plan& plan);
    void reserve_host_buffers(std::vector<vk::Buffer>& buffers, const std::vector<HostBuffer>& wanted, bool output);
    [[nodiscard]] PlanMemory memory() const;
    [[nodiscard]] HostPart host_part(const Dispatch& dispatch, uint32_t binding) const;
    void record(VkCommandBuffer commands, const Timestamps& timestamps);
    void record_plan(VkCommandBuffer commands, const Timestamps& timestamps);
    void record_start(VkCommandBuffer commands);
    void record_step_barrier(VkCommandBuffer commands);
    void record_end(VkCommandBuffer commands);
    [[nodiscard]] vk::Owned<VkQueryPool> make_timestamps(uint32_t count) const;
    /// Nanoseconds from the first of them.
    [[nodiscard]] std::vector<uint64_t> read_timestamps(VkQueryPool pool, uint32_t count) const;
    void record_dispatch(VkCommandBuffer commands, const Dispatch& dispatch, uint32_t index);
    void submit_and_wait(VkCommandBuffer commands);
    /// Of the current plan, naming the layer when the device is lost.
    void replay(VkCommandBuffer commands);
    [[nodiscard]] std::string last_dispatch_begun() const;

    Context& context_;
    std::shared_ptr<const Plan> plan_;
    std::vector<PackedWeight> uploaded_;
    vk::Buffer arena_, weights_;
    Breadcrumbs breadcrumbs_;
    vk::Owned<VkBufferView> view_fp32_, view_fp16_;
    std::vector<vk::Buffer> inputs_, outputs_;
    DescriptorSets sets_;
    vk::Owned<VkCommandPool> command_pool_;
    VkCommandBuffer commands_ = VK_NULL_HANDLE, side_commands_ = VK_NULL_HANDLE;
    vk::Owned<VkFence> fence_;
    vk::Owned<VkQueryPool> run_ends_;
    uint64_t run_nanoseconds_ = 0;
    SetUpTimes set_up_times_;
};

}  // namespace vkseg
