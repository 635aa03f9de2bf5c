#include "apps/common/npy.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "test_files.hpp"

namespace vkseg::app::test {
namespace {

/// A file with this dictionary, padded as NumPy does, and these bytes of data.
Bytes make_npy(std::string dictionary, const Bytes& data, int version = 1) {
    dictionary += '\n';
    Bytes file{0x93, 'N', 'U', 'M', 'P', 'Y', static_cast<uint8_t>(version), 0};
    for (int byte = 0; byte < (version == 1 ? 2 : 4); ++byte) {
        file.push_back(static_cast<uint8_t>(dictionary.size() >> (8 * byte)));
    }
    file.insert(file.end(), dictionary.begin(), dictionary.end());
    file.insert(file.end(), data.begin(), data.end());
    return file;
}

template <typename T>
Bytes bytes_of(std::initializer_list<T> values) {
    Bytes bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.begin(), bytes.size());
    return bytes;
}

std::string dictionary(const std::string& type, const std::string& shape, const std::string& fortran = "False") {
    return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

class Npy : public testing::Test {
protected:
    Tensor read(const Bytes& file) { return decode_npy(file, "array.npy"); }
    std::string failure(const Bytes& file) {
        const std::string message = message_of([&] { (void)read(file); });
        EXPECT_TRUE(contains(message, "array.npy"));
        return message;
    }

    Folder folder_;
};

TEST_F(Npy, round_trip_of_every_rank) {
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{0}, Shape{2, 3}, Shape{1, 19, 4, 8}, Shape(32, 1)}) {
        Tensor tensor(shape);
        for (size_t i = 0; i < tensor.data.size(); ++i) tensor.data[i] = static_cast<float>(i) - 1.5f;
        write_npy(folder_ / "array.npy", shape, tensor.data);
        const Bytes file = content(folder_ / "array.npy");
        EXPECT_EQ((file.size() - tensor.data.size() * 4) % 64, 0u);
        const Tensor back = read_npy(folder_ / "array.npy");
        EXPECT_EQ(back.shape, shape);
        EXPECT_EQ(back.data, tensor.data);
    }
}

TEST_F(Npy, header_is_the_one_numpy_writes) {
    const std::vector<float> values(6);
    write_npy(folder_ / "array.npy", {6}, values);
    const Bytes file = content(folder_ / "array.npy");
    const std::string expected = "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }";
    EXPECT_EQ(std::string(file.begin() + 10, file.begin() + 10 + static_cast<ptrdiff_t>(expected.size())), expected);
    EXPECT_EQ(file[6], 1);
    EXPECT_EQ(file[127], '\n');
    EXPECT_EQ(file.size(), 128u + 24u);
}

TEST_F(Npy, special_values_survive) {
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> values{infinity, -infinity, std::nanf(""), -0.0f, 1e-45f};
    write_npy(folder_ / "array.npy", {5}, values);
    const Tensor back = read_npy(folder_ / "array.npy");
    EXPECT_EQ(std::memcmp(back.data.data(), values.data(), 20), 0);
}

TEST_F(Npy, other_types_become_float) {
    const std::vector<float> expected{0, 1, 100};
    EXPECT_EQ(read(make_npy(dictionary("<f8", "(3,)"), bytes_of<double>({0, 1, 100}))).data, expected);
    EXPECT_EQ(read(make_npy(dictionary("|u1", "(3,)"), bytes_of<uint8_t>({0, 1, 100}))).data, expected);
    EXPECT_EQ(read(make_npy(dictionary("<i8", "(3,)"), bytes_of<int64_t>({0, 1, 100}))).data, expected);
    EXPECT_EQ(read(make_npy(dictionary("<i4", "(3,)"), bytes_of<int32_t>({0, 1, 100}))).data, expected);
    EXPECT_EQ(read(make_npy(dictionary("<u2", "(3,)"), bytes_of<uint16_t>({0, 1, 100}))).data, expected);
    EXPECT_EQ(read(make_npy(dictionary("<i8", "(1,)"), bytes_of<int64_t>({-7}))).data, std::vector<float>{-7});
    const std::vector<float> halves{1.0f, -2.0f, 65504.0f, std::ldexp(1.0f, -24), -0.0f};
    EXPECT_EQ(
        read(make_npy(dictionary("<f2", "(5,)"), bytes_of<uint16_t>({0x3C00, 0xC000, 0x7BFF, 0x0001, 0x8000}))).data,
        halves);
    const Tensor special = read(make_npy(dictionary("<f2", "(3,)"), bytes_of<uint16_t>({0x7C00, 0xFC00, 0x7E00})));
    EXPECT_EQ(special.data[0], INFINITY);
    EXPECT_EQ(special.data[1], -INFINITY);
    EXPECT_TRUE(std::isnan(special.data[2]));
}

TEST_F(Npy, fortran_order_is_transposed) {
    const Bytes data = bytes_of<float>({0, 3, 1, 4, 2, 5});
    const Tensor matrix = read(make_npy(dictionary("<f4", "(2, 3)", "True"), data));
    EXPECT_EQ(matrix.shape, (Shape{2, 3}));
    EXPECT_EQ(matrix.data, (std::vector<float>{0, 1, 2, 3, 4, 5}));
    // Index (i, j, k) of a 2x3x2 array lies at i + 2 j + 6 k.
    const Tensor cube = read(make_npy(dictionary("|u1", "(2, 3, 2)", "True"), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
    EXPECT_EQ(cube.data, (std::vector<float>{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}));
    EXPECT_EQ(read(make_npy(dictionary("<f4", "(0, 3)", "True"), {})).shape, (Shape{0, 3}));
    EXPECT_EQ(read(make_npy(dictionary("|u1", "()", "True"), {7})).data, std::vector<float>{7});
}

TEST_F(Npy, other_spellings_of_the_header) {
    const Bytes one = bytes_of<float>({1});
    EXPECT_EQ(read(make_npy(dictionary("<f4", "(1,)"), one, 2)).data[0], 1);
    EXPECT_EQ(read(make_npy(dictionary("<f4", "(1,)"), one, 3)).data[0], 1);
    EXPECT_EQ(read(make_npy("{\"shape\":(1L,),\"descr\":\"<f4\",\"fortran_order\":False}   ", one)).data[0], 1);
    EXPECT_EQ(read(make_npy(dictionary("<f4", "( 1 , 1 )"), one)).shape, (Shape{1, 1}));
}

TEST_F(Npy, size_must_be_what_the_header_says) {
    const Bytes data = bytes_of<float>({1, 2, 3});
    for (const char* shape : {"(2,)", "(4,)", "(3, 1000000000000)", "(9223372036854775807, 9223372036854775807)",
                              "(4611686018427387904, 4)", "(0,)", "(0, 9223372036854775807, 4)"}) {
        EXPECT_TRUE(contains(failure(make_npy(dictionary("<f4", shape), data)), "holds 12 bytes of data")) << shape;
    }
    EXPECT_TRUE(contains(failure(make_npy(dictionary("<f8", "(1,)"), data)), "holds 12 bytes"));
}

TEST_F(Npy, hostile_headers_are_refused) {
    const Bytes data = bytes_of<float>({1});
    for (const char* text : {
             "",
             "{",
             "}",
             "{}",
             "[]",
             "{'descr'",
             "{'descr':",
             "{'descr': '<f4",
             "{'descr': '<f4'}",
             "{'shape': (1,)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (1",
             "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
             "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} extra",
             "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
             "{'descr': ,}",
             "{,}",
             "{'' '' ''}",
         }) {
        EXPECT_TRUE(contains(failure(make_npy(text, data)), "damaged NumPy header")) << text;
    }
    std::string extents;
    for (int i = 0; i < 1000; ++i) extents += "1, ";
    EXPECT_TRUE(contains(failure(make_npy(dictionary("<f4", "(" + extents + ")"), data)), "more than 32 extents"));
    EXPECT_TRUE(contains(failure(make_npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", data)),
                         "holds records"));
    EXPECT_TRUE(contains(failure(make_npy(dictionary(">f4", "(1,)"), data)), "big-endian"));
    EXPECT_TRUE(contains(failure(make_npy(dictionary("|O", "(1,)"), data)), "type '|O'"));
    EXPECT_TRUE(contains(failure(make_npy(dictionary("<c8", "(1,)"), data)), "type '<c8'"));
    EXPECT_TRUE(contains(failure(make_npy(dictionary("<f4", "(1,)"), data, 4)), "version 4"));
    EXPECT_TRUE(contains(failure(make_npy(dictionary("<f4", "(1,)"), data, 0)), "version 0"));
}

TEST_F(Npy, every_truncation_is_refused) {
    for (int version : {1, 2}) {
        const Bytes whole = make_npy(dictionary("<f4", "(3,)"), bytes_of<float>({1, 2, 3}), version);
        for (size_t size = 0; size < whole.size(); ++size) {
            (void)failure(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)));
        }
        Bytes longer = whole;
        longer.push_back(0);
        (void)failure(longer);
    }
}

TEST_F(Npy, every_damaged_byte_is_read_or_refused) {
    const Bytes whole = make_npy(dictionary("<f4", "(3,)"), bytes_of<float>({1, 2, 3}));
    for (size_t at = 0; at < whole.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            Bytes damaged = whole;
            damaged[at] = static_cast<uint8_t>(value);
            if (value % 5 == 0) (void)message_of([&] { (void)read(damaged); });
        }
    }
}

TEST_F(Npy, says_what_the_file_is) {
    EXPECT_TRUE(contains(failure({}), "is empty"));
    EXPECT_TRUE(contains(failure({'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0, 0, 0}), "is not a NumPy .npy file"));
    EXPECT_TRUE(contains(message_of([&] { (void)read_npy(folder_ / "none.npy"); }), "does not exist"));
    EXPECT_TRUE(contains(message_of([&] { (void)read_npy(folder_.path()); }), "is a folder"));
}

TEST_F(Npy, full_disk_leaves_nothing) {
    const std::vector<float> values(10'000);
    const FileSizeLimit limit(4096);
    EXPECT_TRUE(contains(message_of([&] { write_npy(folder_ / "big.npy", {10'000}, values); }), "big.npy"));
    EXPECT_TRUE(folder_.names().empty());
}

}  // namespace
}  // namespace vkseg::app::test
