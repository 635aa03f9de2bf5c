#include "graph/ir/weights.hpp"

namespace vkseg {

const char* to_string(StoredType type) {
    switch (type) {
        case StoredType::F32:
            return "f32";
        case StoredType::F64:
            return "f64";
        case StoredType::F16:
            return "f16";
        case StoredType::BF16:
            return "bf16";
        case StoredType::I64:
            return "i64";
        case StoredType::I32:
            return "i32";
        case StoredType::I16:
            return "i16";
        case StoredType::I8:
            return "i8";
        case StoredType::U8:
            return "u8";
        case StoredType::Bool:
            return "bool";
    }
    return "unknown";
}

}  // namespace vkseg
