// The fields of CSV text (RFC 4180), one after the other, without a copy.
//
// A line ends with LF, CRLF, or the end of the text. A field in quotation marks may hold commas, line ends, and
// quotation marks written twice. Whatever else a quotation mark or a carriage return may stand for elsewhere is
// refused: a guess would store wrong names. The text has no NUL and is UTF-8, as any text of PostgreSQL's.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace fas {

struct CsvField {
    std::string_view raw; // between its quotation marks, if it has them
    bool doubled = false; // has quotation marks written twice: take unescape()
};

class CsvReader {
  public:
    enum class End : uint8_t { field, line }; // what follows a field: another one, or none in this line

    explicit CsvReader(std::string_view text) noexcept : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

    // Passes over lines without a character; false at the end of the text.
    bool find_line() noexcept {
        while (at_ < end_ && (*at_ == '\n' || *at_ == '\r')) {
            if (*at_ == '\r' && at_ + 1 < end_ && at_[1] != '\n')
                break; // the next field is refused
            ++at_;
        }
        return at_ < end_;
    }

    // Throws Error 22P02 for what is no CSV.
    End read(CsvField &field) {
        const char *start = at_;
        if (start < end_ && *start == '"') [[unlikely]]
            return read_quoted(field);
        const char *p = find_special(start, end_);
        field = {std::string_view(start, static_cast<size_t>(p - start)), false};
        return finish_field(p);
    }

    const char *position() const noexcept { return at_; }
    void go_back(const char *position) noexcept { at_ = position; }
    const char *end() const noexcept { return end_; }

    // The number of the line that `at` is in, from 1. It takes time: for errors.
    uint64_t line_of(const char *at) const noexcept;

    // Replaces `out` by the field's characters.
    static void unescape(std::string_view raw, std::string &out);

  private:
    static const char *find_special(const char *p, const char *end) noexcept;
    End finish_field(const char *p) {
        if (p < end_ && *p == ',') {
            at_ = p + 1;
            return End::field;
        }
        if (p == end_ || *p == '\n') {
            at_ = p == end_ ? p : p + 1;
            return End::line;
        }
        return finish_otherwise(p);
    }
    End finish_otherwise(const char *p);
    End read_quoted(CsvField &field);
    [[noreturn]] void fail(const char *at, const char *what) const;

    const char *begin_, *at_, *end_;
};

// The first byte that an unquoted field can't pass over: a comma, a line end, a quotation mark; or `end`.
inline const char *CsvReader::find_special(const char *p, const char *end) noexcept {
#ifdef __SSE2__
    const __m128i comma = _mm_set1_epi8(','), quote = _mm_set1_epi8('"'), lf = _mm_set1_epi8('\n'),
                  cr = _mm_set1_epi8('\r');
    for (; end - p >= 16; p += 16) {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
        const __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, comma), _mm_cmpeq_epi8(x, lf)),
                                         _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, cr)));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
        if (mask != 0)
            return p + std::countr_zero(mask);
    }
#endif
    while (p < end && *p != ',' && *p != '\n' && *p != '"' && *p != '\r')
        ++p;
    return p;
}

} // namespace fas
