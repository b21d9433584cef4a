// See numeric.hh.
#include "numeric.hh"

extern "C" {
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
}

namespace fas::pg {

namespace {

// numeric's digits are numbers of four decimal digits; 2^128 needs ten of them.
constexpr unsigned digit_base = 10000;
constexpr int most_digits = 10;

void put_int16(char *&at, unsigned value) noexcept {
    *at++ = static_cast<char>(value >> 8);
    *at++ = static_cast<char>(value & 0xff);
}

} // namespace

Datum numeric_of(uint128 value) {
    if (value <= max_metric)
        return NumericGetDatum(int64_to_numeric(static_cast<int64>(value)));

    // Beyond bigint: through numeric's documented binary form (count, weight, sign, scale, then the digits), which is
    // exact and takes one allocation, where adding and multiplying numerics would take several.
    unsigned digits[most_digits];
    int count = 0;
    for (; value != 0; value /= digit_base)
        digits[count++] = static_cast<unsigned>(value % digit_base);

    char wire[2 * (4 + most_digits) + 1] = {};
    char *at = wire;
    put_int16(at, static_cast<unsigned>(count));
    put_int16(at, static_cast<unsigned>(count - 1));
    put_int16(at, 0);
    put_int16(at, 0);
    for (int i = count; i-- > 0;)
        put_int16(at, digits[i]);

    StringInfoData buffer = {};
    buffer.data = wire;
    buffer.len = static_cast<int>(at - wire);
    buffer.maxlen = sizeof wire;
    return DirectFunctionCall3(numeric_recv, PointerGetDatum(&buffer), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

} // namespace fas::pg
