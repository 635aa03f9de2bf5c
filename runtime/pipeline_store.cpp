#include "runtime/pipeline_store.hpp"

#include "runtime/context.hpp"
#include "shader_binaries.hpp"

#include <atomic>
#include <exception>
#include <thread>

namespace vkseg {

PipelineStore::PipelineStore(const Context& context, bool use_disk) : context_(context) {
    std::optional<std::vector<uint8_t>> blob;
    std::string note;
    if (!context.options().pipeline_cache.empty()) {
        blob = PipelineCacheFile(context.physical()).open(context.options().pipeline_cache, "of the host", note);
    } else if (use_disk) {
        file_ = std::make_unique<PipelineCacheFile>(context.physical());
        blob = file_->load(note);
    }
    if (!note.empty()) context.note(note);
    VkPipelineCacheCreateInfo info{VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
    if (blob) {
        info.initialDataSize = blob->size();
        info.pInitialData = blob->data();
        saved_bytes_ = blob->size();
        kept_some_ = blob->size() > sizeof(VkPipelineCacheHeaderVersionOne);
    }
    VkPipelineCache cache = VK_NULL_HANDLE;
    vk::check(context.table().CreatePipelineCache(context.device(), &info, nullptr, &cache), "make a pipeline cache");
    cache_ = {context.device(), cache, context.table().DestroyPipelineCache};
}

PipelineStore::~PipelineStore() {
    save();
}

void PipelineStore::save() {
    if (file_ == nullptr) return;
    if (pipeline_count() == 0) return;
    const std::vector<uint8_t> blob = cache_data();
    // Drivers that keep nothing give a header alone, and some put a new one before what they were given.
    if (blob.size() > saved_bytes_ + sizeof(VkPipelineCacheHeaderVersionOne) && file_->save(blob))
        saved_bytes_ = blob.size();
}

std::vector<uint8_t> PipelineStore::cache_data() const {
    size_t size = 0;
    const auto get = context_.table().GetPipelineCacheData;
    if (get(context_.device(), cache_.get(), &size, nullptr) != VK_SUCCESS) return {};
    std::vector<uint8_t> blob(size);
    if (get(context_.device(), cache_.get(), &size, blob.data()) != VK_SUCCESS) return {};
    blob.resize(size);  // the first answer may be an upper bound
    return blob;
}

std::vector<uint8_t> PipelineStore::export_cache() const {
    return PipelineCacheFile(context_.physical()).seal(cache_data());
}

size_t PipelineStore::pipeline_count() const {
    const std::scoped_lock lock(mutex_);
    return pipelines_.size();
}

const ShaderProgram& PipelineStore::request_program(ShaderId shader) {
    const std::scoped_lock lock(mutex_);
    return program_locked(shader);
}

const ShaderProgram& PipelineStore::program_locked(ShaderId shader) {
    const auto found = programs_.find(shader);
    if (found != programs_.end()) return found->second;
    const vk::DeviceTable& table = context_.table();
    const std::span<const uint32_t> words = spirv(shader);
    ShaderProgram program;

    VkShaderModuleCreateInfo module_info{VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
    module_info.codeSize = words.size_bytes();
    module_info.pCode = words.data();
    VkShaderModule module = VK_NULL_HANDLE;
    vk::check(table.CreateShaderModule(context_.device(), &module_info, nullptr, &module),
              fmt::format("load shader {}", to_string(shader)));
    program.module = {context_.device(), module, table.DestroyShaderModule};

    program.bindings = reflect_bindings(words);
    std::vector<VkDescriptorSetLayout> layouts;
    const uint32_t set_count = program.bindings.empty() ? 0 : program.bindings.back().set + 1;
    for (uint32_t set = 0; set < set_count; ++set) {
        std::vector<VkDescriptorSetLayoutBinding> bindings;
        for (const ShaderBinding& binding : program.bindings)
            if (binding.set == set)
                bindings.push_back({binding.binding, binding.type, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
        VkDescriptorSetLayoutCreateInfo info{VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
        info.bindingCount = static_cast<uint32_t>(bindings.size());
        info.pBindings = bindings.data();
        VkDescriptorSetLayout layout = VK_NULL_HANDLE;
        vk::check(table.CreateDescriptorSetLayout(context_.device(), &info, nullptr, &layout),
                  "make a descriptor set layout");
        program.set_layouts.emplace_back(context_.device(), layout, table.DestroyDescriptorSetLayout);
        layouts.push_back(layout);
    }

    const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, push_constant_bytes};
    VkPipelineLayoutCreateInfo info{VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
    info.setLayoutCount = static_cast<uint32_t>(layouts.size());
    info.pSetLayouts = layouts.data();
    info.pushConstantRangeCount = 1;
    info.pPushConstantRanges = &range;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    vk::check(table.CreatePipelineLayout(context_.device(), &info, nullptr, &layout), "make a pipeline layout");
    program.layout = {context_.device(), layout, table.DestroyPipelineLayout};
    return programs_.emplace(shader, std::move(program)).first->second;
}

vk::Owned<VkPipeline> PipelineStore::create(const Key& key, const ShaderProgram& program) const {
    std::vector<VkSpecializationMapEntry> entries;
    for (uint32_t i = 0; i < key.second.size(); ++i)
        entries.push_back({i, i * static_cast<uint32_t>(sizeof(uint32_t)), sizeof(uint32_t)});
    VkSpecializationInfo specialization{};
    specialization.mapEntryCount = static_cast<uint32_t>(entries.size());
    specialization.pMapEntries = entries.data();
    specialization.dataSize = key.second.size() * sizeof(uint32_t);
    specialization.pData = key.second.data();
    VkComputePipelineCreateInfo info{VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
    info.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT;  // a frame's slice may hold a part of a dispatch
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info.stage.module = program.module.get();
    info.stage.pName = "main";
    info.stage.pSpecializationInfo = &specialization;
    info.layout = program.layout.get();
    VkPipeline pipeline = VK_NULL_HANDLE;
    vk::check(context_.table().CreateComputePipelines(context_.device(), cache_.get(), 1, &info, nullptr, &pipeline),
              fmt::format("compile shader {}", to_string(key.first)));
    context_.name_object(VK_OBJECT_TYPE_PIPELINE, pipeline, to_string(key.first));
    return {context_.device(), pipeline, context_.table().DestroyPipeline};
}

VkPipeline PipelineStore::request_pipeline(ShaderId shader, const std::vector<uint32_t>& specialization) {
    const std::scoped_lock lock(mutex_);
    const Key key{shader, specialization};
    const auto found = pipelines_.find(key);
    if (found != pipelines_.end()) return found->second.get();
    return pipelines_.emplace(key, create(key, program_locked(shader))).first->second.get();
}

bool PipelineStore::prepare(const Plan& plan, const std::function<bool(size_t, size_t)>& progress) {
    struct Job {
        const Key* key = nullptr;
        const ShaderProgram* program = nullptr;
        vk::Owned<VkPipeline> pipeline;
        std::exception_ptr failure;
    };
    std::map<Key, size_t> missing;
    std::vector<Job> jobs;
    {
        const std::scoped_lock lock(mutex_);
        for (const Step& step : plan.steps)
            for (const Dispatch& dispatch : step.dispatches) {
                const Key key{dispatch.shader, dispatch.specialization};
                if (pipelines_.contains(key)) continue;
                const auto [entry, is_new] = missing.try_emplace(key, jobs.size());
                if (is_new) jobs.push_back({&entry->first, &program_locked(dispatch.shader), {}, nullptr});
            }
    }
    if (jobs.empty()) return true;

    // Drivers compile on the calling thread; a second one halves the wait and never owns more than a core.
    std::atomic<size_t> next{0}, done{0};
    std::atomic<bool> stopped{false};
    const auto work = [&](bool reports) {
        while (!stopped) {
            if (reports && progress && !progress(done, jobs.size())) stopped = true;
            const size_t i = stopped ? jobs.size() : next++;
            if (i >= jobs.size()) return;
            try {
                jobs[i].pipeline = create(*jobs[i].key, *jobs[i].program);
            } catch (...) {
                jobs[i].failure = std::current_exception();
            }
            ++done;
        }
    };
    {
        std::jthread second;
        if (jobs.size() > 1) second = std::jthread(work, false);
        work(true);
    }
    const std::scoped_lock lock(mutex_);
    for (Job& job : jobs) {
        if (job.failure) std::rethrow_exception(job.failure);
        // Another thread may have made the same meanwhile; what was given out must stay.
        if (job.pipeline) pipelines_.try_emplace(*job.key, std::move(job.pipeline));
    }
    if (!stopped && progress) progress(jobs.size(), jobs.size());
    return !stopped;
}

}  // namespace vkseg
