// vkseg for C++17: owners, exceptions and spans over the C interface, in this header alone.
//
//     namespace seg = vkseg::v1;
//     seg::ContextDesc device;             // struct_size is set, everything else is zero
//     device.device_name = "radeon";
//     seg::Context context(device);
//     seg::Model model("espnet.vkseg");
//     seg::SegmenterDesc wanted;
//     ...
//     seg::Segmenter segmenter(context, model, wanted);
//
// Objects are moved, not copied, and may be destroyed in any order; an object that was moved from can only be assigned
// and destroyed. A failure throws Error. Structures, constants and callbacks are those of vkseg.h, which says what each
// means.
//
// The namespace is vkseg::v1, after VKSEG_API_VERSION, and not inline: the library's own C++ lives in namespace vkseg
// and has a Context, a Model and an Error too. Programs that see both (its tests, or a static link) would find such
// names ambiguous in an inline namespace, and two classes of one mangled name in a plain one.
#ifndef VKSEG_VKSEG_HPP
#define VKSEG_VKSEG_HPP

#include <vkseg/vkseg.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace vkseg::v1 {

/// A code, and the sentence of vkseg_last_error().
class Error : public std::runtime_error {
public:
    Error(vkseg_result code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
    [[nodiscard]] vkseg_result code() const noexcept { return code_; }

private:
    vkseg_result code_;
};

inline void check(vkseg_result result) {
    if (result != VKSEG_SUCCESS) throw Error(result, vkseg_last_error());
}

/// A C structure with its struct_size set and the rest zero.
template <typename T>
struct Sized : T {
    Sized() noexcept : T{} { this->struct_size = sizeof(T); }
};
using ContextDesc = Sized<vkseg_context_desc>;
using ContextInfo = Sized<vkseg_context_info>;
using ModelInfo = Sized<vkseg_model_info>;
using SegmenterDesc = Sized<vkseg_segmenter_desc>;
using SegmenterInfo = Sized<vkseg_segmenter_info>;
using MemoryBinding = Sized<vkseg_memory_binding>;
using RecordDesc = Sized<vkseg_record_desc>;
using Progress = Sized<vkseg_progress>;
using SubmitDesc = Sized<vkseg_submit_desc>;
using RunDesc = Sized<vkseg_run_desc>;

/// std::span of C++20: converts from anything contiguous, such as std::vector, std::array, std::string and std::span.
template <typename T>
class Span {
public:
    constexpr Span() noexcept = default;
    constexpr Span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <typename Container, typename Element = std::remove_pointer_t<decltype(std::declval<Container&>().data())>,
              typename = std::enable_if_t<std::is_convertible_v<Element (*)[], T (*)[]>>>
    constexpr Span(Container&& container) noexcept : data_(container.data()), size_(container.size()) {}
    [[nodiscard]] constexpr T* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail {

template <typename T, void (*destroy)(T*)>
struct Destroy {
    void operator()(T* object) const noexcept { destroy(object); }
};
template <typename T, void (*destroy)(T*)>
using Handle = std::unique_ptr<T, Destroy<T, destroy>>;

/// Calls `create` with a place for the object, and owns what it put there.
template <typename T, void (*destroy)(T*), typename Create>
Handle<T, destroy> make(const Create& create) {
    T* object = nullptr;
    check(create(&object));
    return Handle<T, destroy>(object);
}

}  // namespace detail

class Context {
public:
    explicit Context(const ContextDesc& desc = {})
        : handle_(detail::make<vkseg_context, vkseg_context_destroy>(
              [&](vkseg_context** context) { return vkseg_context_create(&desc, context); })) {}
    [[nodiscard]] ContextInfo info() const {
        ContextInfo info;
        check(vkseg_context_get_info(get(), &info));
        return info;
    }
    /// To be kept, and given to a later context as ContextDesc::cache and cache_size.
    [[nodiscard]] std::vector<std::uint8_t> cache() {
        std::vector<std::uint8_t> data;
        // What other threads compile in between makes the blob larger.
        for (;;) {
            std::size_t size = 0;
            check(vkseg_context_get_cache(get(), nullptr, &size));
            data.resize(size);
            const vkseg_result result = vkseg_context_get_cache(get(), data.data(), &size);
            if (result == VKSEG_ERROR_INVALID_ARGUMENT && size > data.size()) continue;
            check(result);
            data.resize(size);
            return data;
        }
    }
    [[nodiscard]] vkseg_context* get() const noexcept { return handle_.get(); }

private:
    detail::Handle<vkseg_context, vkseg_context_destroy> handle_;
};

class Model {
public:
    explicit Model(const char* path)
        : handle_(detail::make<vkseg_model, vkseg_model_destroy>(
              [&](vkseg_model** model) { return vkseg_model_load_file(path, model); })) {}
    explicit Model(const std::string& path) : Model(path.c_str()) {}
    explicit Model(Span<const std::uint8_t> bytes)
        : handle_(detail::make<vkseg_model, vkseg_model_destroy>(
              [&](vkseg_model** model) { return vkseg_model_load(bytes.data(), bytes.size(), model); })) {}
    [[nodiscard]] ModelInfo info() const {
        ModelInfo info;
        check(vkseg_model_get_info(get(), &info));
        return info;
    }
    [[nodiscard]] const char* class_name(std::uint32_t index) const { return vkseg_model_class_name(get(), index); }
    [[nodiscard]] std::uint32_t class_colour(std::uint32_t index) const {
        return vkseg_model_class_colour(get(), index);
    }
    [[nodiscard]] vkseg_model* get() const noexcept { return handle_.get(); }

private:
    detail::Handle<vkseg_model, vkseg_model_destroy> handle_;
};

class Segmenter {
public:
    Segmenter(Context& context, const Model& model, const SegmenterDesc& desc)
        : handle_(detail::make<vkseg_segmenter, vkseg_segmenter_destroy>([&](vkseg_segmenter** segmenter) {
              return vkseg_segmenter_create(context.get(), model.get(), &desc, segmenter);
          })) {}
    [[nodiscard]] SegmenterInfo info() const {
        SegmenterInfo info;
        check(vkseg_segmenter_get_info(get(), &info));
        return info;
    }
    void bind_memory(const MemoryBinding& binding = {}) { check(vkseg_segmenter_bind_memory(get(), &binding)); }
    void prepare() { check(vkseg_segmenter_prepare(get(), nullptr, nullptr)); }
    /// `go_on(done, total)` says whether to compile the next; false is returned when it said no. It may throw.
    template <typename GoOn>
    bool prepare(GoOn go_on) {
        struct State {
            GoOn& go_on;
            bool stopped = false;
            std::exception_ptr thrown{};
        } state{go_on};
        const auto progress = [](void* user, std::uint32_t done, std::uint32_t total) noexcept -> int {
            auto& seen = *static_cast<State*>(user);
            try {
                seen.stopped = !seen.go_on(done, total);
            } catch (...) {
                seen.stopped = true;
                seen.thrown = std::current_exception();
            }
            return seen.stopped ? 1 : 0;
        };
        const vkseg_result result = vkseg_segmenter_prepare(get(), progress, &state);
        if (state.thrown) std::rethrow_exception(state.thrown);
        if (state.stopped && result == VKSEG_ERROR_NOT_READY) return false;
        check(result);
        return true;
    }
    void record_setup(VkCommandBuffer commands) { check(vkseg_segmenter_record_setup(get(), commands)); }
    void finish_setup() { check(vkseg_segmenter_finish_setup(get())); }
    Progress record(VkCommandBuffer commands, const RecordDesc& desc) {
        Progress progress;
        check(vkseg_segmenter_record(get(), commands, &desc, &progress));
        return progress;
    }
    /// `desc.record` is set here.
    Progress submit(const RecordDesc& record, SubmitDesc desc = {}) {
        Progress progress;
        desc.record = &record;
        check(vkseg_segmenter_submit(get(), &desc, &progress));
        return progress;
    }
    void run(const RunDesc& desc) { check(vkseg_segmenter_run(get(), &desc)); }
    [[nodiscard]] vkseg_segmenter* get() const noexcept { return handle_.get(); }

private:
    detail::Handle<vkseg_segmenter, vkseg_segmenter_destroy> handle_;
};

}  // namespace vkseg::v1

#endif
