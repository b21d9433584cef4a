// See hex.hh.
#include "hex.hh"

extern "C" {
#include "utils/builtins.h"
#include "utils/memutils.h"
}

#include <cstring>

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

} // namespace

bool is_hex(const char *text) noexcept { return text[0] == '\\' && text[1] == 'x'; }

struct varlena *varlena_of_hex(const char *text, const char *type) {
    if (!is_hex(text))
        raise_not_hex(type, "The text does not begin with \\x.");
    text += 2;
    auto *out = static_cast<struct varlena *>(palloc(VARHDRSZ + std::strlen(text) / 2));
    char *at = VARDATA(out);
    while (*text != '\0') {
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
    hex_encode(reinterpret_cast<const char *>(bytes.data()), bytes.size(), out + 2);
    out[size - 1] = '\0';
    return out;
}

} // namespace fas::pg
