// What a gatherer holds (core/bitmap/gather.hh) as a datum of a bitmap type. For phase two.
#pragma once

#include "postgres.hh"

#include "../core/bitmap/gather.hh"
#include "bitmap_width.hh"
#include "guard.hh"

namespace fas::pg {

template <class Width> inline constexpr BitmapWidth view_width = BitmapWidth::bits32;
template <> inline constexpr BitmapWidth view_width<Width64> = BitmapWidth::bits64;

// In the current memory context.
template <class Width> struct varlena *varlena_of_gathered(BitmapGatherer &gatherer) {
    BitmapWriter writer(gatherer, view_width<Width>);
    size_t size = VARHDRSZ + writer.size();
    auto *out = static_cast<struct varlena *>(allocate(CurrentMemoryContext, size));
    SET_VARSIZE(out, size);
    writer.write(reinterpret_cast<uint8_t *>(VARDATA(out)));
    return out;
}

} // namespace fas::pg
