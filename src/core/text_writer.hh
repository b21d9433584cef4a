// Strings as JSON (RFC 8259) and CSV (RFC 4180), written into memory that the caller has made large enough.
//
// Nothing here allocates or throws, so that src/pg may call it between PostgreSQL's own functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace fas {

// The most that one byte of text can become, and what stands around it.
inline constexpr size_t json_growth = 6, csv_growth = 2, quotes_size = 2;

// In quotes; what must be escaped is, everything else is left as it is. `text` is UTF-8. Returns the end of what was
// written, at most quotes_size + json_growth * text.size() bytes.
char *write_json_string(char *out, std::string_view text) noexcept;

// As a field: in quotes where it needs them (a quote, a comma, a line break, a space at either end, or nothing at all),
// quotes doubled. At most quotes_size + csv_growth * text.size() bytes.
char *write_csv_field(char *out, std::string_view text) noexcept;

} // namespace fas
