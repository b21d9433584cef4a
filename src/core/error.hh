// The one exception type that src/core throws.
//
// A core error carries what PostgreSQL's ereport() wants: SQLSTATE, message, detail, hint. The core knows no
// PostgreSQL header, so the SQLSTATE travels as its five characters; src/pg/guard.hh turns it into an ereport().
//
// Style (PostgreSQL's): the message is lower case without a final stop and names no function; the detail is one or
// more sentences; the hint tells a person what to do.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace fas {

namespace sqlstate {
inline constexpr const char *invalid_parameter_value = "22023";
inline constexpr const char *invalid_text_representation = "22P02";
inline constexpr const char *invalid_binary_representation = "22P03";
inline constexpr const char *numeric_value_out_of_range = "22003";
inline constexpr const char *data_corrupted = "XX001";
inline constexpr const char *program_limit_exceeded = "54000";
inline constexpr const char *statement_too_complex = "54001";
inline constexpr const char *out_of_memory = "53200";
} // namespace sqlstate

class Error : public std::exception {
  public:
    Error(const char *sqlstate, std::string message, std::string detail = {}, std::string hint = {})
        : sqlstate_(sqlstate), message_(std::move(message)), detail_(std::move(detail)), hint_(std::move(hint)) {}

    const char *sqlstate() const noexcept { return sqlstate_; }
    const std::string &message() const noexcept { return message_; }
    const std::string &detail() const noexcept { return detail_; }
    const std::string &hint() const noexcept { return hint_; }
    const char *what() const noexcept override { return message_.c_str(); }

  private:
    const char *sqlstate_; // a literal of namespace sqlstate
    std::string message_, detail_, hint_;
};

// Throws what every reader answers to bytes that can't be a segment: SQLSTATE XX001 with `detail`.
[[noreturn]] void throw_corrupted(std::string detail);

} // namespace fas
