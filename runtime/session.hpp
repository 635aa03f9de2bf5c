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

    /// One run with GPU timestamps around each dispatch, from a recording of its own. Empty without timestamps.
    [[nodiscard]] std::vector<DispatchTime> profile();

    [[nodiscard]] uint64_t arena_capacity_bytes() const { return arena_.size_bytes(); }

private:
    void upload_weights(const Plan& plan, const std::function<std::vector<uint8_t>()>& pack);
    void reserve_memory(const Plan& plan);
    void reserve_host_buffers(std::vector<vk::Buffer>& buffers, const std::vector<HostBuffer>& wanted, bool output);
    [[nodiscard]] PlanMemory memory() const;
    [[nodiscard]] HostPart host_part(const Dispatch& dispatch, uint32_t binding) const;
    void record(VkCommandBuffer commands, VkQueryPool queries);
    void record_plan(VkCommandBuffer commands, VkQueryPool queries);
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
};

}  // namespace vkseg
