// The types roaringbitmap and roaringbitmap64: text and binary forms, and casts with bytea. Their bytes are those of
// the portable Roaring format, on disk and on the wire.
//
// Names and meanings are pg_roaringbitmap's. Text and arrays show members as SQL's integers of the same bits: 32-bit
// members above 2147483647 are negative there. Text is also read where it names them as they are.
// C symbols bear a prefix, because PostgreSQL loads modules into one name space and another extension has the same.
#include "postgres.hh"

extern "C" {
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
}

#include <charconv>
#include <cstring>
#include <limits>

#include "../core/bitmap/set.hh"
#include "../core/interrupt.hh"
#include "bitmap_datum.hh"
#include "hex.hh"
#include "settings.hh"

namespace fas::pg {

namespace {

constexpr size_t chunk = 65536; // members

bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

const char *skip_blanks(const char *at) noexcept {
    while (is_blank(*at))
        ++at;
    return at;
}

// `{1,2,3}`, members in any order and any number of times.
template <class Width> class ArrayText {
  public:
    explicit ArrayText(const char *text) : at_(skip_blanks(text)), end_(text + std::strlen(text)) {}

    typename Width::Bitmap parse() {
        if (*at_ != '{')
            fail("The text begins with neither { nor \\x.");
        at_ = skip_blanks(at_ + 1);
        if (*at_ != '}')
            parse_members();
        if (*skip_blanks(at_ + 1) != '\0')
            fail("Something follows the closing brace.");
        bitmap_.add_many(members_);
        return std::move(bitmap_);
    }

  private:
    using Value = typename Width::Value;

    void parse_members() {
        for (;;) {
            members_.push_back(parse_member());
            if (members_.size() == chunk) {
                bitmap_.add_many(members_);
                members_.clear();
                poll();
            }
            at_ = skip_blanks(at_);
            if (*at_ == '}')
                return;
            if (*at_ != ',')
                fail("Members are parted by commas, and } ends them.");
            at_ = skip_blanks(at_ + 1);
        }
    }

    // From the least signed to the greatest unsigned number of the width.
    Value parse_member() {
        using Element = typename Width::Element;
        if (*at_ == '+' && at_[1] != '-')
            ++at_;
        std::from_chars_result result;
        Value value = 0;
        if (*at_ == '-') {
            Element element = 0;
            result = std::from_chars(at_, end_, element);
            value = static_cast<Value>(element);
        } else {
            result = std::from_chars(at_, end_, value);
        }
        if (result.ec == std::errc::result_out_of_range)
            throw Error(sqlstate::numeric_value_out_of_range,
                        std::string("value is out of range for type ") + Width::type_name,
                        std::string("A member is one of type ") + Width::element_name + ", or an integer from 0 to " +
                            std::to_string(std::numeric_limits<Value>::max()) + " of the same bits.");
        if (result.ec != std::errc{})
            fail("A member is not an integer.");
        at_ = result.ptr;
        return value;
    }

    [[noreturn]] static void fail(std::string detail) {
        throw Error(sqlstate::invalid_text_representation,
                    std::string("invalid input syntax for type ") + Width::type_name, std::move(detail),
                    "Write {1,2,3}, or the portable Roaring format as \\x and hexadecimal digits.");
    }

    const char *at_, *end_;
    typename Width::Bitmap bitmap_;
    std::vector<Value> members_;
};

// At most as many characters as the number has in decimal, for enough of them.
template <class Element> size_t decimal_size(Element element) noexcept {
    constexpr size_t most = std::numeric_limits<Element>::digits10 + 2; // with the sign
    return element < 0 ? most : element < 10 ? 1 : element < 1000 ? 3 : element < 1000000 ? 6 : most - 1;
}

// The text form as an array; sizes are counted before. In phase two.
template <class Width> char *array_text(Bytes bytes) {
    using Element = typename Width::Element;
    const uint64_t count = checked_cardinality<typename Width::Value>(bytes);
    if (count > MaxAllocSize / sizeof(Element))
        throw Error(sqlstate::program_limit_exceeded, "bitmap has too many members for one value",
                    "It has " + std::to_string(count) + " members.");
    auto *elements = static_cast<Element *>(allocate(CurrentMemoryContext, count * sizeof(Element) + 1));
    copy_members(bytes, reinterpret_cast<typename Width::Value *>(elements));
    size_t size = 3;
    for (uint64_t i = 0; i < count; ++i)
        size += 1 + decimal_size(elements[i]);
    auto *out = static_cast<char *>(allocate(CurrentMemoryContext, size));
    char *at = out;
    *at++ = '{';
    for (uint64_t i = 0; i < count; ++i) {
        if (i % chunk == 0)
            poll();
        at = std::to_chars(at, out + size, elements[i]).ptr;
        *at++ = ',';
    }
    if (count > 0)
        --at;
    *at++ = '}';
    *at = '\0';
    pfree(elements);
    return out;
}

// The door for foreign bytes. Those that are as fas itself would write them are taken over; else CRoaring decides, and
// writes what it has read (it forgives wrong offsets and empty buckets, say). For phase one.
template <class Width> struct varlena *admitted(struct varlena *plain, const char *state) {
    guarded([&] {
        if (!is_sound<typename Width::Value>(payload_of(plain)))
            plain = varlena_from(Width::Bitmap::deserialize(payload_of(plain), state));
    });
    return plain;
}

template <class Width> Datum bitmap_in(FunctionCallInfo fcinfo) {
    const char *text = PG_GETARG_CSTRING(0);
    struct varlena *result = nullptr;
    if (is_hex(text))
        result = admitted<Width>(varlena_of_hex(text, Width::type_name), sqlstate::invalid_text_representation);
    else
        guarded([&] { result = varlena_from(ArrayText<Width>(text).parse()); });
    PG_RETURN_POINTER(result);
}

template <class Width> Datum bitmap_out(FunctionCallInfo fcinfo) {
    const struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
    if (settings::roaring_output_format == settings::roaring_output_bytea)
        PG_RETURN_CSTRING(hex_of_varlena(value));
    char *result = nullptr;
    guarded([&] { result = array_text<Width>(payload_of(value)); });
    PG_RETURN_CSTRING(result);
}

template <class Width> Datum bitmap_recv(FunctionCallInfo fcinfo) {
    auto *buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    const int length = buffer->len - buffer->cursor;
    auto *value = static_cast<struct varlena *>(palloc(VARHDRSZ + length));
    SET_VARSIZE(value, VARHDRSZ + length);
    pq_copymsgbytes(buffer, VARDATA(value), length);
    PG_RETURN_POINTER(admitted<Width>(value, sqlstate::invalid_binary_representation));
}

template <class Width> Datum bitmap_send(FunctionCallInfo fcinfo) { PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0)); }

// The cast from bytea; the other way needs no function. A copy, where the bytes are taken over: what a function
// returns must not share memory that its caller may free with the argument.
template <class Width> Datum bitmap_from_bytea(FunctionCallInfo fcinfo) {
    PG_RETURN_POINTER(admitted<Width>(PG_GETARG_BYTEA_P_COPY(0), sqlstate::invalid_binary_representation));
}

} // namespace

#define FAS_BITMAP_TYPE_FUNCTION(name, function)                                                                       \
    FAS_FUNCTION(fas_roaringbitmap_##name) { return function<Width32>(fcinfo); }                                       \
    FAS_FUNCTION(fas_roaringbitmap64_##name) { return function<Width64>(fcinfo); }

FAS_BITMAP_TYPE_FUNCTION(in, bitmap_in)
FAS_BITMAP_TYPE_FUNCTION(out, bitmap_out)
FAS_BITMAP_TYPE_FUNCTION(recv, bitmap_recv)
FAS_BITMAP_TYPE_FUNCTION(send, bitmap_send)
FAS_BITMAP_TYPE_FUNCTION(from_bytea, bitmap_from_bytea)

} // namespace fas::pg
