// See segment_hours.hh.
#include "segment_hours.hh"

#include <algorithm>

#include "../core/bitmap/bitmap.hh"
#include "../core/bitmap/view.hh"
#include "bitmap_datum.hh"

namespace fas::pg {

namespace {

// A set of some hundred hours at most. A segment with more of them has something of nearly any hour that is asked for,
// and the row would have to move its sets out of line, where reading one costs as much as opening the segment.
constexpr size_t largest_set = 1024; // bytes

} // namespace

struct varlena *hours_of(SegmentReader &segment) {
    const SegmentHeader &header = segment.header();
    if (header.hours == header.hour_max - header.hour_min + 1)
        return nullptr;
    Bitmap hours;
    for (const HourEntry &entry : segment.hours())
        hours.add(entry.hour);
    hours.optimize();
    return hours.serialized_size() <= largest_set ? varlena_from(hours) : nullptr;
}

bool may_hold(struct varlena *hours, int32_t first, int32_t last) {
    struct varlena *plain = PG_DETOAST_DATUM_PACKED(PointerGetDatum(hours));
    bool found = false;
    guarded([&] {
        BitmapView view(payload_of(plain), BitmapWidth::bits32);
        found = view.range_cardinality(static_cast<uint64_t>(first), static_cast<uint64_t>(last)) > 0;
    });
    if (plain != hours)
        pfree(plain);
    return found;
}

bool are_hours_of(const struct varlena *plain, SegmentReader &segment) {
    std::vector<uint32_t> said = bitmap_of(plain).values();
    auto hours = segment.hours();
    return std::equal(said.begin(), said.end(), hours.begin(), hours.end(),
                      [](uint32_t hour, const HourEntry &entry) { return hour == entry.hour; });
}

} // namespace fas::pg
