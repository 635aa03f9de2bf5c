#include "tests/runtime/small_networks.hpp"
#include "tests/support/vulkan_fixture.hpp"

namespace vkseg {
namespace {

using test::Compiled;
using test::expect_near;
using test::fp32_tolerance;
using test::small_network;

/// The memory of a discrete GPU, laid over a driver whose first type does everything: device memory that the host does
/// not see, coherent memory to write, cached memory to read that is not coherent. Validation still sees true calls.
struct DiscreteMemory {
    static inline PFN_vkGetInstanceProcAddr get = nullptr;
    static inline PFN_vkAllocateMemory allocate = nullptr;
    static inline PFN_vkGetBufferMemoryRequirements requirements = nullptr;
    static inline PFN_vkMapMemory map = nullptr;
    static inline PFN_vkInvalidateMappedMemoryRanges invalidate = nullptr;
    static inline PFN_vkCmdCopyBuffer copy = nullptr;
    static inline PFN_vkQueueSubmit submit = nullptr;
    static inline uint32_t true_type = 0;
    static inline std::vector<VkDeviceMemory> device_memory;
    static inline int invalidations = 0, copies = 0;
    static inline bool loses_submit = false, lacks_staging = false;

    static constexpr VkMemoryPropertyFlags types[] = {
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
    };

    static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_proc(VkInstance instance, const char* name) {
        if (std::strcmp(name, "vkGetPhysicalDeviceMemoryProperties") == 0)
            return reinterpret_cast<PFN_vkVoidFunction>(get_properties);
        return get(instance, name);
    }
    static VKAPI_ATTR void VKAPI_CALL get_properties(VkPhysicalDevice, VkPhysicalDeviceMemoryProperties* properties) {
        *properties = {};
        properties->memoryHeapCount = 2;
        properties->memoryHeaps[0] = {uint64_t{2} << 30, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
        properties->memoryHeaps[1] = {uint64_t{2} << 30, 0};
        for (VkMemoryPropertyFlags flags : types) {
            const uint32_t i = properties->memoryTypeCount++;
            properties->memoryTypes[i] = {flags, i == 0 ? 0u : 1u};
        }
    }
    static VKAPI_ATTR void VKAPI_CALL get_requirements(VkDevice device, VkBuffer buffer, VkMemoryRequirements* needs) {
        requirements(device, buffer, needs);
        needs->memoryTypeBits = 7;
    }
    static VKAPI_ATTR VkResult VKAPI_CALL allocate_memory(VkDevice device, const VkMemoryAllocateInfo* info,
                                                          const VkAllocationCallbacks* allocator,
                                                          VkDeviceMemory* memory) {
        if (lacks_staging && info->memoryTypeIndex == 1) return VK_ERROR_OUT_OF_HOST_MEMORY;
        VkMemoryAllocateInfo true_info = *info;
        true_info.memoryTypeIndex = true_type;
        const VkResult result = allocate(device, &true_info, allocator, memory);
        if (info->memoryTypeIndex == 0) device_memory.push_back(*memory);
        return result;
    }
    static VKAPI_ATTR VkResult VKAPI_CALL map_memory(VkDevice device, VkDeviceMemory memory, VkDeviceSize offset,
                                                     VkDeviceSize size, VkMemoryMapFlags flags, void** data) {
        EXPECT_EQ(std::ranges::count(device_memory, memory), 0) << "the host does not see this memory";
        return map(device, memory, offset, size, flags, data);
    }
    static VKAPI_ATTR VkResult VKAPI_CALL invalidate_ranges(VkDevice device, uint32_t count,
                                                            const VkMappedMemoryRange* ranges) {
        ++invalidations;
        return invalidate(device, count, ranges);
    }
    static VKAPI_ATTR void VKAPI_CALL copy_buffer(VkCommandBuffer commands, VkBuffer source, VkBuffer target,
                                                  uint32_t count, const VkBufferCopy* regions) {
        ++copies;
        copy(commands, source, target, count, regions);
    }
    static VKAPI_ATTR VkResult VKAPI_CALL submit_or_lose(VkQueue queue, uint32_t count, const VkSubmitInfo* submits,
                                                         VkFence fence) {
        return loses_submit ? VK_ERROR_DEVICE_LOST : submit(queue, count, submits, fence);
    }
    static void install(vk::DeviceTable& table) {
        device_memory.clear();
        invalidations = copies = 0;
        loses_submit = lacks_staging = false;
        allocate = std::exchange(table.AllocateMemory, allocate_memory);
        requirements = std::exchange(table.GetBufferMemoryRequirements, get_requirements);
        map = std::exchange(table.MapMemory, map_memory);
        invalidate = std::exchange(table.InvalidateMappedMemoryRanges, invalidate_ranges);
        copy = std::exchange(table.CmdCopyBuffer, copy_buffer);
        submit = std::exchange(table.QueueSubmit, submit_or_lose);
    }
};

class MemoryTypes : public test::EachDriver {
protected:
    void SetUp() override {
        EachDriver::SetUp();
        if (IsSkipped()) return;
        constexpr VkMemoryPropertyFlags everything = 0xf;
        const VkPhysicalDeviceMemoryProperties& memory = context().memory();
        uint32_t type = 0;
        while (type < memory.memoryTypeCount && (memory.memoryTypes[type].propertyFlags & everything) != everything)
            ++type;
        if (type == memory.memoryTypeCount) GTEST_SKIP() << "no memory type to lay others over";
        DiscreteMemory::true_type = type;
        DiscreteMemory::get = library_->get_instance_proc_addr();
        HostDevice host;
        host.get_instance_proc_addr = DiscreteMemory::get_proc;
        host.instance = context().instance().get();
        host.api_version = context().instance().api_version();
        host.physical_device = context().physical().handle;
        host.device = context().device();
        host.queue = context().queue();
        host.queue_family = context().physical().queue_family;
        host.features = context().physical().features;
        ContextOptions options;
        options.disk_cache = false;
        options.intercept = DiscreteMemory::install;
        discrete_ = std::make_unique<Context>(host, options);
    }
    Context& discrete() { return *discrete_; }

private:
    std::shared_ptr<vk::Library> library_ = vk::Library::open();
    std::unique_ptr<Context> discrete_;
};

TEST_P(MemoryTypes, WeightsGoThroughStagingOnce) {
    EXPECT_FALSE(discrete().facts().unified_memory);
    Session session(discrete());
    const Compiled small(small_network(21, 13), discrete().facts()), large(small_network(40, 30), discrete().facts());
    for (const Compiled* compiled : {&small, &large, &small}) {
        compiled->activate(session);
        expect_near(compiled->run(session), compiled->expected(), fp32_tolerance);
    }
    EXPECT_EQ(DiscreteMemory::copies, 1);
    // The first size's activations and weights, then the larger activations.
    EXPECT_EQ(DiscreteMemory::device_memory.size(), 3u);
}

TEST_P(MemoryTypes, CachedOutputsAreInvalidatedAfterEachRun) {
    Session session(discrete());
    const Compiled compiled(small_network(21, 13), discrete().facts());
    compiled.activate(session);
    EXPECT_EQ(DiscreteMemory::invalidations, 0);
    session.run();
    session.run();
    EXPECT_EQ(DiscreteMemory::invalidations, 2);
}

TEST_P(MemoryTypes, ADeviceLostWhileUploadingIsNoHang) {
    Session session(discrete());
    const Compiled compiled(small_network(21, 13), discrete().facts());
    DiscreteMemory::loses_submit = true;
    EXPECT_THROW(compiled.activate(session), DeviceLost);
}

TEST_P(MemoryTypes, AnUploadThatFailedIsDoneAgain) {
    Session session(discrete());
    const Compiled compiled(small_network(21, 13), discrete().facts());
    compiled.activate(session);
    test::Builder builder;
    builder.output(builder.conv("other", builder.input(3, 13, 21), 4));
    const Compiled other(builder.graph, discrete().facts());
    DiscreteMemory::lacks_staging = true;
    EXPECT_THROW(other.activate(session), OutOfMemory);
    DiscreteMemory::lacks_staging = false;
    // The first network's weights were given up for those that never came.
    for (const Compiled* next : {&compiled, &other}) {
        next->activate(session);
        expect_near(next->run(session), next->expected(), fp32_tolerance);
    }
}

INSTANTIATE_TEST_SUITE_P(, MemoryTypes, test::each_driver(), test::driver_name);

}  // namespace
}  // namespace vkseg
