// See json_reader.hh. A reader belongs to one call; nothing is shared.
#include "json_reader.hh"

#include <simdjson.h>

#include "error.hh"
#include "interrupt.hh"

namespace fas {

namespace {

constexpr const char *no_json = "invalid input syntax for type json";

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_high(int unit) noexcept { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(int unit) noexcept { return unit >= 0xDC00 && unit < 0xE000; }

// The length of the UTF-8 character at `p`, 0 when there is none.
size_t character_length(const char *p, const char *end) noexcept {
    size_t left = static_cast<size_t>(end - p);
    for (size_t n = 1; n <= 4 && n <= left; ++n)
        if (simdjson::validate_utf8(p, n))
            return n;
    return 0;
}

void append_utf8(std::string &out, uint32_t c) {
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xC0 | c >> 6);
        out += static_cast<char>(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        out += static_cast<char>(0xE0 | c >> 12);
        out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (c & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | c >> 18);
        out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (c & 0x3F));
    }
}

// Four hex digits, or -1.
int parse_hex4(const char *p, const char *end) noexcept {
    if (end - p < 4)
        return -1;
    int value = 0;
    for (int i = 0; i < 4; ++i) {
        char c = p[i];
        int digit = is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

} // namespace

JsonReader::JsonReader(std::string_view text) : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {
    if (simdjson::validate_utf8(text.data(), text.size())) [[likely]]
        return;
    const char *p = begin_;
    while (size_t n = character_length(p, end_))
        p += n;
    throw Error(sqlstate::invalid_text_representation, no_json,
                "The byte at offset " + std::to_string(p - begin_) + " does not begin a valid UTF-8 character.");
}

void JsonReader::fail(const char *expected) const {
    std::string detail = "At byte offset " + std::to_string(at_ - begin_) + ": " + expected + ", found ";
    if (at_ == end_)
        detail += "the end of the text";
    else if (static_cast<unsigned char>(*at_) < 0x20)
        detail += "the control character " + std::to_string(*at_);
    else
        detail.append(1, '"').append(at_, character_length(at_, end_)).append(1, '"');
    throw Error(sqlstate::invalid_text_representation, no_json, detail + ".");
}

JsonString JsonReader::key() {
    if (peek() != '"')
        fail("expected a member's name in quotes");
    JsonString name = string();
    if (peek() != ':')
        fail("expected \":\"");
    ++at_;
    return name;
}

JsonString JsonReader::finish_string(const char *start) {
    for (;;) {
        if (at_ == end_ || static_cast<unsigned char>(*at_) < 0x20)
            fail("expected the end of a string that began before");
        if (*at_ == '"')
            return {std::string_view(start, static_cast<size_t>(at_++ - start)), true};
        escape();
        at_ = find_special(at_, end_);
    }
}

// At a backslash: checks the escape and moves past it, and past both halves of a surrogate pair.
void JsonReader::escape() {
    const char *start = at_++;
    if (at_ == end_ || *at_ == '\0' || std::strchr("\"\\/bfnrtu", *at_) == nullptr)
        fail("expected one of \"\\/bfnrtu after a backslash");
    if (*at_++ != 'u')
        return;
    int unit = parse_hex4(at_, end_);
    if (unit < 0)
        fail("expected four hexadecimal digits");
    at_ += 4;
    if (is_high(unit) && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u' && is_low(parse_hex4(at_ + 2, end_)))
        at_ += 6;
    else if ((is_high(unit) || is_low(unit)) && lone_surrogate_ == nullptr)
        lone_surrogate_ = start;
}

void JsonReader::unescape(std::string_view raw, std::string &out) {
    out.clear();
    const char *p = raw.data(), *end = p + raw.size();
    while (p < end) {
        const char *slash = static_cast<const char *>(std::memchr(p, '\\', static_cast<size_t>(end - p)));
        const char *stop = slash != nullptr ? slash : end;
        out.append(p, stop);
        if (slash == nullptr)
            return;
        char c = slash[1];
        p = slash + 2;
        switch (c) {
        case 'b':
            out += '\b';
            break;
        case 'f':
            out += '\f';
            break;
        case 'n':
            out += '\n';
            break;
        case 'r':
            out += '\r';
            break;
        case 't':
            out += '\t';
            break;
        case 'u': {
            auto unit = static_cast<uint32_t>(parse_hex4(p, end));
            p += 4;
            if (is_high(static_cast<int>(unit))) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (static_cast<uint32_t>(parse_hex4(p + 2, end)) - 0xDC00);
                p += 6;
            }
            append_utf8(out, unit);
            break;
        }
        default:
            out += c;
        }
    }
}

std::string_view JsonReader::number() {
    const char *start = at_;
    auto digits = [this] {
        if (at_ == end_ || !is_digit(*at_))
            fail("expected a digit");
        while (at_ < end_ && is_digit(*at_))
            ++at_;
    };
    if (at_ < end_ && *at_ == '-')
        ++at_;
    if (at_ < end_ && *at_ == '0')
        ++at_;
    else
        digits();
    if (at_ < end_ && *at_ == '.') {
        ++at_;
        digits();
    }
    if (at_ < end_ && (*at_ | 0x20) == 'e') {
        ++at_;
        if (at_ < end_ && (*at_ == '+' || *at_ == '-'))
            ++at_;
        digits();
    }
    return {start, static_cast<size_t>(at_ - start)};
}

void JsonReader::literal(std::string_view word) {
    for (char c : word) {
        if (at_ == end_ || *at_ != c)
            fail(word == "null" ? "expected null" : word == "true" ? "expected true" : "expected false");
        ++at_;
    }
}

void JsonReader::skip_scalar(char first) {
    switch (first) {
    case '"':
        string();
        break;
    case 't':
        literal("true");
        break;
    case 'f':
        literal("false");
        break;
    case 'n':
        literal("null");
        break;
    default:
        if (first != '-' && !is_digit(first))
            fail("expected a JSON value");
        number();
    }
}

void JsonReader::open(unsigned depth, bool object) {
    if (depth >= max_depth)
        throw Error(sqlstate::statement_too_complex, "JSON is nested too deep",
                    "More than " + std::to_string(max_depth) + " arrays and objects are open at byte offset " +
                        std::to_string(at_ - begin_) + ".");
    is_object_[depth] = object;
    ++at_;
}

// A loop and an array of levels, not recursion: the text decides the depth.
void JsonReader::skip_value(unsigned depth) {
    unsigned level = depth;
    for (;;) {
        if (++tokens_ % 4096 == 0)
            poll();
        char c = peek();
        if (c == '{' || c == '[') {
            open(level++, c == '{');
            char close = c == '{' ? '}' : ']';
            if (peek() != close) {
                if (c == '{')
                    key();
                continue;
            }
            ++at_;
            --level;
        } else {
            skip_scalar(c);
        }
        while (level > depth && !more(is_object_[level - 1] ? '}' : ']'))
            --level;
        if (level == depth)
            return;
        if (is_object_[level - 1])
            key();
    }
}

void JsonReader::finish() {
    if (peek() != '\0' || at_ != end_)
        fail("expected nothing more");
}

std::string JsonReader::describe(const char *at) const {
    constexpr ptrdiff_t longest = 40;
    if (at == end_)
        return "the end of the text";
    if (*at == '{' || *at == '[')
        return *at == '{' ? "an object" : "an array";
    const char *p = at;
    if (*at == '"') {
        for (++p; p < end_ && *p != '"'; ++p)
            if (*p == '\\' && p + 1 < end_)
                ++p;
        p = p < end_ ? p + 1 : end_;
    } else {
        while (p < end_ && !is_space(*p) && *p != ',' && *p != ']' && *p != '}')
            ++p;
    }
    if (p - at <= longest)
        return std::string(at, p);
    p = at + longest;
    while ((static_cast<unsigned char>(*p) & 0xC0) == 0x80)
        --p;
    return std::string(at, p) + "...";
}

} // namespace fas
