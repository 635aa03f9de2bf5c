#pragma once

#include "runtime/api/c_objects.hpp"
#include "runtime/api/model_loader.hpp"
#include "runtime/vk/buffer.hpp"
#include "tests/support/vulkan_fixture.hpp"

#include <map>
#include <random>

// A host program of the C interface. Its device is the test's own context, so that the validation layer watches.

namespace vkseg::test {

struct Destroy {
    void operator()(vkseg_context* p) const { vkseg_context_destroy(p); }
    void operator()(vkseg_model* p) const { vkseg_model_destroy(p); }
    void operator()(vkseg_segmenter* p) const { vkseg_segmenter_destroy(p); }
};
using ContextHandle = std::unique_ptr<vkseg_context, Destroy>;
using ModelHandle = std::unique_ptr<vkseg_model, Destroy>;
using SegmenterHandle = std::unique_ptr<vkseg_segmenter, Destroy>;

/// The fewest layers that ESPNet has, with made-up weights.
[[nodiscard]] std::vector<uint8_t> bake_small_network();

/// A host's image with memory and a view.
class HostImage {
public:
    HostImage(const Context& context, VkFormat format, uint32_t width, uint32_t height);
    ~HostImage();
    HostImage(const HostImage&) = delete;
    HostImage& operator=(const HostImage&) = delete;
    [[nodiscard]] VkImage get() const { return image_; }
    [[nodiscard]] VkImageView view() const { return view_; }

private:
    template <typename Function>
    Function load(const char* name) const {
        return reinterpret_cast<Function>(context_.instance_table().GetDeviceProcAddr(context_.device(), name));
    }
    const Context& context_;
    VkImage image_ = VK_NULL_HANDLE;
    VkImageView view_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
};

/// What the host does on its own: command buffers, copies, submissions.
class DoorHost {
public:
    explicit DoorHost(Context& context);

    [[nodiscard]] vkseg_context_desc context_desc() const;
    [[nodiscard]] ContextHandle make_context(uint32_t flags = 0) const;
    [[nodiscard]] Context& device() const { return context_; }

    /// Records with `body` and waits until it has run.
    void run(const std::function<void(VkCommandBuffer)>& body);
    /// Into SHADER_READ_ONLY_OPTIMAL.
    void upload(const HostImage& image, std::span<const uint8_t> bytes, uint32_t width, uint32_t height);
    /// From TRANSFER_SRC_OPTIMAL.
    [[nodiscard]] std::vector<uint8_t> download(const HostImage& image, uint32_t width, uint32_t height,
                                                uint32_t texel_bytes);
    [[nodiscard]] vk::Buffer make_buffer(uint64_t size_bytes) const;
    [[nodiscard]] std::vector<uint8_t> read(const vk::Buffer& buffer, uint64_t size_bytes) const;

private:
    Context& context_;
    std::shared_ptr<vk::Library> library_ = vk::Library::open();
    vk::Owned<VkCommandPool> pool_;
    VkCommandBuffer commands_ = VK_NULL_HANDLE;
    vk::Owned<VkFence> fence_;
};

constexpr uint32_t picture_width = 61, picture_height = 45, network_width = 64, network_height = 48;

/// RGBA8 noise.
[[nodiscard]] std::vector<uint8_t> noise_picture();
/// Of that picture; network at 64x48.
[[nodiscard]] vkseg_segmenter_desc small_desc(vkseg_place place, uint32_t outputs);
[[nodiscard]] SegmenterHandle make_segmenter(vkseg_context* context, const vkseg_model* model,
                                             const vkseg_segmenter_desc& desc);

/// A segmenter with everything that one frame of it needs: picture and outputs in images or in buffers.
class Frame {
public:
    /// `format`: of the picture. Bound, prepared and set up, unless `ready` is false.
    Frame(DoorHost& host, vkseg_context* context, const vkseg_model* model, vkseg_segmenter_desc desc,
          std::span<const uint8_t> picture, bool ready = true);

    [[nodiscard]] vkseg_segmenter* segmenter() const { return segmenter_.get(); }
    [[nodiscard]] vkseg_record_desc& record_desc() { return record_; }
    /// One recording, run to its end.
    vkseg_progress advance();
    /// Whole runs of as many slices as it takes; returns how many.
    int finish();
    /// Bytes of the outputs that were asked for.
    [[nodiscard]] std::map<int, std::vector<uint8_t>> results();

private:
    DoorHost& host_;
    vkseg_segmenter_desc desc_;
    SegmenterHandle segmenter_;
    std::unique_ptr<HostImage> picture_image_;
    vk::Buffer picture_buffer_;
    std::map<int, std::unique_ptr<HostImage>> images_;
    std::map<int, vk::Buffer> buffers_;
    vkseg_record_desc record_{};
};

/// What vkseg_segmenter_run gives for the same.
[[nodiscard]] std::map<int, std::vector<uint8_t>> standalone(vkseg_context* context, const vkseg_model* model,
                                                             vkseg_segmenter_desc desc,
                                                             std::span<const uint8_t> picture);

class Door : public EachDriver {
protected:
    void SetUp() override;
    void TearDown() override;
    [[nodiscard]] DoorHost& host() { return *host_; }
    [[nodiscard]] const vkseg_model* model() const { return model_.get(); }

private:
    std::unique_ptr<DoorHost> host_;
    ModelHandle model_;
};

}  // namespace vkseg::test
