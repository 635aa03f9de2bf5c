#include "apps/simulator/live/window.hpp"

#include "apps/simulator/live/swapchain.hpp"
#include "graph/ir/error.hpp"

#include <SDL.h>
#include <SDL_vulkan.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

namespace vkseg::sim {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

struct SdlWindow {
    SDL_Window* window = nullptr;

    explicit SdlWindow(VkExtent2D size) {
        // The program handles Ctrl+C by ending.
        SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
        if (SDL_Init(SDL_INIT_VIDEO) != 0)
            throw error("no window can be opened ({}); --headless needs none", SDL_GetError());
        window = SDL_CreateWindow("vkseg simulator", SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED,
                                  static_cast<int>(size.width), static_cast<int>(size.height),
                                  SDL_WINDOW_VULKAN | SDL_WINDOW_RESIZABLE);
        if (window == nullptr) {
            const std::string reason = SDL_GetError();
            SDL_Quit();
            throw error("no window for Vulkan can be opened ({}); --headless needs none", reason);
        }
    }
    ~SdlWindow() {
        SDL_DestroyWindow(window);
        SDL_Quit();
    }
    SdlWindow(const SdlWindow&) = delete;
    SdlWindow& operator=(const SdlWindow&) = delete;

    [[nodiscard]] std::vector<const char*> extensions() const {
        unsigned count = 0;
        SDL_Vulkan_GetInstanceExtensions(window, &count, nullptr);
        std::vector<const char*> names(count);
        SDL_Vulkan_GetInstanceExtensions(window, &count, names.data());
        return names;
    }
    [[nodiscard]] VkExtent2D size() const {
        int width = 0, height = 0;
        SDL_Vulkan_GetDrawableSize(window, &width, &height);
        return {static_cast<uint32_t>(std::max(width, 0)), static_cast<uint32_t>(std::max(height, 0))};
    }
};

struct Surface {
    VkInstance instance;
    VkSurfaceKHR handle = VK_NULL_HANDLE;

    Surface(SDL_Window* window, VkInstance owner) : instance(owner) {
        if (SDL_Vulkan_CreateSurface(window, instance, &handle) == SDL_FALSE)
            throw error("the window shows no Vulkan pictures ({})", SDL_GetError());
    }
    ~Surface() { vkDestroySurfaceKHR(instance, handle, nullptr); }
    Surface(const Surface&) = delete;
    Surface& operator=(const Surface&) = delete;
};

class Driver {
public:
    Driver(const WindowOptions& options, const SdlWindow& window, Gpu& gpu, VkSurfaceKHR surface)
        : options_(options),
          window_(window),
          gpu_(gpu),
          surface_(surface),
          stage_(gpu, options.stage),
          world_(options.seed),
          seed_(options.seed) {
        compose_.view = options.view;
        hud_.help = options.help;
        segments_ = stage_.segmentation() != nullptr;
        make_swapchain();
    }

    void run() {
        Clock::time_point before = Clock::now();
        for (uint64_t frame = 0; !quit_ && (options_.frames == 0 || frame < options_.frames); ++frame) {
            handle_events();
            const double passed = seconds_since(before);
            before = Clock::now();
            if (frame > 0) push_time(passed * 1000);
            if (!paused_) time_s_ += options_.fixed_step_s > 0 ? options_.fixed_step_s : std::min(passed, 0.1) * pace_;
            if (!draw(frame + 1 == options_.frames)) make_swapchain();
        }
        gpu_.wait_idle();
    }

private:
    void make_swapchain() {
        gpu_.wait_idle();
        swapchain_.reset();
        // A minimised window has no pixels; it has some again later.
        while (window_.size().width == 0 && !quit_) {
            SDL_Delay(50);
            handle_events();
        }
        if (quit_) return;
        swapchain_.emplace(gpu_, surface_, window_.size());
        if (swapchain_->size().width != stage_.composer().size().width ||
            swapchain_->size().height != stage_.composer().size().height)
            stage_.resize_canvas(swapchain_->size());
        panel_age_ = 1000;
    }

    [[nodiscard]] Frame next_frame() {
        Frame frame = world_.drive(static_cast<float>(time_s_));
        frame.camera.yaw += look_yaw_;
        frame.camera.pitch += look_pitch_;
        frame.camera.horizontal_fov = std::clamp(frame.camera.horizontal_fov * zoom_, 0.3f, 2.0f);
        return frame;
    }

    /// False when the swapchain no longer fits the window.
    bool draw(bool last) {
        if (!swapchain_) return false;
        update_panel(last);
        if (!swapchain_->acquire()) return false;
        const Stage::Drawn drawn = stage_.begin(next_frame(), segments_, compose_);
        note_times(drawn);
        Buffer pixels;
        const VkExtent2D canvas = stage_.composer().size();
        const bool shoot = take_screenshot_ || (last && !options_.screenshot.empty());
        if (shoot) {
            pixels = Buffer(gpu_, VkDeviceSize{4} * canvas.width * canvas.height, VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                            Buffer::Use::Download);
            const VkBufferImageCopy whole = whole_image(canvas);
            vkCmdCopyImageToBuffer(drawn.commands, stage_.composer().canvas(), Composer::canvas_after.layout,
                                   pixels.get(), 1, &whole);
            host_barrier(drawn.commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT);
        }
        swapchain_->record(drawn.commands, stage_.composer().canvas(), canvas);
        stage_.submit(drawn, swapchain_->available(), VK_PIPELINE_STAGE_TRANSFER_BIT, swapchain_->written());
        const bool fits = swapchain_->present(gpu_.queue());
        if (shoot) {
            stage_.wait(drawn);
            save(
                pixels, canvas,
                take_screenshot_ ? fmt::format("simulator-{}-{:.0f}.png", seed_, time_s_ * 1000) : options_.screenshot);
            take_screenshot_ = false;
        }
        return fits;
    }

    void save(const Buffer& pixels, VkExtent2D size, const std::string& path) const {
        app::Image picture(static_cast<int>(size.width), static_cast<int>(size.height), 3);
        for (size_t i = 0; i < picture.pixels.size() / 3; ++i)
            std::memcpy(picture.pixels.data() + 3 * i, pixels.mapped() + 4 * i, 3);
        app::write_png(path, picture);
    }

    void push_time(double ms) {
        hud_.frame_ms.push_back(static_cast<float>(ms));
        if (hud_.frame_ms.size() > 400) hud_.frame_ms.pop_front();
    }

    /// begin() has waited for what ran in this slot before.
    void note_times(const Stage::Drawn& drawn) {
        const FrameTimes times = last_times_[drawn.slot % 8];
        hud_.scene_ms = times.scene_ms + times.compose_ms;
        Segmentation* segmentation = stage_.segmentation();
        hud_.segmentation_ms = segmentation != nullptr && segmentation->mode() == SegmentMode::Async
                                   ? segmentation->async_ms()
                                   : times.segmentation_ms;
        if (drawn.segmented) {
            hud_.first_step = drawn.progress.first_step;
            hud_.end_step = drawn.progress.end_step;
            hud_.step_count = drawn.progress.step_count;
        }
        if (drawn.progress.finished) {
            if (mask_at_) hud_.mask_ms = seconds_since(*mask_at_) * 1000;
            mask_at_ = Clock::now();
        }
    }

    void update_panel(bool last) {
        // The slot that comes next was submitted two frames ago: its times may be asked for without waiting.
        for (uint32_t slot = 0; slot < stage_.renderer().slots(); ++slot) {
            const FrameTimes times = stage_.times(slot);
            if (times.device_ms() > 0) last_times_[slot % 8] = times;
        }
        if (++panel_age_ < 8 && !last) return;
        panel_age_ = 0;
        Segmentation* segmentation = stage_.segmentation();
        const VkExtent2D size = stage_.renderer().size();
        hud_.device = gpu_.name();
        hud_.scene =
            fmt::format("city {}, {}x{}, {} samples", seed_, size.width, size.height, stage_.renderer().samples());
        hud_.network.clear();
        if (segmentation != nullptr && segments_) {
            hud_.network = fmt::format("{} {}x{}", segmentation->network(), segmentation->network_size().width,
                                       segmentation->network_size().height);
            hud_.mode = to_string(segmentation->mode());
            if (segmentation->mode() == SegmentMode::Sliced)
                hud_.mode += fmt::format(" {:.1f} ms", static_cast<double>(segmentation->budget_us()) / 1000);
            if (segmentation->mode() == SegmentMode::Async && !segmentation->has_own_queue())
                hud_.mode += " (one queue)";
        }
        hud_.classes = segmentation != nullptr ? &segmentation->classes() : nullptr;
        const VkExtent2D canvas = stage_.composer().size();
        stage_.composer().set_panel(
            draw_hud(hud_, static_cast<int>(canvas.width), static_cast<int>(stage_.composer().panel_height())));
    }

    void handle_events() {
        SDL_Event event;
        while (SDL_PollEvent(&event) != 0) {
            if (event.type == SDL_QUIT) quit_ = true;
            if (event.type == SDL_KEYDOWN) on_key(event.key.keysym.sym);
            if (event.type == SDL_MOUSEMOTION && (event.motion.state & SDL_BUTTON_LMASK) != 0) {
                look_yaw_ -= static_cast<float>(event.motion.xrel) * 0.003f;
                look_pitch_ = std::clamp(look_pitch_ + static_cast<float>(event.motion.yrel) * 0.003f, -0.7f, 0.7f);
            }
            if (event.type == SDL_MOUSEBUTTONDOWN && event.button.button == SDL_BUTTON_RIGHT) {
                look_yaw_ = look_pitch_ = 0;
                zoom_ = 1;
            }
            if (event.type == SDL_MOUSEWHEEL)
                zoom_ = std::clamp(zoom_ * (event.wheel.y > 0 ? 0.93f : 1.07f), 0.35f, 1.6f);
        }
    }

    void on_key(SDL_Keycode key) {
        Segmentation* segmentation = stage_.segmentation();
        panel_age_ = 1000;
        switch (key) {
            case SDLK_ESCAPE:
                quit_ = true;
                break;
            case SDLK_SPACE:
                paused_ = !paused_;
                break;
            case SDLK_v:
                compose_.view = static_cast<View>((static_cast<int>(compose_.view) + 1) % 5);
                break;
            case SDLK_TAB:
                compose_.panel = !compose_.panel;
                break;
            case SDLK_h:
                hud_.help = !hud_.help;
                break;
            case SDLK_s:
                take_screenshot_ = true;
                break;
            case SDLK_UP:
                pace_ = std::min(pace_ * 1.25, 4.0);
                break;
            case SDLK_DOWN:
                pace_ = std::max(pace_ / 1.25, 0.1);
                break;
            case SDLK_n:
                world_ = World(++seed_);
                time_s_ = 0;
                break;
            case SDLK_MINUS:
                compose_.opacity = std::max(0.0f, compose_.opacity - 0.1f);
                break;
            case SDLK_PLUS:
            case SDLK_EQUALS:
                compose_.opacity = std::min(1.0f, compose_.opacity + 0.1f);
                break;
            case SDLK_m:
                if (segmentation == nullptr) break;
                if (!segments_) {
                    segments_ = true;
                    stage_.set_mode(SegmentMode::SameQueue);
                } else if (segmentation->mode() == SegmentMode::SameQueue)
                    stage_.set_mode(SegmentMode::Async);
                else if (segmentation->mode() == SegmentMode::Async)
                    stage_.set_mode(SegmentMode::Sliced);
                else
                    segments_ = false;
                break;
            case SDLK_LEFTBRACKET:
            case SDLK_RIGHTBRACKET:
                if (segmentation != nullptr) {
                    const uint32_t budget = segmentation->budget_us();
                    segmentation->set_budget_us(key == SDLK_LEFTBRACKET ? std::max(250u, budget / 2)
                                                                        : std::min(64000u, budget * 2));
                }
                break;
            default:
                break;
        }
    }

    const WindowOptions& options_;
    const SdlWindow& window_;
    Gpu& gpu_;
    VkSurfaceKHR surface_;
    Stage stage_;
    std::optional<Swapchain> swapchain_;
    World world_;
    uint64_t seed_;
    ComposeState compose_;
    HudState hud_;
    FrameTimes last_times_[8];
    std::optional<Clock::time_point> mask_at_;
    double time_s_ = 0, pace_ = 1;
    float look_yaw_ = 0, look_pitch_ = 0, zoom_ = 1;
    int panel_age_ = 1000;
    bool quit_ = false, paused_ = false, take_screenshot_ = false, segments_ = false;
};

}  // namespace

size_t run_window(const WindowOptions& options) {
    const SdlWindow window(options.stage.canvas);
    GpuOptions gpu_options;
    gpu_options.device = options.device;
    gpu_options.validation = options.validation;
    gpu_options.instance_extensions = window.extensions();
    gpu_options.swapchain = gpu_options.second_queue = true;
    Gpu gpu(gpu_options);
    {
        const Surface surface(window.window, gpu.instance());
        Driver driver(options, window, gpu, surface.handle);
        driver.run();
    }
    const std::vector<std::string> messages = gpu.take_messages();
    for (const std::string& message : messages) std::fprintf(stderr, "%s\n", message.c_str());
    return messages.size();
}

}  // namespace vkseg::sim
