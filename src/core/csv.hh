// CSV text -> flows. docs/reference.md says what is accepted.
#pragma once

#include <string_view>

#include "flow.hh"

namespace fas {

// Feeds each flow of `text` to `sink`, in order, and returns how many. `text` is UTF-8 without NUL, as any text of
// PostgreSQL's; a byte order mark at its beginning is passed over, and so are lines without a character. Memory stays
// bounded whatever the length, but for names with quotation marks in them and the columns of a header.
//
// A first line that names all six columns is a header: it tells their order, and further columns are ignored. No line
// of data can be taken for one, since three of its fields are numbers. Without a header the columns are those of the
// relation `flows`, in its order.
//
// Throws Error:
//   22P02 text that is no CSV (see csv_reader.hh);
//   22023 CSV that is no flows: the line (from 1), the column, what was found.
// The sink may have seen flows before an error is found: whoever calls must then drop them.
uint64_t parse_csv_flows(std::string_view text, FlowSink &sink);

} // namespace fas
