// A JSON array of flows -> flows. DESIGN's table of what is accepted is in docs/reference.md.
#pragma once

#include <string_view>

#include "flow.hh"

namespace fas {

struct JsonOptions {
    // jsonb has normalised numbers before we see them: 5.0 is an integer there. In text and json it is refused.
    bool zero_fraction_is_integer = false;
};

// Feeds each flow of `text` to `sink`, in order, and returns how many. The whole text is validated, members that are
// ignored included; what PostgreSQL's json type refuses, this refuses. Memory stays bounded whatever the length.
// Throws Error:
//   22P02 text that is no JSON, with the byte offset in the detail;
//   54001 nesting too deep;
//   22023 JSON that is no array of flows: the flow's index (from 0), the field, what was found.
// The sink may have seen flows before an error is found: whoever calls must then drop them.
uint64_t parse_flows(std::string_view text, const JsonOptions &options, FlowSink &sink);

} // namespace fas
