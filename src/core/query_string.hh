// The query string of a URL: "hour=1&src_app=a%20b" -> names and values.
//
// A web server hands it over as it stood in the request, so that no value passes through a filter's grammar on its way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fas {

struct QueryParameter {
    std::string name, value;
};

// Splits at "&" and the first "=", decodes %XX and "+" (a space), and keeps the order. One leading "?" and empty pieces
// are passed over; a piece without "=" has an empty value. Names and values are UTF-8 without NUL, names are not empty.
// Throws Error 22023 for anything else and for a name that is given twice: which of the two was meant, nobody knows.
std::vector<QueryParameter> parse_query_string(std::string_view query);

} // namespace fas
