#pragma once

#include "runtime/vk/tables.hpp"

#include <atomic>
#include <string_view>
#include <type_traits>

namespace vkseg::test {

/// Makes one call of a device fail that is allowed to run out of memory, and counts the objects that are alive.
/// One context at a time in a process can have its table changed.
class FailingCalls {
public:
    /// For ContextOptions::intercept.
    static void install(vk::DeviceTable& table) {
        live_ = 0;
        succeed();
#define VKSEG_FAIL(name) Wrapped<&vk::DeviceTable::name, PFN_vk##name>::install(table, #name);
        VKSEG_DEVICE_FUNCTIONS(VKSEG_FAIL)
#undef VKSEG_FAIL
    }

    /// The call after `calls` more runs out of memory.
    static void fail_after(int calls, VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY) {
        result_ = result;
        failed_ = nullptr;
        calls_left_ = calls + 1;
    }
    static void succeed() {
        failed_ = nullptr;
        calls_left_ = 0;
    }
    /// Name of the function that failed since, "" for none.
    [[nodiscard]] static std::string_view failed() {
        const char* name = failed_;
        return name == nullptr ? "" : name;
    }
    /// Objects and memory made and not yet destroyed.
    [[nodiscard]] static int live_objects() {
        return live_;
    }

private:
    static inline std::atomic<int> calls_left_ = 0, live_ = 0;
    static inline std::atomic<const char*> failed_ = nullptr;
    static inline VkResult result_ = VK_ERROR_OUT_OF_DEVICE_MEMORY;

    static bool fails_now(const char* name) {
        if (calls_left_ <= 0 || --calls_left_ != 0) return false;
        failed_ = name;
        return true;
    }

    template <auto Member, typename Function>
    struct Wrapped;

    /// Functions that may fail.
    template <auto Member, typename... Arguments>
    struct Wrapped<Member, VkResult(VKAPI_PTR*)(Arguments...)> {
        static inline VkResult(VKAPI_PTR* next)(Arguments...) = nullptr;
        static inline const char* name = "";
        static inline bool makes = false, ends = false;
        static VKAPI_ATTR VkResult VKAPI_CALL call(Arguments... arguments) {
            const bool fails = fails_now(name);
            // What ends a recording, or waits, has happened even when it says that memory ran out.
            if (fails && !ends) return result_;
            const VkResult result = next(arguments...);
            if (makes && result == VK_SUCCESS) ++live_;
            return fails ? result_ : result;
        }
        static void install(vk::DeviceTable& table, const char* function) {
            name = function;
            const std::string_view text = function;
            // What a pool gives goes with the pool.
            makes = text.starts_with("Create") || text == "AllocateMemory";
            ends = text == "EndCommandBuffer" || text == "WaitForFences";
            next = table.*Member;
            table.*Member = call;
        }
    };

    /// Functions that destroy; others are left alone.
    template <auto Member, typename Handle>
    struct Wrapped<Member, void(VKAPI_PTR*)(VkDevice, Handle, const VkAllocationCallbacks*)> {
        static inline void(VKAPI_PTR* next)(VkDevice, Handle, const VkAllocationCallbacks*) = nullptr;
        static VKAPI_ATTR void VKAPI_CALL call(VkDevice device, Handle handle, const VkAllocationCallbacks* allocator) {
            if (handle != VK_NULL_HANDLE) --live_;
            next(device, handle, allocator);
        }
        static void install(vk::DeviceTable& table, const char*) {
            next = table.*Member;
            table.*Member = call;
        }
    };

    template <auto Member, typename... Arguments>
    struct Wrapped<Member, void(VKAPI_PTR*)(Arguments...)> {
        static void install(vk::DeviceTable&, const char*) {}
    };
};

}  // namespace vkseg::test
