#include "apps/vkseg/driver_clock.hpp"

#include <ctime>
#include <utility>

namespace vkseg::app {

namespace {

thread_local double spent_us = 0;
bool installed = false;

class Spell {
public:
    ~Spell() { spent_us += thread_cpu_us() - start_; }

private:
    double start_ = thread_cpu_us();
};

template <auto Member, typename Function>
struct Timed;
template <auto Member, typename Result, typename... Arguments>
struct Timed<Member, Result(VKAPI_PTR*)(Arguments...)> {
    static inline Result(VKAPI_PTR* next)(Arguments...) = nullptr;
    static VKAPI_ATTR Result VKAPI_CALL call(Arguments... arguments) {
        const Spell spell;
        return next(arguments...);
    }
    static bool fits(const vk::DeviceTable& table) { return next == nullptr || table.*Member == next; }
    static void install(vk::DeviceTable& table) { next = std::exchange(table.*Member, call); }
};

template <auto... Members>
struct TimedFunctions {
    template <auto Member>
    using One = Timed<Member, std::remove_reference_t<decltype(std::declval<vk::DeviceTable&>().*Member)>>;

    static void install(vk::DeviceTable& table) {
        if (!(One<Members>::fits(table) && ...)) return;
        (One<Members>::install(table), ...);
        installed = true;
    }
};

/// What `Session::run` calls.
using RunFunctions =
    TimedFunctions<&vk::DeviceTable::ResetFences, &vk::DeviceTable::QueueSubmit, &vk::DeviceTable::WaitForFences,
                   &vk::DeviceTable::InvalidateMappedMemoryRanges, &vk::DeviceTable::GetQueryPoolResults>;

}  // namespace

double thread_cpu_us() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

void DriverClock::install(vk::DeviceTable& table) {
    RunFunctions::install(table);
}

double DriverClock::take_us() {
    const double spent = std::exchange(spent_us, 0.0);
    return installed ? spent : -1;
}

}  // namespace vkseg::app
