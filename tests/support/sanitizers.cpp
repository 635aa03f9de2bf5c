// Part of every test program; does nothing without the address sanitizer.
#ifdef __SANITIZE_ADDRESS__

extern "C" {

/// Drivers stay loaded after their last instance, so that reports have names for their frames.
__attribute__((visibility("default"))) int dlclose(void*) noexcept;
int dlclose(void*) noexcept {
    return 0;
}

/// What drivers, their compilers and the validation layer keep until the end is not ours to free.
__attribute__((visibility("default"))) const char* __lsan_default_suppressions();
const char* __lsan_default_suppressions() {
    return "leak:libvulkan_\n"
           "leak:libvk_swiftshader\n"
           "leak:libLLVM\n"
           "leak:libVkLayer_\n"
           "leak:libvulkan.so\n"
           "leak:libnvidia\n"
           "leak:libGLX_nvidia\n";
}

}  // extern "C"

#endif
