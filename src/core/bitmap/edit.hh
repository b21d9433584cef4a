// Changes to a serialized bitmap, made on its bytes: only the containers that change are decoded, the others are
// copied. Value is uint32_t or uint64_t, and the bytes need not be sound, as in set.hh.
#pragma once

#include <cstdint>

#include "../byte_sink.hh"
#include "../source.hh"

namespace fas {

enum class Change : uint8_t {
    fill,  // every member of the range is in
    clear, // none is
    flip,  // those that were in are out, and the other way round
    keep,  // none outside of the range is
};

// The range is [first, last], and first <= last.
template <class Value> void change(Change change, Bytes bytes, Value first, Value last, ByteSink &out);

// Every member plus `distance`; members that would be less than 0 or more than the width holds are left out.
template <class Value> void shift(Bytes bytes, __int128 distance, ByteSink &out);

// With each container as runs where that is smaller.
template <class Value> void run_optimize(Bytes bytes, ByteSink &out);

// Between the widths, as SQL's integer and bigint: members are taken as signed numbers. Narrowing throws
// numeric_value_out_of_range where one is no integer.
void widen(Bytes bytes, ByteSink &out);
void narrow(Bytes bytes, ByteSink &out);

} // namespace fas
