#include "graph/ir/byte_stream.hpp"

namespace vkseg {

// Not in the header, where GCC 12 sees overflows after inlining that are not there.
void ByteWriter::block(const void* data, size_t size_bytes) {
    const auto* first = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), first, first + size_bytes);
}

}  // namespace vkseg
