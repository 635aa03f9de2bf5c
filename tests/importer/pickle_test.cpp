#include "importer/pickle.hpp"

#include "tests/importer/test_files.hpp"

namespace vkseg::importer_test {
namespace {

using importer::Value;
using Kind = importer::Value::Kind;

std::string refusal(const std::string& pickle) {
    return error_of([&] {
        importer::ByteReader in(as_bytes(pickle), "net.pth");
        in.enter("data.pkl");
        static_cast<void>(importer::read_pickle(in));
    });
}

TEST(Pickle, ReadsPlainData) {
    PickleWriter out;
    out.mark().integer(-3).raw(std::string("M\xff\xff", 3)).raw("K\xff").integer(int64_t{-5} << 40);
    out.raw(std::string("\x8a\x00", 2)).raw("\x8a\x01\xff").raw(std::string("\x8b\x02\0\0\0\x00\x80", 7));
    out.raw(std::string("G\xc0\x04\0\0\0\0\0\0", 9)).boolean(true).none().text("x").raw("]a").tuple();
    std::string pickle = out.stop();
    pickle.replace(pickle.size() - 4, 2, "]N");  // `]` then APPEND of None
    importer::ByteReader in(as_bytes(pickle), "net.pth");
    const importer::Pickle read = importer::read_pickle(in);
    EXPECT_EQ(in.remaining(), 0u);
    ASSERT_EQ(read.top().kind, Kind::Tuple);
    const auto item = [&](size_t index) -> const Value& { return read[read.top().items[index]]; };
    EXPECT_EQ(item(0).integer, -3);
    EXPECT_EQ(item(1).integer, 65535);
    EXPECT_EQ(item(2).integer, 255);
    EXPECT_EQ(item(3).integer, int64_t{-5} << 40);
    EXPECT_EQ(item(4).integer, 0);
    EXPECT_EQ(item(5).integer, -1);
    EXPECT_EQ(item(6).integer, -32768);
    EXPECT_EQ(item(7).real, -2.5);
    EXPECT_EQ(item(8).kind, Kind::Bool);
    EXPECT_EQ(item(9).kind, Kind::None);
    EXPECT_EQ(item(10).text, "x");
}

TEST(Pickle, DiscardsValuesAndMarks) {
    const std::string pickle = PickleWriter().integer(1).mark().integer(2).raw("00").mark().integer(3).raw("1").stop();
    importer::ByteReader in(as_bytes(pickle), "net.pth");
    EXPECT_EQ(importer::read_pickle(in).top().integer, 1);
}

TEST(Pickle, SurvivesAListThatHoldsItself) {
    const std::string pickle = PickleWriter().raw("]").put(0).raw("h").raw(std::string(1, '\0')).raw("a").stop();
    importer::ByteReader in(as_bytes(pickle), "net.pth");
    const importer::Pickle read = importer::read_pickle(in);
    EXPECT_EQ(read.top().kind, Kind::List);
    EXPECT_EQ(read.top().items.size(), 1u);
}

TEST(Pickle, RefusesEveryOtherPythonFunction) {
    const auto call = [](const char* module, const char* name, char protocol) {
        return PickleWriter(protocol).global(module, name).mark().text("echo gotcha").tuple().reduce().stop();
    };
    for (char protocol : std::initializer_list<char>{2, 3, 4, 5}) {
        EXPECT_EQ(refusal(call("posix", "system", protocol)),
                  "'net.pth': asks for 'posix.system', which a tensor file never needs; refused");
        EXPECT_MENTIONS(refusal(call("os", "system", protocol)), "'os.system'");
        EXPECT_MENTIONS(refusal(call("builtins", "eval", protocol)), "'builtins.eval'");
        EXPECT_MENTIONS(refusal(call("__builtin__", "exec", protocol)), "'__builtin__.exec'");
        EXPECT_MENTIONS(refusal(call("numpy.core.multiarray", "scalar", protocol)), "'numpy.core.multiarray.scalar'");
        EXPECT_MENTIONS(refusal(call("collections", "OrderedDict.update", protocol)), "refused");
        EXPECT_MENTIONS(refusal(call("torch.nn.modules.conv", "Conv2d", protocol)),
                        "'torch.nn.modules.conv.Conv2d', which is no part of a plain state dict");
        EXPECT_MENTIONS(refusal(call("torch.cuda", "_utils._rebuild_tensor_v2", protocol)), "no part of");
        EXPECT_MENTIONS(refusal(call("torch", "ComplexFloatStorage", protocol)), "'torch.ComplexFloatStorage'");
        EXPECT_MENTIONS(refusal(call("torch", "FloatStorage", protocol)), "a call of 'torch.FloatStorage'");
    }
    EXPECT_MENTIONS(refusal(call("pos\nix\x1b[2J", "system", 4)), "'pos\\x0aix\\x1b[2J.system'");
}

TEST(Pickle, RefusesOpcodesThatMakeObjects) {
    for (const char* opcode :
         {"i", "o", "\x81", "\x92", "\x82", "\x83", "\x84", "P", "\x97", "\x8f", "S", "I", "V", "F"}) {
        const std::string sentence = refusal(PickleWriter().mark().none().none().raw(opcode).stop());
        EXPECT_MENTIONS(sentence, "pickle opcode 0x");
        EXPECT_MENTIONS(sentence, "refused");
    }
}

TEST(Pickle, RefusesAttributesOfTensors) {
    PickleWriter out;
    out.global("torch._utils", "_rebuild_tensor_v2").raw(")R").empty_dict().raw("b");
    EXPECT_MENTIONS(refusal(out.stop()), "attributes of a tensor");
}

TEST(Pickle, RefusesDeepNesting) {
    std::string tuples = "N";
    for (int i = 0; i < 100'000; ++i) tuples += '\x85';
    EXPECT_MENTIONS(refusal(PickleWriter().raw(tuples).stop()), "nests deeper than 100 levels");
    EXPECT_MENTIONS(refusal(PickleWriter().raw(std::string(100'000, '(')).stop()), "nests deeper than 100 levels");
    std::string lists = std::string(100'000, ']') + std::string(99'999, 'a');
    EXPECT_MENTIONS(refusal(PickleWriter().raw(lists).stop()), "nests deeper than 100 levels");
    std::string persistent = "N" + std::string(100'000, 'Q');
    EXPECT_MENTIONS(refusal(PickleWriter().raw(persistent).stop()), "nests deeper than 100 levels");
}

TEST(Pickle, StaysSmallOnBombs) {
    // A thousand million elements, were they expanded: each level holds the one below ten times.
    PickleWriter laughs;
    laughs.text("ha").put(0);
    for (uint8_t level = 1; level < 10; ++level) {
        laughs.mark();
        for (int i = 0; i < 10; ++i) laughs.raw("h").raw(little_endian<uint8_t>(static_cast<uint8_t>(level - 1)));
        laughs.tuple().put(level);
    }
    const std::string pickle = laughs.stop();
    importer::ByteReader in(as_bytes(pickle), "net.pth");
    EXPECT_LT(importer::read_pickle(in).values.size(), 100u);

    EXPECT_MENTIONS(refusal(PickleWriter().raw(std::string(2'000'001, 'N')).stop()), "more than 2000000 values");
    std::string recalls = "Nq0";
    for (int i = 0; i < 2'000'000; ++i) recalls += "h0";
    EXPECT_MENTIONS(refusal(PickleWriter().raw(recalls).stop()), "exceeds 2000000 values");

    // OrderedDict(list of a thousand pairs), again and again.
    PickleWriter copies;
    copies.global("collections", "OrderedDict").put(0).raw("]").mark();
    for (int i = 0; i < 1000; ++i) copies.none().none().raw("\x86");
    copies.raw("e").raw("\x85").put(1);
    for (int i = 0; i < 3000; ++i) copies.raw(std::string("h\0h\x01R0", 6));
    EXPECT_MENTIONS(refusal(copies.stop()), "more than 4000000 entries");
}

TEST(Pickle, RefusesHugeClaims) {
    const std::string most = little_endian<uint32_t>(0xffffffffu);
    EXPECT_MENTIONS(refusal(PickleWriter().raw("X" + most).stop()), "4294967295 bytes");
    EXPECT_MENTIONS(refusal(PickleWriter().raw("\x8b" + most).stop()), "4294967295 bytes");
    EXPECT_MENTIONS(refusal(PickleWriter().raw("\x8d" + little_endian<uint64_t>(~0ull)).stop()), "needs");
    EXPECT_MENTIONS(refusal(PickleWriter().raw("\x95" + little_endian<uint64_t>(1u << 30)).stop()), "frame");
    EXPECT_MENTIONS(refusal(PickleWriter().raw("j" + most).stop()), "never memorised");
}

TEST(Pickle, RefusesDamagedPickles) {
    for (const char* opcodes : {"",    "0",     "t",     "u",    "e",     "1",        "R",    "Q",   "b",
                                "q0",  "\x94",  "a",     "s",    "Na",    "NNs",      "(Nt0", "N)R", "}N(Nu",
                                "(Nd", "(NNNd", "]N(Nu", "]NNs", "N\x93", "KKKK\x93", "h0",   "(q0", "(N0u"}) {
        EXPECT_MENTIONS(refusal(PickleWriter().raw(opcodes).stop()), "data.pkl") << opcodes;
    }
    const auto dict_of = [](const char* argument) {
        return PickleWriter().global("collections", "OrderedDict").raw(argument).raw("\x85R").stop();
    };
    EXPECT_MENTIONS(refusal(dict_of("N")), "makes a dict from None");
    EXPECT_MENTIONS(refusal(dict_of("]Na")), "something other than pairs");
    EXPECT_MENTIONS(refusal(dict_of("](NNNta")), "something other than pairs");
    EXPECT_MENTIONS(refusal("hello"), "does not begin as a pickle");
    EXPECT_MENTIONS(refusal(""), "truncated");
    EXPECT_MENTIONS(refusal("\x80\x01N."), "protocol 1");
    EXPECT_MENTIONS(refusal("\x80\x06N."), "protocol 6");
    EXPECT_MENTIONS(refusal(PickleWriter().raw("cposix").stop()), "never ends");
    EXPECT_MENTIONS(refusal(PickleWriter().raw("c" + std::string(5000, 'x') + "\ny\n").stop()), "never ends");
}

}  // namespace
}  // namespace vkseg::importer_test
