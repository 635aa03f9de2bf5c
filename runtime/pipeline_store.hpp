#pragma once

#include "graph/plan/plan.hpp"
#include "runtime/pipeline_cache_file.hpp"
#include "runtime/reflection.hpp"
#include "runtime/vk/owned.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace vkseg {

class Context;

/// A shader module with the layouts that its own declarations ask for.
struct ShaderProgram {
    vk::Owned<VkShaderModule> module;
    std::vector<ShaderBinding> bindings;
    std::vector<vk::Owned<VkDescriptorSetLayout>> set_layouts;
    vk::Owned<VkPipelineLayout> layout;

    [[nodiscard]] bool uses_set(uint32_t set) const {
        for (const ShaderBinding& binding : bindings)
            if (binding.set == set) return true;
        return false;
    }
};

/// Pipelines by shader and specialisation, made once per context and owned here. What it gives out stays where it is.
/// Any thread, several at once.
class PipelineStore {
public:
    /// What every device has; all push structs fit.
    static constexpr uint32_t push_constant_bytes = 128;

    PipelineStore(const Context& context, bool use_disk);
    /// Keeps new pipelines on disk.
    ~PipelineStore();
    PipelineStore(const PipelineStore&) = delete;
    PipelineStore& operator=(const PipelineStore&) = delete;

    const ShaderProgram& request_program(ShaderId shader);
    VkPipeline request_pipeline(ShaderId shader, const std::vector<uint32_t>& specialization);
    /// Makes all pipelines of a plan that are missing, two at a time. `progress(done, missing)` is called from the
    /// calling thread and may return false to stop; then `prepare` returns false and keeps what was made.
    bool prepare(const Plan& plan, const std::function<bool(size_t, size_t)>& progress = {});
    [[nodiscard]] size_t pipeline_count() const;
    /// Pipelines that were kept somewhere were given to the driver.
    [[nodiscard]] bool kept_some() const { return kept_some_; }
    /// The driver's cache as bytes that another context on this device and driver can be made with.
    [[nodiscard]] std::vector<uint8_t> export_cache() const;
    /// Keeps new pipelines on disk now; the destructor does so too. Does nothing without a disk cache or news.
    void save();

private:
    using Key = std::pair<ShaderId, std::vector<uint32_t>>;
    [[nodiscard]] vk::Owned<VkPipeline> create(const Key& key, const ShaderProgram& program) const;
    [[nodiscard]] std::vector<uint8_t> cache_data() const;
    const ShaderProgram& program_locked(ShaderId shader);

    const Context& context_;
    std::unique_ptr<PipelineCacheFile> file_;
    size_t saved_bytes_ = 0;
    bool kept_some_ = false;
    vk::Owned<VkPipelineCache> cache_;
    mutable std::mutex mutex_;  // guards the maps
    std::map<ShaderId, ShaderProgram> programs_;
    std::map<Key, vk::Owned<VkPipeline>> pipelines_;
};

}  // namespace vkseg
