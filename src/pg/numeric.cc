// A numeric as PostgreSQL stores it, written directly.
//
// The stored form is what lies in the tables of every cluster, and pg_upgrade carries it from release to release
// unchanged: a varlena header, 16 bits of sign, scale and weight (the short form: 0x8000 and the weight in the lowest
// bits serve an integer), and the digits to the base 10000 without those that are zero at either end. The test
// `sums` compares with PostgreSQL's own conversion.
#include "numeric.hh"

#include <bit>
#include <cstring>

namespace fas::pg {

namespace {

constexpr unsigned digit_base = 10000;
constexpr unsigned most_digits = 10; // of 2^128 - 1
constexpr uint16_t short_form = 0x8000;
constexpr uint64_t word_limit = 10000000000000000; // four digits

// The digits of `value`, most significant first; returns how many: none for zero. All ten may be written.
unsigned put_digits(uint128 value, uint16_t *digits) noexcept {
    uint16_t reversed[most_digits];
    unsigned count = 0;
    for (; value != 0; value /= digit_base)
        reversed[count++] = static_cast<uint16_t>(value % digit_base);
    for (unsigned i = 0; i < count; ++i)
        digits[i] = reversed[count - 1 - i];
    return count;
}

// The same for what most sums are, without a branch: the lengths of sums are random, and a wrong guess costs more than
// the divisions.
unsigned put_four_digits(uint64_t value, uint16_t *digits) noexcept {
    static_assert(std::endian::native == std::endian::little, "digits are packed into one word");
    constexpr uint64_t base = digit_base;
    const uint64_t word = value / (base * base * base) | value / (base * base) % base << 16 |
                          value / base % base << 32 | value % base << 48;
    const unsigned count = (value > 0) + (value >= base) + (value >= base * base) + (value >= base * base * base);
    const uint64_t left = count > 0 ? word >> 16 * (4 - count) : 0;
    std::memcpy(digits, &left, sizeof left);
    return count;
}

} // namespace

Datum numeric_in(NumericRoom &room, uint128 value) noexcept {
    uint16_t stored[1 + most_digits] = {};
    unsigned count =
        value < word_limit ? put_four_digits(static_cast<uint64_t>(value), stored + 1) : put_digits(value, stored + 1);
    stored[0] = static_cast<uint16_t>(short_form | (count > 0 ? count - 1 : 0));
    while (count > 0 && stored[count] == 0)
        --count;
    std::memcpy(room.bytes + VARHDRSZ, stored, sizeof stored); // all of it: a constant size needs no call
    SET_VARSIZE(room.bytes, VARHDRSZ + (1 + count) * sizeof(uint16_t));
    return PointerGetDatum(room.bytes);
}

Datum numeric_of(uint128 value) {
    auto *room = static_cast<NumericRoom *>(palloc(sizeof(NumericRoom)));
    return numeric_in(*room, value);
}

} // namespace fas::pg
