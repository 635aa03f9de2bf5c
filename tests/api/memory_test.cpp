#include "tests/api/door_host.hpp"

namespace vkseg::test {
namespace {

class DoorMemory : public Door {
protected:
    [[nodiscard]] static vkseg_segmenter_info info_of(vkseg_segmenter* segmenter) {
        vkseg_segmenter_info info{};
        info.struct_size = sizeof info;
        EXPECT_EQ(vkseg_segmenter_get_info(segmenter, &info), VKSEG_SUCCESS) << vkseg_last_error();
        return info;
    }
    void set_up(Frame& frame, const vkseg_memory_binding& binding) {
        ASSERT_EQ(vkseg_segmenter_bind_memory(frame.segmenter(), &binding), VKSEG_SUCCESS) << vkseg_last_error();
        ASSERT_EQ(vkseg_segmenter_prepare(frame.segmenter(), nullptr, nullptr), VKSEG_SUCCESS) << vkseg_last_error();
        host().run([&](VkCommandBuffer commands) {
            ASSERT_EQ(vkseg_segmenter_record_setup(frame.segmenter(), commands), VKSEG_SUCCESS) << vkseg_last_error();
        });
    }
    /// Memory of an allowed type, `size` bytes behind `offset`.
    [[nodiscard]] vk::Owned<VkDeviceMemory> allocate(const vkseg_memory_needs& needs, VkDeviceSize offset) {
        const Context& device = context();
        VkMemoryAllocateFlagsInfo flags{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO};
        flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
        VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
        if (needs.device_address != 0) info.pNext = &flags;
        info.allocationSize = needs.size + offset;
        while ((needs.memory_type_bits >> info.memoryTypeIndex & 1) == 0) ++info.memoryTypeIndex;
        VkDeviceMemory memory = VK_NULL_HANDLE;
        vk::check(device.table().AllocateMemory(device.device(), &info, nullptr, &memory), "allocate");
        return {device.device(), memory, device.table().FreeMemory};
    }
    [[nodiscard]] std::map<int, std::vector<uint8_t>> expected(vkseg_context* context) const {
        return standalone(context, model(), small_desc(VKSEG_HOST_MEMORY, 31), noise_picture());
    }
};

TEST_P(DoorMemory, TheHostsBuffersMayBeOverwrittenBetweenRuns) {
    const auto context = host().make_context();
    Frame frame(host(), context.get(), model(), small_desc(VKSEG_IMAGE, 31), noise_picture(), false);
    const vkseg_segmenter_info info = info_of(frame.segmenter());
    const Context& device = this->context();
    constexpr VkDeviceSize gap = 4096;
    const vk::Buffer persistent(device, "persistent", info.persistent.size + gap, info.persistent.usage,
                                vk::MemoryUse::Device);
    const vk::Buffer transient(device, "transient", info.transient.size + gap, info.transient.usage,
                               vk::MemoryUse::Device);
    vkseg_memory_binding binding{};
    binding.struct_size = sizeof binding;
    binding.persistent = {persistent.get(), VK_NULL_HANDLE, gap};
    binding.transient = {transient.get(), VK_NULL_HANDLE, gap};
    set_up(frame, binding);
    const auto wanted = expected(context.get());
    for (int i = 0; i < 3; ++i) {
        frame.record_desc().max_steps = static_cast<uint32_t>(i) * 5;
        frame.finish();
        EXPECT_EQ(frame.results(), wanted);
        host().run([&](VkCommandBuffer commands) {
            device.table().CmdFillBuffer(commands, transient.get(), 0, VK_WHOLE_SIZE, 0x7fc00000u);  // NaNs
        });
    }
}

TEST_P(DoorMemory, TheHostsMemoryAtAnOffset) {
    const auto context = host().make_context();
    Frame frame(host(), context.get(), model(), small_desc(VKSEG_BUFFER, 31), noise_picture(), false);
    const vkseg_segmenter_info info = info_of(frame.segmenter());
    const VkDeviceSize offset = info.transient.alignment * 3;
    const auto memory = allocate(info.transient, offset);
    vkseg_memory_binding binding{};
    binding.struct_size = sizeof binding;
    binding.transient = {VK_NULL_HANDLE, memory.get(), offset};
    set_up(frame, binding);
    frame.finish();
    EXPECT_EQ(frame.results(), expected(context.get()));
}

TEST_P(DoorMemory, TheHostsAllocateCallback) {
    const auto context = host().make_context();
    struct State {
        std::vector<vk::Owned<VkDeviceMemory>> memory;
        std::function<vk::Owned<VkDeviceMemory>(const vkseg_memory_needs&)> allocate;
    } state;
    state.allocate = [&](const vkseg_memory_needs& needs) { return allocate(needs, 0); };
    {
        Frame frame(host(), context.get(), model(), small_desc(VKSEG_BUFFER, 31), noise_picture(), false);
        vkseg_memory_binding binding{};
        binding.struct_size = sizeof binding;
        binding.user = &state;
        binding.allocate = [](void*, const vkseg_memory_needs*, vkseg_memory*) {
            return VKSEG_ERROR_OUT_OF_DEVICE_MEMORY;
        };
        EXPECT_EQ(vkseg_segmenter_bind_memory(frame.segmenter(), &binding), VKSEG_ERROR_OUT_OF_DEVICE_MEMORY);
        binding.allocate = [](void* user, const vkseg_memory_needs* needs, vkseg_memory* memory) {
            auto& own = *static_cast<State*>(user);
            own.memory.push_back(own.allocate(*needs));
            memory->memory = own.memory.back().get();
            return VKSEG_SUCCESS;
        };
        set_up(frame, binding);
        EXPECT_EQ(state.memory.size(), 2u);
        frame.finish();
        EXPECT_EQ(frame.results(), expected(context.get()));
    }
}

TEST_P(DoorMemory, AnUnalignedOffsetIsRefused) {
    const auto context = host().make_context();
    Frame frame(host(), context.get(), model(), small_desc(VKSEG_BUFFER, 1), noise_picture(), false);
    const auto memory = allocate(info_of(frame.segmenter()).persistent, 64);
    vkseg_memory_binding binding{};
    binding.struct_size = sizeof binding;
    binding.persistent = {VK_NULL_HANDLE, memory.get(), 4};
    EXPECT_EQ(vkseg_segmenter_bind_memory(frame.segmenter(), &binding), VKSEG_ERROR_INVALID_ARGUMENT);
    EXPECT_NE(std::string(vkseg_last_error()).find("multiple of"), std::string::npos) << vkseg_last_error();
}

INSTANTIATE_TEST_SUITE_P(, DoorMemory, each_driver(), driver_name);

}  // namespace
}  // namespace vkseg::test
