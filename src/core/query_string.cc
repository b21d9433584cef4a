// See query_string.hh. Lengths are the web server's business; time is n log n in the number of parameters.
#include "query_string.hh"

#include <algorithm>
#include <optional>

#include <simdjson.h>

#include "error.hh"

namespace fas {

namespace {

[[noreturn]] void refuse(std::string message, std::string detail, std::string hint) {
    throw Error(sqlstate::invalid_parameter_value, std::move(message), std::move(detail), std::move(hint));
}

// What is shown of a parameter that can't be decoded: printable ASCII, and not much of it.
std::string shown(std::string_view raw) {
    constexpr size_t most = 60;
    std::string out;
    for (char c : raw.substr(0, most))
        out += c > ' ' && c < 0x7f ? c : '?';
    return raw.size() > most ? out + "..." : out;
}

std::optional<unsigned> hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f')
        return lower - 'a' + 10;
    return std::nullopt;
}

std::string decode(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    for (size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '%') {
            out += raw[i] == '+' ? ' ' : raw[i];
            continue;
        }
        auto high = i + 2 < raw.size() ? hex_digit(raw[i + 1]) : std::nullopt;
        auto low = high ? hex_digit(raw[i + 2]) : std::nullopt;
        if (!low)
            refuse("percent sign without two hexadecimal digits in a parameter", "Found \"" + shown(raw) + "\".",
                   "A percent sign itself is written %25.");
        out += static_cast<char>(*high * 16 + *low);
        i += 2;
    }
    if (out.find('\0') != out.npos)
        refuse("null character in a parameter", "Found \"" + shown(raw) + "\".", "Names of flows have no %00.");
    if (!simdjson::validate_utf8(out.data(), out.size()))
        refuse("parameter is not UTF-8", "Found \"" + shown(raw) + "\".", "Percent-encode names in UTF-8.");
    return out;
}

} // namespace

std::vector<QueryParameter> parse_query_string(std::string_view query) {
    std::vector<QueryParameter> parameters;
    if (query.starts_with('?'))
        query.remove_prefix(1);
    while (!query.empty()) {
        std::string_view piece = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(piece.size() + 1, query.size()));
        if (piece.empty())
            continue;
        size_t equals = piece.find('=');
        std::string name = decode(piece.substr(0, equals));
        if (name.empty())
            refuse("parameter without a name", "Found \"" + shown(piece) + "\".", "Parameters are written name=value.");
        parameters.push_back({std::move(name), equals == piece.npos ? "" : decode(piece.substr(equals + 1))});
    }

    std::vector<std::string_view> names;
    for (const QueryParameter &parameter : parameters)
        names.push_back(parameter.name);
    std::sort(names.begin(), names.end());
    auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end())
        refuse("parameter \"" + shown(*twice) + "\" is given twice", "Parameters are given once.",
               "Several values are one JSON array: src_app=[\"a\",\"b\"].");
    return parameters;
}

} // namespace fas
