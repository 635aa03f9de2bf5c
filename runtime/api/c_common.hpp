#pragma once

#include "graph/ir/error.hpp"
#include "runtime/api/include/vkseg/vkseg.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>

// The C edge: exceptions become codes and a sentence, structures of any version become whole ones.

namespace vkseg::capi {

/// A refusal with the code that the header promises for it.
class Refusal : public Error {
public:
    Refusal(vkseg_result code, const std::string& sentence) : Error(sentence), code_(code) {}
    [[nodiscard]] vkseg_result code() const { return code_; }

private:
    vkseg_result code_;
};

template <typename... Args>
[[nodiscard]] Refusal refusal(vkseg_result code, fmt::format_string<Args...> text, Args&&... args) {
    return {code, fmt::format(text, std::forward<Args>(args)...)};
}
template <typename... Args>
[[nodiscard]] Refusal bad_argument(fmt::format_string<Args...> text, Args&&... args) {
    return refusal(VKSEG_ERROR_INVALID_ARGUMENT, text, std::forward<Args>(args)...);
}

/// Runs `body`; what it throws becomes a code and the calling thread's sentence. An `Error` without a code of its own
/// gets `otherwise`.
vkseg_result guarded(const std::function<void()>& body, vkseg_result otherwise = VKSEG_ERROR_INTERNAL);

/// Runs `body`; an `Error` without a code of its own gets `code`.
template <typename Body>
auto with_code(vkseg_result code, const Body& body) {
    try {
        return body();
    } catch (const Refusal&) {
        throw;
    } catch (const Error& reason) {
        // Subclasses (a lost device, memory that ran out) have codes.
        if (typeid(reason) != typeid(Error)) throw;
        throw Refusal(code, reason.what());
    }
}

template <typename T>
T& required(T* pointer, const char* name) {
    if (pointer == nullptr) throw bad_argument("{} must not be NULL", name);
    return *pointer;
}

/// The host's structure as this version knows it: members that the host's version lacks are zero.
template <typename T>
T whole(const T* given, const char* name) {
    const size_t size = required(given, name).struct_size;
    if (size < sizeof(size_t) || size > 65536)
        throw bad_argument("{}->struct_size is {}, expected sizeof of the structure, {}", name, size, sizeof(T));
    T result{};
    std::memcpy(&result, given, std::min(size, sizeof(T)));
    result.struct_size = sizeof(T);
    return result;
}

/// The other way: no more than the host's version has room for.
template <typename T>
void fill(T* target, const char* name, T value) {
    const size_t size = required(target, name).struct_size;
    if (size < sizeof(size_t) || size > 65536)
        throw bad_argument("{}->struct_size is {}, expected sizeof of the structure, {}", name, size, sizeof(T));
    value.struct_size = size;
    std::memcpy(target, &value, std::min(size, sizeof(T)));
}

}  // namespace vkseg::capi
