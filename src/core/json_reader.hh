// A strict, forward-only reader of JSON text (RFC 8259) that holds no memory of its own.
//
// Why not simdjson's parsers: on-demand skips unread members without looking at them, so that each would have to be
// walked again; its mistakes have no offset, it wants a padded copy of the text, and what it lets pass differs between
// versions (a byte order mark does). The DOM refuses numbers beyond 64 bits and grows with the text. This reader
// validates everything in one pass, without a copy, whatever the length, and is no slower: 1,000 flows (132 kB) take
// 78 us here; simdjson 3.0.1 on-demand took 77 us when it trusted all that it was given. simdjson does what it alone
// does well: UTF-8 validation (1 us of the 78).
//
// All functions throw Error: 22P02 with the byte offset for what is no JSON, 54001 for nesting beyond max_depth.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "bytes.hh"

namespace fas {

// A string's text between its quotes, as it stands; its escapes are known to be well-formed.
struct JsonString {
    std::string_view raw;
    bool escaped = false; // has escapes: take unescape()
};

// A member's name that is asked for again and again.
struct JsonKey {
    std::string_view name;
    uint64_t bytes = 0, mask = 0; // of one of eight bytes at most: the word that it is, as load() gives it

    constexpr JsonKey() = default;
    constexpr explicit JsonKey(std::string_view of) : name(of) {
        for (size_t i = 0; of.size() <= sizeof bytes && i < of.size(); ++i) {
            bytes |= uint64_t{static_cast<unsigned char>(of[i])} << 8 * i;
            mask |= uint64_t{0xff} << 8 * i;
        }
    }
};

class JsonReader {
  public:
    // PostgreSQL's own parser recurses, and max_stack_depth stops it at some thousands of levels: what ::json
    // refuses for its depth is refused here too.
    static constexpr unsigned max_depth = 1024;

    // Checks that `text` is UTF-8. It must outlive the reader.
    explicit JsonReader(std::string_view text);

    // The next character after white space, '\0' at the end. (A NUL in the text starts no token: fail() tells.)
    char peek() noexcept {
        while (at_ < end_ && is_space(*at_))
            ++at_;
        return at_ < end_ ? *at_ : '\0';
    }
    void advance() noexcept { ++at_; } // past the character that peek() returned
    const char *position() const noexcept { return at_; }

    // Between members or elements: true after a comma, false after `close`.
    bool more(char close) {
        char c = peek();
        if (c != ',' && c != close)
            fail(close == ']' ? "expected \",\" or \"]\"" : "expected \",\" or \"}\"");
        ++at_;
        return c == ',';
    }

    JsonString key(); // a member's name and the colon

    // Whether the next member's name is `name`, written as fas itself would write it; then it has been read.
    bool accept_key(const JsonKey &key) noexcept {
        const size_t size = key.name.size();
        if (peek() != '"' || static_cast<size_t>(end_ - at_) < size + 3 || at_[size + 1] != '"' ||
            at_[size + 2] != ':' || !continues_with(key))
            return false;
        at_ += size + 3;
        return true;
    }
    JsonString string() { // at its opening quote
        const char *start = ++at_;
        at_ = find_special(at_, end_);
        if (at_ < end_ && *at_ == '"') [[likely]]
            return {std::string_view(start, static_cast<size_t>(at_++ - start)), false};
        return finish_string(start);
    }
    std::string_view number(); // any number of JSON's grammar, as it stands

    // Reads a plain integer (no fraction, no exponent) of at most 18 digits and returns true; or moves nothing.
    bool small_integer(uint64_t &value) noexcept {
        const char *p = at_, *stop = end_ - at_ > 19 ? at_ + 19 : end_;
        uint64_t v = stop - p >= 8 ? eight_digits(p) : 0;
        for (unsigned digit; p < stop && (digit = static_cast<unsigned char>(*p) - unsigned{'0'}) < 10; ++p)
            v = v * 10 + digit;
        if (p == at_ || p == stop || (*at_ == '0' && p - at_ > 1) || *p == '.' || (*p | 0x20) == 'e')
            return false;
        value = v;
        at_ = p;
        return true;
    }

    void skip_value(unsigned depth); // any value; `depth` levels are open around it
    void finish();                   // nothing but white space may follow

    // The first \u escape that is half of a surrogate pair, in any string read or skipped; null when there is none.
    // ::json lets it pass and jsonb does not; it is no character, so fas refuses it.
    const char *lone_surrogate() const noexcept { return lone_surrogate_; }

    // Replaces `out` by the string's characters. Not for strings with lone surrogates.
    static void unescape(std::string_view raw, std::string &out);

    [[noreturn]] void fail(const char *expected) const; // 22P02 here

    // At most 40 bytes of the value at `at`, or its kind, for an error's detail.
    std::string describe(const char *at) const;

  private:
    // The number that the digits of the next eight bytes make, as far as they go; `p` moves past them.
    static uint64_t eight_digits(const char *&p) noexcept {
        constexpr uint64_t ones = 0x0101010101010101ULL;
        uint64_t digits = load<uint64_t>(reinterpret_cast<const uint8_t *>(p)) ^ ones * '0';
        const uint64_t others = (digits | (digits + ones * (0x80 - 10))) & ones * 0x80; // the lowest is exact
        const int count = others == 0 ? 8 : __builtin_ctzll(others) >> 3;
        if (count == 0)
            return 0;
        p += count;
        digits <<= 8 * (8 - count); // the first digit is the lowest byte: zeros before it
        digits = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ffULL;
        digits = (digits * 100 + (digits >> 16)) & 0x0000ffff0000ffffULL;
        return (digits * 10000 + (digits >> 32)) & 0xffffffff;
    }
    bool continues_with(const JsonKey &key) const noexcept { // behind the next character
        if (key.mask != 0 && end_ - at_ > static_cast<ptrdiff_t>(sizeof key.bytes)) [[likely]]
            return (load<uint64_t>(reinterpret_cast<const uint8_t *>(at_ + 1)) & key.mask) == key.bytes;
        return std::memcmp(at_ + 1, key.name.data(), key.name.size()) == 0;
    }
    static bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
    static const char *find_special(const char *p, const char *end) noexcept;
    JsonString finish_string(const char *start);
    void escape();
    void literal(std::string_view word);
    void skip_scalar(char first);
    void open(unsigned depth, bool object);

    const char *begin_, *at_, *end_;
    const char *lone_surrogate_ = nullptr;
    uint32_t tokens_ = 0;       // skipped, for poll()
    bool is_object_[max_depth]; // of each level that skip_value has open
};

// The first byte that a string can't pass over: a quote, a backslash, a control character; or `end`.
inline const char *JsonReader::find_special(const char *p, const char *end) noexcept {
    constexpr uint64_t ones = 0x0101010101010101ULL, highs = 0x8080808080808080ULL;
    while (end - p >= 8) {
        uint64_t x;
        std::memcpy(&x, p, 8);
        // A byte below n: its high bit appears in (x - n) but not in x. Bytes above a hit may be reported falsely,
        // the lowest one is exact.
        uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\';
        uint64_t hit = (((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & highs;
        if (hit != 0) {
            if constexpr (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
                return p + (__builtin_ctzll(hit) >> 3);
            break;
        }
        p += 8;
    }
    while (p < end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) >= 0x20)
        ++p;
    return p;
}

} // namespace fas
