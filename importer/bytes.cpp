#include "importer/bytes.hpp"

#include "graph/ir/error.hpp"

#include <algorithm>
#include <iterator>

namespace vkseg::importer {

std::string in_quotes(std::string_view text) {
    constexpr size_t longest = 120;
    std::string shown = "'";
    for (char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            shown += c;
        } else {
            fmt::format_to(std::back_inserter(shown), "\\x{:02x}", byte);
        }
    }
    if (text.size() > longest) shown += "...";
    return shown + "'";
}

Bytes ByteReader::take(uint64_t count) {
    if (count > remaining()) {
        throw error("'{}': is truncated or damaged: {} needs {} bytes at offset {}, and {} are left", file_, part_,
                    count, position_, remaining());
    }
    const Bytes taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
}

std::string_view ByteReader::take_line() {
    constexpr size_t longest = 1000;
    const std::string_view rest = text_of(bytes_.subspan(position_, std::min<uint64_t>(remaining(), longest)));
    const size_t length = rest.find('\n');
    if (length == std::string_view::npos) {
        throw error("'{}': is truncated or damaged: {} has a line at offset {} that never ends", file_, part_,
                    position_);
    }
    position_ += length + 1;
    return rest.substr(0, length);
}

}  // namespace vkseg::importer
