#include "importer/pickle.hpp"

#include "graph/ir/error.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <unordered_map>
#include <utility>

namespace vkseg::importer {
namespace {

constexpr auto known_globals = std::to_array<KnownGlobal>({
    {"collections.OrderedDict", GlobalRole::Dict},
    {"__builtin__.dict", GlobalRole::Dict},
    {"builtins.dict", GlobalRole::Dict},
    {"torch._utils._rebuild_tensor", GlobalRole::RebuildTensor},
    {"torch._utils._rebuild_tensor_v2", GlobalRole::RebuildTensor},
    {"torch._utils._rebuild_parameter", GlobalRole::RebuildParameter},
    {"torch.DoubleStorage", GlobalRole::StorageType, StoredType::F64},
    {"torch.FloatStorage", GlobalRole::StorageType, StoredType::F32},
    {"torch.HalfStorage", GlobalRole::StorageType, StoredType::F16},
    {"torch.BFloat16Storage", GlobalRole::StorageType, StoredType::BF16},
    {"torch.LongStorage", GlobalRole::StorageType, StoredType::I64},
    {"torch.IntStorage", GlobalRole::StorageType, StoredType::I32},
    {"torch.ShortStorage", GlobalRole::StorageType, StoredType::I16},
    {"torch.CharStorage", GlobalRole::StorageType, StoredType::I8},
    {"torch.ByteStorage", GlobalRole::StorageType, StoredType::U8},
    {"torch.BoolStorage", GlobalRole::StorageType, StoredType::Bool},
});

const KnownGlobal* find_global(std::string_view name) {
    const auto it = std::ranges::find(known_globals, name, &KnownGlobal::name);
    return it == known_globals.end() ? nullptr : &*it;
}

const KnownGlobal* find_global(std::string_view module, std::string_view name) {
    if (const KnownGlobal* known = find_global(std::string(module) + '.' + std::string(name))) return known;
    // The same storage types under the names of a GPU's storages and of the module that defines them.
    if (module != "torch.cuda" && module != "torch.storage") return nullptr;
    const KnownGlobal* known = find_global("torch." + std::string(name));
    return known != nullptr && known->role == GlobalRole::StorageType ? known : nullptr;
}

/// CPython's pickle machine, reduced to the opcodes that build plain data.
class Machine {
public:
    explicit Machine(ByteReader& in) : in_(in) {}

    Pickle run();

private:
    void step(uint8_t opcode);

    template <typename... Args>
    [[nodiscard]] Error damaged(fmt::format_string<Args...> text, Args&&... args) const {
        return error("'{}': {} is damaged: {}", in_.file(), in_.part(), fmt::format(text, std::forward<Args>(args)...));
    }
    [[nodiscard]] Error refused(const std::string& what) const {
        return error("'{}': asks for {}, which a tensor file never needs; refused", in_.file(), what);
    }

    void push(ValueId id) {
        if (stack_.size() >= max_pickle_values) throw damaged("its stack exceeds {} values", max_pickle_values);
        stack_.push_back(id);
    }
    void push(Value value);
    void push_int(int64_t integer) { push(Value{.kind = Value::Kind::Int, .integer = integer}); }
    void push_text(std::string_view text) { push(Value{.kind = Value::Kind::Text, .text = text}); }
    void push_long(std::string_view digits);
    void push_global(std::string_view module, std::string_view name);
    void push_container(Value::Kind kind, std::vector<ValueId> items);

    /// Values below the innermost mark belong to an unfinished container and are out of reach.
    [[nodiscard]] size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
    [[nodiscard]] ValueId top_id() const;
    [[nodiscard]] ValueId pop();
    [[nodiscard]] std::vector<ValueId> pop_last(size_t count);
    [[nodiscard]] std::vector<ValueId> pop_to_mark();

    void append(Value::Kind kind, std::span<const ValueId> items);
    void remember(uint32_t index);
    void recall(uint32_t index);
    void reduce();
    void build();

    ByteReader& in_;
    Pickle pickle_;
    std::vector<ValueId> stack_;
    std::vector<size_t> marks_;
    std::unordered_map<uint32_t, ValueId> memo_;
    size_t item_count_ = 0;
};

void Machine::push(Value value) {
    auto& values = pickle_.values;
    if (values.size() >= max_pickle_values) throw damaged("it holds more than {} values", max_pickle_values);
    values.push_back(std::move(value));
    push(static_cast<ValueId>(values.size() - 1));
}

void Machine::push_long(std::string_view digits) {
    if (digits.size() > sizeof(int64_t)) return push(Value{.kind = Value::Kind::BigInt, .text = digits});
    uint64_t number = !digits.empty() && static_cast<signed char>(digits.back()) < 0 ? ~uint64_t{0} : 0;
    for (size_t i = digits.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(digits[i]);
    push_int(static_cast<int64_t>(number));
}

void Machine::push_global(std::string_view module, std::string_view name) {
    const KnownGlobal* known = find_global(module, name);
    if (known != nullptr) return push(Value{.kind = Value::Kind::Global, .global = known});
    const std::string asked = in_quotes(std::string(module) + '.' + std::string(name));
    if (module == "torch" || module.starts_with("torch.")) {
        throw error("'{}': asks for {}, which is no part of a plain state dict (expected model.state_dict() saved)",
                    in_.file(), asked);
    }
    throw refused(asked);
}

void Machine::push_container(Value::Kind kind, std::vector<ValueId> items) {
    push(Value{.kind = kind});
    append(kind, items);
}

ValueId Machine::top_id() const {
    if (stack_.size() <= floor()) throw damaged("it uses a value that is not there (offset {})", in_.position());
    return stack_.back();
}

ValueId Machine::pop() {
    const ValueId id = top_id();
    stack_.pop_back();
    return id;
}

std::vector<ValueId> Machine::pop_last(size_t count) {
    std::vector<ValueId> items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    return items;
}

std::vector<ValueId> Machine::pop_to_mark() {
    if (marks_.empty()) throw damaged("it closes what it never opened (offset {})", in_.position());
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<ValueId> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
}

/// Adds to the container on top of the stack, which must be of the given kind.
void Machine::append(Value::Kind kind, std::span<const ValueId> items) {
    Value& container = pickle_.values[top_id()];
    if (container.kind != kind) throw damaged("it adds entries to {}", describe(container));
    if (kind == Value::Kind::Dict && items.size() % 2 != 0) throw damaged("a dict has a key without a value");
    // Containers can be copied out of memorised lists, a few bytes of file for each copy.
    item_count_ += items.size();
    if (item_count_ > 2 * max_pickle_values) throw damaged("it holds more than {} entries", 2 * max_pickle_values);
    for (ValueId item : items) container.depth = std::max(container.depth, pickle_.values[item].depth + 1);
    if (container.depth > max_pickle_depth) throw damaged("it nests deeper than {} levels", max_pickle_depth);
    container.items.insert(container.items.end(), items.begin(), items.end());
}

void Machine::remember(uint32_t index) {
    if (memo_.size() >= max_pickle_values) throw damaged("it memorises more than {} values", max_pickle_values);
    memo_[index] = top_id();
}

void Machine::recall(uint32_t index) {
    const auto it = memo_.find(index);
    if (it == memo_.end()) throw damaged("it recalls value {}, which it never memorised", index);
    push(it->second);
}

void Machine::reduce() {
    const ValueId arguments_id = pop();
    const ValueId function_id = pop();
    const Value& function = pickle_[function_id];
    const Value& arguments = pickle_[arguments_id];
    if (function.kind != Value::Kind::Global) throw damaged("it calls {}", describe(function));
    if (arguments.kind != Value::Kind::Tuple) throw damaged("it calls a function with {}", describe(arguments));
    const KnownGlobal* global = function.global;
    if (global->role == GlobalRole::StorageType) throw refused(fmt::format("a call of '{}'", global->name));
    if (global->role != GlobalRole::Dict) {
        push(Value{.kind = Value::Kind::Call, .global = global});
        return append(Value::Kind::Call, std::span(&arguments_id, 1));
    }
    // Python 2 passes the entries as one list of pairs; Python 3 passes nothing and sets them afterwards.
    std::vector<ValueId> entries;
    if (arguments.items.size() > 1) throw damaged("it makes a dict from {} arguments", arguments.items.size());
    if (arguments.items.size() == 1) {
        const Value& list = pickle_[arguments.items[0]];
        if (list.kind != Value::Kind::List) throw damaged("it makes a dict from {}", describe(list));
        for (ValueId id : list.items) {
            const Value& pair = pickle_[id];
            if ((pair.kind != Value::Kind::List && pair.kind != Value::Kind::Tuple) || pair.items.size() != 2) {
                throw damaged("it makes a dict from something other than pairs");
            }
            entries.insert(entries.end(), pair.items.begin(), pair.items.end());
        }
    }
    push_container(Value::Kind::Dict, std::move(entries));
}

/// Sets attributes of an object. State dicts carry one, the OrderedDict's `_metadata` (module versions): not needed.
void Machine::build() {
    const Value& state = pickle_[pop()];
    const Value& object = pickle_[top_id()];
    if (object.kind != Value::Kind::Dict || state.kind != Value::Kind::Dict) {
        throw refused(fmt::format("{} as the attributes of {}", describe(state), describe(object)));
    }
}

void Machine::step(uint8_t opcode) {
    using Kind = Value::Kind;
    switch (opcode) {
        case '(':  // MARK
            if (marks_.size() >= max_pickle_depth) throw damaged("it nests deeper than {} levels", max_pickle_depth);
            marks_.push_back(stack_.size());
            break;
        case '0':  // POP: what it discards may be the mark itself
            if (stack_.size() == floor() && !marks_.empty()) {
                marks_.pop_back();
            } else {
                static_cast<void>(pop());
            }
            break;
        case '1':  // POP_MARK
            static_cast<void>(pop_to_mark());
            break;
        case 'N':  // NONE
            push(Value{});
            break;
        case 0x88:  // NEWTRUE
            push(Value{.kind = Kind::Bool, .integer = 1});
            break;
        case 0x89:  // NEWFALSE
            push(Value{.kind = Kind::Bool});
            break;
        case 'J':  // BININT
            push_int(in_.take_number<int32_t>());
            break;
        case 'K':  // BININT1
            push_int(in_.take_number<uint8_t>());
            break;
        case 'M':  // BININT2
            push_int(in_.take_number<uint16_t>());
            break;
        case 0x8a:  // LONG1
            push_long(in_.take_text(in_.take_number<uint8_t>()));
            break;
        case 0x8b:  // LONG4: a signed length in the format; a negative one reads as far too large
            push_long(in_.take_text(in_.take_number<uint32_t>()));
            break;
        case 'G': {  // BINFLOAT, the one big-endian number
            uint64_t bits = 0;
            for (uint8_t byte : in_.take(sizeof(bits))) bits = bits << 8 | byte;
            push(Value{.kind = Kind::Float, .real = std::bit_cast<double>(bits)});
            break;
        }
        case 0x8c:  // SHORT_BINUNICODE
        case 'U':   // SHORT_BINSTRING, Python 2's text
            push_text(in_.take_text(in_.take_number<uint8_t>()));
            break;
        case 'X':  // BINUNICODE
        case 'T':  // BINSTRING
            push_text(in_.take_text(in_.take_number<uint32_t>()));
            break;
        case 0x8d:  // BINUNICODE8
            push_text(in_.take_text(in_.take_number<uint64_t>()));
            break;
        case ')':  // EMPTY_TUPLE
            push(Value{.kind = Kind::Tuple});
            break;
        case 0x85:  // TUPLE1
        case 0x86:  // TUPLE2
        case 0x87:  // TUPLE3
            push_container(Kind::Tuple, pop_last(opcode - 0x84u));
            break;
        case 't':  // TUPLE
            push_container(Kind::Tuple, pop_to_mark());
            break;
        case ']':  // EMPTY_LIST
            push(Value{.kind = Kind::List});
            break;
        case 'l':  // LIST
            push_container(Kind::List, pop_to_mark());
            break;
        case 'a':  // APPEND
            append(Kind::List, pop_last(1));
            break;
        case 'e':  // APPENDS
            append(Kind::List, pop_to_mark());
            break;
        case '}':  // EMPTY_DICT
            push(Value{.kind = Kind::Dict});
            break;
        case 'd':  // DICT
            push_container(Kind::Dict, pop_to_mark());
            break;
        case 's':  // SETITEM
            append(Kind::Dict, pop_last(2));
            break;
        case 'u':  // SETITEMS
            append(Kind::Dict, pop_to_mark());
            break;
        case 'c': {  // GLOBAL
            const std::string_view module = in_.take_line();
            push_global(module, in_.take_line());
            break;
        }
        case 0x93: {  // STACK_GLOBAL
            const std::vector<ValueId> names = pop_last(2);
            const Value& module = pickle_[names[0]];
            const Value& name = pickle_[names[1]];
            if (module.kind != Kind::Text || name.kind != Kind::Text) throw damaged("it names a global without text");
            push_global(module.text, name.text);
            break;
        }
        case 'R':  // REDUCE
            reduce();
            break;
        case 'b':  // BUILD
            build();
            break;
        case 'Q':  // BINPERSID
            push_container(Kind::Persistent, pop_last(1));
            break;
        case 'q':  // BINPUT
            remember(in_.take_number<uint8_t>());
            break;
        case 'r':  // LONG_BINPUT
            remember(in_.take_number<uint32_t>());
            break;
        case 0x94:  // MEMOIZE
            remember(static_cast<uint32_t>(memo_.size()));
            break;
        case 'h':  // BINGET
            recall(in_.take_number<uint8_t>());
            break;
        case 'j':  // LONG_BINGET
            recall(in_.take_number<uint32_t>());
            break;
        case 0x95: {  // FRAME: a hint for buffered readers
            const auto length = in_.take_number<uint64_t>();
            if (length > in_.remaining()) throw damaged("a frame of {} bytes goes past the end", length);
            break;
        }
        default:
            throw refused(fmt::format("pickle opcode 0x{:02x} (offset {})", opcode, in_.position() - 1));
    }
}

Pickle Machine::run() {
    if (in_.take_number<uint8_t>() != 0x80) throw damaged("it does not begin as a pickle");
    const auto protocol = in_.take_number<uint8_t>();
    if (protocol < 2 || protocol > 5) throw damaged("it has protocol {}, expected 2 to 5", protocol);
    for (;;) {
        const auto opcode = in_.take_number<uint8_t>();
        if (opcode == '.') break;
        step(opcode);
    }
    pickle_.root = pop();
    return std::move(pickle_);
}

}  // namespace

Pickle read_pickle(ByteReader& in) {
    return Machine(in).run();
}

const Value* find(const Pickle& pickle, const Value& dict, std::string_view key) {
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
        const Value& candidate = pickle[dict.items[i]];
        if (candidate.kind == Value::Kind::Text && candidate.text == key) return &pickle[dict.items[i + 1]];
    }
    return nullptr;
}

const char* describe(const Value& value) {
    // In the order of Value::Kind.
    constexpr auto names =
        std::to_array<const char*>({"None", "a bool", "an int", "an int", "a float", "text", "a tuple", "a list",
                                    "a dict", "a type or function", "a tensor", "a storage"});
    return names[static_cast<size_t>(value.kind)];
}

}  // namespace vkseg::importer
