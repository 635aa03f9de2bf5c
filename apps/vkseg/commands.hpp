#pragma once

#include <string>
#include <vector>

// The program's commands as plain options and functions; main.cpp alone knows the command line. Each returns the exit
// status and throws `Error` for what the user should read.

namespace vkseg::app {

struct CommonOptions {
    /// Index, name part or "reference"; empty takes VKSEG_DEVICE or the first device.
    std::string device;
    /// fp32, fp16 or auto
    std::string precision = "auto";
    /// fp32 or fp16; empty takes that of tuned choices, else fp32.
    std::string arithmetic;
    /// WxH; empty takes the network's default.
    std::string size;
    std::string weights;
    /// JSON text, or a file that holds it.
    std::string config;
    /// Empty: for people; "-": JSON on standard output; else a file.
    std::string json;
    std::vector<std::string> disabled_passes;
    std::vector<std::string> disabled_fusions;
    /// File of tuned choices; empty takes those of the user's cache, or baked ones.
    std::string choices;
    bool no_tuned = false;
    /// Measure first when nothing tuned is there.
    bool tune = false;
};

struct DevicesOptions {
    std::string json;
};
int run_devices(const DevicesOptions& options);

struct NetworksOptions {
    std::string json;
};
int run_networks(const NetworksOptions& options);

struct SegmentOptions {
    CommonOptions common;
    std::string network = "espnet";
    std::vector<std::string> inputs;
    std::string output = ".";
    /// nearest or bilinear
    std::string upsample = "nearest";
    bool label_ids = false;
    bool confidence = false;
    /// Also picture and overlay beside each other.
    bool side_by_side = false;
    /// Name of a class set or a JSON file; empty chooses by the number of classes.
    std::string classes;
    double opacity = 0.5;
    /// WxH:FORMAT of raw frames on standard input; empty for pictures.
    std::string raw;
    /// overlay, colour or labels
    std::string raw_output = "overlay";
};
int run_segment(const SegmentOptions& options);

struct EvalOptions {
    CommonOptions common;
    std::string network = "espnet";
    /// Folder, searched with all below it, or a pattern.
    std::string images;
    std::string labels;
    /// nearest or bilinear
    std::string upsample = "nearest";
    /// Label maps hold the data set's own ids instead of class indices.
    bool label_ids = false;
    /// Name of a class set or a JSON file; empty chooses by the number of classes.
    std::string classes;
};
int run_eval(const EvalOptions& options);

struct ClassifyOptions {
    CommonOptions common;
    std::string network = "espnetv2-cls";
    std::vector<std::string> inputs;
    /// File with the names of the classes; empty for numbers.
    std::string names;
};
int run_classify(const ClassifyOptions& options);

struct RunOptions {
    CommonOptions common;
    std::string network;
    std::string input;
    std::string output;
    /// After the result: each number on standard input is that many runs to time.
    bool time_on_request = false;
};
int run_run(const RunOptions& options);

struct VerifyOptions {
    CommonOptions common;
    std::vector<std::string> cases;
    std::string dump;
};
int run_verify(const VerifyOptions& options);

struct CheckOptions {
    CommonOptions common;
    std::vector<std::string> networks{"espnet"};
};
int run_check(const CheckOptions& options);

struct InspectOptions {
    CommonOptions common;
    std::string network;
    std::string paper_device;
    /// Give every result memory of its own.
    bool no_in_place = false;
    bool print_graph = false;
    bool print_plan = false;
    /// Print the graph after this pass.
    std::string print_after;
};
int run_inspect(const InspectOptions& options);

struct ConvertOptions {
    std::string from;
    std::string to;
};
int run_convert(const ConvertOptions& options);

struct BakeOptions {
    CommonOptions common;
    std::string network;
    /// As for `segment`.
    std::string classes;
    /// Files of tuned choices to bake in, one per device.
    std::vector<std::string> tuned;
    std::string output;
};
int run_bake(const BakeOptions& options);

struct ExportOptions {
    CommonOptions common;
    std::string network;
    /// FILE.json; the tensors go beside it.
    std::string output;
};
int run_export(const ExportOptions& options);

struct TuneOptions {
    CommonOptions common;
    std::string network;
    /// Pictures to choose the precision by, and the layers that stay in fp32 arithmetic.
    std::vector<std::string> calibration;
    /// Times that each plan is measured.
    int rounds = 7;
    /// Empty for the user's cache.
    std::string output;
};
int run_tune(const TuneOptions& options);

struct BenchOptions {
    CommonOptions common;
    std::vector<std::string> networks;
    int repeat = 10;
    int warm_up = 2;
    /// scores or labels
    std::string task = "scores";
    /// Also measure each without any fusion.
    bool without_fusions = false;
    /// Start without any pipelines that were kept.
    bool cold = false;
    bool profile = false;
    /// Like `json`.
    std::string markdown;
    std::string trace;
    std::string html;

    /// A trace and a page show nothing else.
    [[nodiscard]] bool wants_profile() const { return profile || !trace.empty() || !html.empty(); }
};
int run_bench(const BenchOptions& options);

}  // namespace vkseg::app
