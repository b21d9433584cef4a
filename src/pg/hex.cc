// See hex.hh. Sixteen bytes at a time where the processor can (SSE2, which every x86-64 has), the rest one by one.
#include "hex.hh"

extern "C" {
#include "utils/memutils.h"
}

#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "datum.hh"

namespace fas::pg {

namespace {

int digit_of(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool is_blank(char c) noexcept { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

[[noreturn]] void raise_not_hex(const char *type, const char *detail) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid input syntax for type %s", type),
                    errdetail_internal("%s", detail)));
    pg_unreachable();
}

#if defined(__SSE2__)
// The values of sixteen digits; what is no digit clears bytes of `good`.
__m128i values_of(__m128i text, __m128i &good) noexcept {
    const __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    const __m128i letter = _mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
    good = _mm_and_si128(good, _mm_or_si128(is_digit, is_letter));
    return _mm_or_si128(_mm_and_si128(is_digit, digit),
                        _mm_andnot_si128(is_digit, _mm_add_epi8(letter, _mm_set1_epi8(10))));
}

// Sixteen values as eight bytes, each in 16 bits.
__m128i paired(__m128i values) noexcept {
    return _mm_and_si128(_mm_or_si128(_mm_slli_epi16(values, 4), _mm_srli_epi16(values, 8)), _mm_set1_epi16(0xff));
}

// Decodes while 32 characters in a row are digits.
void decode_blocks(const char *&text, const char *end, char *&out) noexcept {
    for (; end - text >= 32; text += 32, out += 16) {
        __m128i good = _mm_set1_epi8(-1);
        const __m128i first = values_of(_mm_loadu_si128(reinterpret_cast<const __m128i *>(text)), good);
        const __m128i second = values_of(_mm_loadu_si128(reinterpret_cast<const __m128i *>(text + 16)), good);
        if (_mm_movemask_epi8(good) != 0xffff)
            return;
        _mm_storeu_si128(reinterpret_cast<__m128i *>(out), _mm_packus_epi16(paired(first), paired(second)));
    }
}

__m128i digits_of(__m128i values) noexcept {
    const __m128i beyond = _mm_and_si128(_mm_cmpgt_epi8(values, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));
    return _mm_add_epi8(_mm_add_epi8(values, _mm_set1_epi8('0')), beyond);
}

void encode_blocks(Bytes &bytes, char *&out) noexcept {
    const __m128i low = _mm_set1_epi8(0x0f);
    for (; bytes.size() >= 16; bytes = bytes.subspan(16), out += 32) {
        const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i *>(bytes.data()));
        const __m128i highs = digits_of(_mm_and_si128(_mm_srli_epi16(here, 4), low));
        const __m128i lows = digits_of(_mm_and_si128(here, low));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(out), _mm_unpacklo_epi8(highs, lows));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(out + 16), _mm_unpackhi_epi8(highs, lows));
    }
}
#else
void decode_blocks(const char *&, const char *, char *&) noexcept {}
void encode_blocks(Bytes &, char *&) noexcept {}
#endif

} // namespace

bool is_hex(const char *text) noexcept { return text[0] == '\\' && text[1] == 'x'; }

struct varlena *varlena_of_hex(const char *text, const char *type) {
    if (!is_hex(text))
        raise_not_hex(type, "The text does not begin with \\x.");
    text += 2;
    const char *end = text + std::strlen(text);
    auto *out = static_cast<struct varlena *>(palloc(VARHDRSZ + static_cast<size_t>(end - text) / 2));
    char *at = VARDATA(out);
    for (;;) {
        decode_blocks(text, end, at);
        // A block that is none, because it has a blank in it, say, or a short one at the end.
        for (const char *block_end = end - text < 32 ? end : text + 32; text < block_end;) {
            if (is_blank(*text)) {
                ++text;
                continue;
            }
            int high = digit_of(text[0]);
            int low = text[0] != '\0' ? digit_of(text[1]) : -1;
            if (high < 0 || low < 0)
                raise_not_hex(type, "After \\x stand pairs of hexadecimal digits, and nothing else.");
            *at++ = static_cast<char>(high << 4 | low);
            text += 2;
        }
        if (text == end)
            break;
    }
    SET_VARSIZE(out, at - reinterpret_cast<char *>(out));
    return out;
}

char *hex_of_varlena(const struct varlena *plain) {
    Bytes bytes = payload_of(plain);
    size_t size = 2 + 2 * bytes.size() + 1;
    if (!AllocSizeIsValid(size))
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("value is too large for its text form"),
                        errhint("Fetch it in binary form.")));
    auto *out = static_cast<char *>(palloc(size));
    out[0] = '\\';
    out[1] = 'x';
    char *at = out + 2;
    encode_blocks(bytes, at);
    for (const uint8_t byte : bytes) {
        *at++ = "0123456789abcdef"[byte >> 4];
        *at++ = "0123456789abcdef"[byte & 15];
    }
    *at = '\0';
    return out;
}

} // namespace fas::pg
