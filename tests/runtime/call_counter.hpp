#pragma once

#include "runtime/vk/tables.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace vkseg::test {

/// Counts the calls of every core device function. One context at a time in a process can have its table counted.
class CallCounter {
public:
    /// For ContextOptions::intercept.
    static void install(vk::DeviceTable& table) {
        entries().clear();
#define VKSEG_COUNT(name) Counted<&vk::DeviceTable::name, PFN_vk##name>::install(table, #name);
        VKSEG_DEVICE_FUNCTIONS(VKSEG_COUNT)
#undef VKSEG_COUNT
    }

    /// Functions called since the last `take`, with how often.
    static std::map<std::string, int> take() {
        std::map<std::string, int> calls;
        for (const Entry& entry : entries())
            if (const int count = entry.calls->exchange(0); count != 0) calls[entry.name] = count;
        return calls;
    }

private:
    struct Entry {
        std::string name;
        std::atomic<int>* calls;
    };

    static std::vector<Entry>& entries() {
        static std::vector<Entry> entries;
        return entries;
    }

    template <auto Member, typename Function>
    struct Counted;
    template <auto Member, typename Result, typename... Arguments>
    struct Counted<Member, Result(VKAPI_PTR*)(Arguments...)> {
        static inline Result(VKAPI_PTR* next)(Arguments...) = nullptr;
        static inline std::atomic<int> calls = 0;
        static VKAPI_ATTR Result VKAPI_CALL call(Arguments... arguments) {
            ++calls;
            return next(arguments...);
        }
        static void install(vk::DeviceTable& table, const char* name) {
            next = table.*Member;
            table.*Member = call;
            calls = 0;
            entries().push_back({name, &calls});
        }
    };
};

}  // namespace vkseg::test
