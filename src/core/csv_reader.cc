// See csv_reader.hh. A reader belongs to one call; nothing is shared.
#include "csv_reader.hh"

#include <algorithm>

#include "error.hh"
#include "interrupt.hh"

namespace fas {

void CsvReader::fail(const char *at, const char *what) const {
    throw Error(sqlstate::invalid_text_representation, "invalid CSV in line " + std::to_string(line_of(at)), what,
                "A field with a comma, a quotation mark or a line end in it stands between quotation marks, and a "
                "quotation mark in it is written twice (RFC 4180).");
}

uint64_t CsvReader::line_of(const char *at) const noexcept {
    return 1 + static_cast<uint64_t>(std::count(begin_, at, '\n'));
}

// At a carriage return or a quotation mark, behind an unquoted field or the closing quotation mark of another one.
CsvReader::End CsvReader::finish_otherwise(const char *p) {
    if (*p == '"')
        fail(p, "A quotation mark stands within a field that does not begin with one.");
    if (*p != '\r')
        fail(p, "Something follows the quotation mark that closes a field.");
    if (p + 1 < end_ && p[1] != '\n')
        fail(p, "A carriage return stands neither before a line feed nor between quotation marks.");
    at_ = std::min(p + 2, end_);
    return End::line;
}

CsvReader::End CsvReader::read_quoted(CsvField &field) {
    const char *opening = at_, *start = at_ + 1;
    field.doubled = false;
    uint32_t found = 0;
    for (const char *p = start;; p += 2) {
        p = static_cast<const char *>(std::memchr(p, '"', static_cast<size_t>(end_ - p)));
        if (p == nullptr)
            fail(opening, "The quotation mark that opens a field is not closed.");
        if (p + 1 == end_ || p[1] != '"') {
            field.raw = {start, static_cast<size_t>(p - start)};
            return finish_field(p + 1);
        }
        field.doubled = true;
        if (++found % 65536 == 0)
            poll();
    }
}

void CsvReader::unescape(std::string_view raw, std::string &out) {
    out.clear();
    uint32_t found = 0;
    for (size_t from = 0, quote; from < raw.size(); from = quote + 2) {
        if (++found % 65536 == 0)
            poll();
        quote = raw.find('"', from);
        if (quote == raw.npos) {
            out.append(raw.substr(from));
            break;
        }
        out.append(raw.substr(from, quote + 1 - from));
    }
}

} // namespace fas
