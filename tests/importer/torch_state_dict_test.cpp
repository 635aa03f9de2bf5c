#include "tests/importer/test_files.hpp"

#include "importer/torch_state_dict.hpp"

#include <functional>
#include <tuple>

namespace vkseg::importer_test {
namespace {

enum class Serialisation { Legacy, Zip };

/// What both serialisations must do alike.
class TorchStateDict : public testing::TestWithParam<Serialisation> {
protected:
    static bool legacy() { return GetParam() == Serialisation::Legacy; }

    static Weights read(const std::string& pickle, const Storages& storages, size_t item_bytes = 4) {
        if (legacy()) {
            const std::string file = legacy_file(pickle, storages, item_bytes);
            return importer::read_torch_legacy(as_bytes(file), "net.pth");
        }
        const std::string file = zip_file(pickle, storages);
        return importer::read_torch_zip(as_bytes(file), "net.pth");
    }

    static Weights read_one(TensorEntry tensor, const std::string& storage, size_t item_bytes = 4) {
        tensor.name = "t";
        tensor.storage_key = "0";
        tensor.legacy = legacy();
        return read(state_dict_pickle({tensor}), {{"0", storage}}, item_bytes);
    }

    static std::string error_for(TensorEntry tensor, const std::string& storage) {
        return error_of([&] { static_cast<void>(read_one(std::move(tensor), storage)); });
    }
};

INSTANTIATE_TEST_SUITE_P(Both, TorchStateDict, testing::Values(Serialisation::Legacy, Serialisation::Zip),
                         [](const auto& parameter) {
                             return parameter.param == Serialisation::Legacy ? "Legacy" : "Zip";
                         });

TEST_P(TorchStateDict, ReadsEveryProtocol) {
    for (char protocol : std::initializer_list<char>{2, 3, 4, 5}) {
        expect_small_net(read(state_dict_pickle(small_net(legacy()), protocol), small_storages()));
    }
}

TEST_P(TorchStateDict, IsRecognisedByContent) {
    const TempFolder folder;
    const std::string pickle = state_dict_pickle(small_net(legacy()));
    const auto file = folder.write(
        "net.safetensors", legacy() ? legacy_file(pickle, small_storages()) : zip_file(pickle, small_storages()));
    expect_small_net(load_weights(file));
    EXPECT_EQ(load_weights(file).source, file.string());
    EXPECT_MENTIONS(error_of([&] { static_cast<void>(read_safetensors(file)); }), "looks like a PyTorch file");
}

template <typename T>
void append_case(std::vector<std::tuple<std::string, StoredType, std::string, size_t>>& cases, const char* name,
                 StoredType type, const std::vector<T>& values) {
    cases.emplace_back(name, type, elements(values), sizeof(T));
}

TEST_P(TorchStateDict, ConvertsEveryElementType) {
    std::vector<std::tuple<std::string, StoredType, std::string, size_t>> cases;
    append_case<double>(cases, "DoubleStorage", StoredType::F64, {0, 1, -2});
    append_case<float>(cases, "FloatStorage", StoredType::F32, {0, 1, -2});
    append_case<uint16_t>(cases, "HalfStorage", StoredType::F16, {0, 0x3c00, 0xc000});
    append_case<uint16_t>(cases, "BFloat16Storage", StoredType::BF16, {0, 0x3f80, 0xc000});
    append_case<int64_t>(cases, "LongStorage", StoredType::I64, {0, 1, -2});
    append_case<int32_t>(cases, "IntStorage", StoredType::I32, {0, 1, -2});
    append_case<int16_t>(cases, "ShortStorage", StoredType::I16, {0, 1, -2});
    append_case<int8_t>(cases, "CharStorage", StoredType::I8, {0, 1, -2});
    append_case<uint8_t>(cases, "ByteStorage", StoredType::U8, {0, 1, 254});
    append_case<uint8_t>(cases, "BoolStorage", StoredType::Bool, {0, 1, 3});
    for (const auto& [storage, type, bytes, item_bytes] : cases) {
        for (const char* module : {"torch", "torch.cuda", "torch.storage"}) {
            const TensorEntry tensor{
                .storage_type = storage, .total = 3, .shape = {3}, .strides = {1}, .storage_module = module};
            const Weights weights = read_one(tensor, bytes, item_bytes);
            const WeightTensor& found = weights.tensors.at("t");
            EXPECT_EQ(found.stored_type, type) << storage;
            const float last = type == StoredType::U8 ? 254.0f : type == StoredType::Bool ? 1.0f : -2.0f;
            EXPECT_EQ(found.tensor.data, (std::vector<float>{0, 1, last})) << storage;
        }
    }
}

TEST_P(TorchStateDict, MakesViewsDense) {
    const std::string storage = elements<float>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    const auto data = [&](TensorEntry tensor) {
        tensor.total = 12;
        return read_one(tensor, storage).tensors.at("t").tensor.data;
    };
    EXPECT_EQ(data({.shape = {2, 3}, .strides = {3, 1}, .offset = 6}), (std::vector<float>{6, 7, 8, 9, 10, 11}));
    EXPECT_EQ(data({.shape = {3, 2}, .strides = {1, 3}}), (std::vector<float>{0, 3, 1, 4, 2, 5}));
    EXPECT_EQ(data({.shape = {2, 2, 3}, .strides = {1, 6, 2}}),
              (std::vector<float>{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}));
    EXPECT_EQ(data({.shape = {2, 2}, .strides = {0, 1}, .offset = 10}), (std::vector<float>{10, 11, 10, 11}));
    EXPECT_EQ(data({.shape = {}, .strides = {}, .offset = 11}), (std::vector<float>{11}));
    EXPECT_EQ(data({.shape = {1, 4, 1}, .strides = {1000, 3, 1}}), (std::vector<float>{0, 3, 6, 9}));
    EXPECT_EQ(data({.shape = {3, 0}, .strides = {1, 1}}), std::vector<float>{});
}

TEST_P(TorchStateDict, ReadsParametersAndTheFirstRebuildFunction) {
    auto tensors = small_net(legacy());
    tensors[0].is_parameter = true;
    tensors[1].first_version = true;
    expect_small_net(read(state_dict_pickle(tensors), small_storages()));
}

TEST_P(TorchStateDict, DropsTheDataParallelPrefixOnce) {
    auto tensors = small_net(legacy());
    tensors[0].name = "module.conv.weight";
    tensors[1].name = "module.conv.bias";
    expect_small_net(read(state_dict_pickle(tensors), small_storages()));
    tensors[1].name = "module.module.conv.bias";
    const Weights weights = read(state_dict_pickle(tensors), small_storages());
    EXPECT_TRUE(weights.tensors.contains("module.conv.bias"));
}

TEST_P(TorchStateDict, RefusesTwoTensorsOfOneName) {
    auto tensors = small_net(legacy());
    tensors[1].name = "module.conv.weight";
    const auto read_it = [&] { static_cast<void>(read(state_dict_pickle(tensors), small_storages())); };
    EXPECT_EQ(error_of(read_it), "'net.pth': holds two tensors named 'conv.weight'");
}

TEST_P(TorchStateDict, FindsTheStateDictInACheckpoint) {
    for (const char* key : {"state_dict", "model"}) {
        PickleWriter out;
        out.empty_dict().mark().text("epoch").integer(7).text("best").raw(std::string("G\x3f\xf0\0\0\0\0\0\0", 9));
        out.text("arch").text("net").text(key);
        write_state_dict(out, small_net(legacy()));
        out.text("optimizer").empty_dict().text("history").raw("]").set_items();
        expect_small_net(read(out.stop(), small_storages()));
    }
}

TEST_P(TorchStateDict, PassesOverEntriesThatAreNoTensors) {
    PickleWriter out;
    write_state_dict(out, small_net(legacy()));
    out.mark().text("model").text("a name").text("epoch").integer(3).integer(5).none().set_items();
    expect_small_net(read(out.stop(), small_storages()));
}

TEST_P(TorchStateDict, RefusesTensorsWithoutAName) {
    PickleWriter out;
    out.empty_dict().mark().integer(7);
    write_tensor(out, small_net(legacy())[0]);
    out.set_items();
    EXPECT_EQ(error_of([&] { static_cast<void>(read(out.stop(), {small_storages()[0]})); }),
              "'net.pth': holds a tensor under an int, expected a name");
}

TEST_P(TorchStateDict, ReadsThePairsOfPython2) {
    PickleWriter out;
    out.global("collections", "OrderedDict").mark().raw("]").mark();
    for (const TensorEntry& tensor : small_net(legacy())) {
        out.raw("]").mark().raw("U").raw(little_endian(static_cast<uint8_t>(tensor.name.size()))).raw(tensor.name);
        write_tensor(out, tensor);
        out.raw("e");
    }
    out.raw("e").tuple().reduce();
    expect_small_net(read(out.stop(), small_storages()));
}

TEST_P(TorchStateDict, NamesWhatItFoundInsteadOfTensors) {
    const auto found = [&](const PickleWriter& out) {
        return error_of([&] { static_cast<void>(read(out.stop(), {})); });
    };
    EXPECT_EQ(found(PickleWriter().integer(3)), "'net.pth': holds an int, expected a state dict (a dict of tensors)");
    EXPECT_MENTIONS(found(PickleWriter().empty_dict()), "holds no tensors");
    EXPECT_MENTIONS(found(PickleWriter().empty_dict().mark().text("net").empty_dict().set_items()),
                    "found the entries 'net'");
}

TEST_P(TorchStateDict, RefusesViewsOutsideTheStorage) {
    const std::string storage = elements<float>({0, 1, 2, 3, 4, 5});
    const int64_t huge = int64_t{1} << 62;
    const std::vector<TensorEntry> outside{{.shape = {2, 4}, .strides = {4, 1}},
                                           {.shape = {6}, .strides = {1}, .offset = 1},
                                           {.shape = {1}, .strides = {1}, .offset = 6},
                                           {.shape = {1}, .strides = {1}, .offset = -1},
                                           {.shape = {2}, .strides = {-1}, .offset = 5},
                                           {.shape = {2, 2}, .strides = {huge, huge}},
                                           {.shape = {3}, .strides = {huge}},
                                           {.shape = {1}, .strides = {1}, .offset = INT64_MAX},
                                           {.shape = {}, .strides = {}, .offset = 6},
                                           {.shape = {2, 2}, .strides = {INT64_MAX, 1}, .offset = 5}};
    for (TensorEntry tensor : outside) {
        tensor.total = 6;
        EXPECT_MENTIONS(error_for(tensor, storage), "reaches outside its storage '0' of 6 elements");
    }
}

TEST_P(TorchStateDict, RefusesImpossibleShapes) {
    const std::string storage = elements<float>({0, 1});
    const int64_t huge = int64_t{1} << 62;
    const auto sentence = [&](std::vector<int64_t> shape, std::vector<int64_t> strides) {
        return error_for({.total = 2, .shape = std::move(shape), .strides = std::move(strides)}, storage);
    };
    EXPECT_MENTIONS(sentence({-1}, {1}), "impossible shape");
    EXPECT_MENTIONS(sentence({huge, huge}, {0, 0}), "impossible shape");
    EXPECT_MENTIONS(sentence({huge, huge, 0}, {0, 0, 0}), "impossible shape");
    EXPECT_MENTIONS(sentence({huge}, {0}), "more elements than its");
    EXPECT_MENTIONS(sentence({1 << 20}, {0}), "more elements than its");
    EXPECT_MENTIONS(sentence({2}, {}), "has 1 axes and 0 strides");
    EXPECT_MENTIONS(sentence(std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1)), "65 axes");
}

TEST_P(TorchStateDict, RefusesMoreSharedTensorsThanTheFileHasBytes) {
    // One storage under many names: every name costs the file less than the tensor costs memory.
    const std::string storage(4096, '\0');
    PickleWriter out;
    out.empty_dict().put(9).raw("0").text("t");
    write_tensor(out, {.storage_key = "0",
                       .storage_type = "ByteStorage",
                       .total = 4096,
                       .shape = {4096},
                       .strides = {1},
                       .legacy = legacy()});
    out.put(1).raw("00h\x09").mark();
    for (int i = 0; i < 100; ++i) out.text(std::to_string(i)).raw("h\x01");
    out.set_items();
    EXPECT_MENTIONS(error_of([&] {
                        static_cast<void>(read(out.stop(), {{"0", storage}}, 1));
                    }),
                    "more elements than its");
}

TEST_P(TorchStateDict, RefusesStoragesThatDoNotFit) {
    const TensorEntry six{.total = 6, .shape = {6}, .strides = {1}};
    EXPECT_MENTIONS(error_for(six, elements<float>({0, 1, 2, 3, 4})), "storage");
    EXPECT_MENTIONS(error_for(six, elements<float>({0, 1, 2, 3, 4, 5, 6})), "storage");
    EXPECT_MENTIONS(error_for({.total = -1, .shape = {}, .strides = {}}, ""), "impossible number of -1 elements");
    EXPECT_MENTIONS(error_for({.total = INT64_MAX, .shape = {}, .strides = {}}, ""), "impossible number");
    EXPECT_MENTIONS(error_for({.total = INT64_MAX / 8, .shape = {}, .strides = {}}, ""), "storage");
    auto tensors = small_net(legacy());
    tensors[1].storage_key = "7";
    const auto read_it = [&] { static_cast<void>(read(state_dict_pickle(tensors), {small_storages()[0]})); };
    EXPECT_MENTIONS(error_of(read_it), "does not hold the storage");
}

TEST_P(TorchStateDict, RefusesMalformedTensors) {
    const auto sentence = [&](const std::function<void(PickleWriter&)>& write) {
        PickleWriter out;
        out.empty_dict().mark().text("t");
        write(out);
        out.set_items();
        return error_of([&] { static_cast<void>(read(out.stop(), {})); });
    };
    const auto rebuild = [](PickleWriter& out) -> PickleWriter& {
        return out.global("torch._utils", "_rebuild_tensor_v2");
    };
    EXPECT_MENTIONS(sentence([&](PickleWriter& out) { rebuild(out).raw(")R"); }), "tensor 't' is malformed");
    EXPECT_MENTIONS(
        sentence([&](PickleWriter& out) { rebuild(out).mark().none().none().none().none().tuple().reduce(); }),
        "tensor 't' is malformed");
    EXPECT_MENTIONS(sentence([&](PickleWriter& out) {
                        rebuild(out).mark().text("x").raw("Q").integer(0).integers({}).integers({}).tuple().reduce();
                    }),
                    "storage is malformed");
    EXPECT_MENTIONS(sentence([&](PickleWriter& out) { out.global("torch._utils", "_rebuild_parameter").raw(")R"); }),
                    "tensor 't' is malformed");
    EXPECT_MENTIONS(sentence([&](PickleWriter& out) {
                        out.global("torch._utils", "_rebuild_parameter").mark().integer(1).tuple().reduce();
                    }),
                    "tensor 't' is malformed");
}

TEST(TorchLegacy, ReadsViewsOfStorages) {
    const std::string storage = elements<float>({0, 1, 2, 3, 4, 5});
    TensorEntry tensor{.name = "t",
                       .storage_key = "0",
                       .total = 6,
                       .shape = {2},
                       .strides = {1},
                       .offset = 1,
                       .view = {2, 3},
                       .legacy = true};
    const auto read = [&] {
        const std::string file = legacy_file(state_dict_pickle({tensor}), {{"0", storage}});
        return importer::read_torch_legacy(as_bytes(file), "net.pth");
    };
    EXPECT_EQ(read().tensors.at("t").tensor.data, (std::vector<float>{3, 4}));
    tensor.offset = 2;
    EXPECT_MENTIONS(error_of([&] { static_cast<void>(read()); }), "reaches outside its storage '0' of 3 elements");
    tensor.view = {4, 3};
    EXPECT_MENTIONS(error_of([&] { static_cast<void>(read()); }), "reaches outside storage '0' of 6 elements");
}

TEST(TorchLegacy, RefusesMalformedViewsOfStorages) {
    PickleWriter out;
    out.empty_dict().mark().text("t").global("torch._utils", "_rebuild_tensor").mark();
    out.mark()
        .text("storage")
        .global("torch", "FloatStorage")
        .text("0")
        .text("cpu")
        .integer(1)
        .integers({1, 2})
        .tuple();
    out.raw("Q").integer(0).integers({}).integers({}).tuple().reduce().set_items();
    const std::string file = legacy_file(out.stop(), {});
    EXPECT_MENTIONS(error_of([&] { static_cast<void>(importer::read_torch_legacy(as_bytes(file), "net.pth")); }),
                    "storage '0' is a malformed view");
}

TEST(TorchLegacy, RefusesBigEndianFilesAndForeignPickles) {
    const auto sentence = [](const std::string& file) {
        return error_of([&] { static_cast<void>(importer::read_torch_legacy(as_bytes(file), "net.pth")); });
    };
    EXPECT_MENTIONS(sentence(legacy_preamble(false)), "big-endian");
    EXPECT_MENTIONS(sentence(PickleWriter().empty_dict().stop()), "without PyTorch's magic number (found a dict)");
    EXPECT_MENTIONS(sentence(PickleWriter().integer(1001).stop()), "found an int");
    const std::string preamble = legacy_preamble();
    const std::string magic = preamble.substr(0, 15);
    EXPECT_MENTIONS(sentence(magic + PickleWriter().integer(1002).stop()), "unknown version");
    EXPECT_MENTIONS(sentence(magic + PickleWriter().integer(1001).stop() + PickleWriter().none().stop()),
                    "system facts");
}

TEST(TorchLegacy, RefusesListsOfStoragesThatDoNotFit) {
    const std::string pickle = state_dict_pickle(small_net(true));
    const auto sentence = [&](const Storages& storages) {
        const std::string file = legacy_file(pickle, storages);
        return error_of([&] { static_cast<void>(importer::read_torch_legacy(as_bytes(file), "net.pth")); });
    };
    Storages storages = small_storages();
    storages[1].first = "0";
    EXPECT_MENTIONS(sentence(storages), "listed before");
    storages[1].first = "2";
    EXPECT_MENTIONS(sentence(storages), "no tensor uses");
    auto tensors = small_net(true);
    tensors[1].storage_key = "0";
    const std::string file = legacy_file(state_dict_pickle(tensors), small_storages());
    EXPECT_MENTIONS(error_of([&] { static_cast<void>(importer::read_torch_legacy(as_bytes(file), "net.pth")); }),
                    "described in two ways");
}

}  // namespace
}  // namespace vkseg::importer_test
