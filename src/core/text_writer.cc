// See text_writer.hh.
#include "text_writer.hh"

#include <cstring>

namespace fas {

namespace {

char *copy(char *out, std::string_view text) noexcept {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

bool needs_escape(char c) noexcept { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

char *write_escape(char *out, char c) noexcept {
    *out++ = '\\';
    switch (c) {
    case '"':
    case '\\':
        *out++ = c;
        return out;
    case '\b':
        *out++ = 'b';
        return out;
    case '\f':
        *out++ = 'f';
        return out;
    case '\n':
        *out++ = 'n';
        return out;
    case '\r':
        *out++ = 'r';
        return out;
    case '\t':
        *out++ = 't';
        return out;
    default:
        constexpr char digits[] = "0123456789abcdef";
        out = copy(out, "u00");
        *out++ = digits[static_cast<unsigned char>(c) >> 4];
        *out++ = digits[static_cast<unsigned char>(c) & 0xf];
        return out;
    }
}

} // namespace

char *write_json_string(char *out, std::string_view text) noexcept {
    *out++ = '"';
    for (char c : text) {
        if (needs_escape(c)) [[unlikely]]
            out = write_escape(out, c);
        else
            *out++ = c;
    }
    *out++ = '"';
    return out;
}

char *write_csv_field(char *out, std::string_view text) noexcept {
    bool plain =
        !text.empty() && text.front() != ' ' && text.back() != ' ' && text.find_first_of("\",\r\n") == text.npos;
    if (plain)
        return copy(out, text);
    *out++ = '"';
    for (char c : text) {
        if (c == '"')
            *out++ = '"';
        *out++ = c;
    }
    *out++ = '"';
    return out;
}

} // namespace fas
