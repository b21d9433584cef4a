// The bitmap types as datums: varlenas whose payload is the portable Roaring format (of 32 or 64 bits). For phase two.
//
// Bytes that lie in a table came in through a door that validated them, but can have gone bad since. What a reader
// here does not check, CRoaring must not trip over.
#pragma once

#include "postgres.hh"

#include "bitmap_width.hh"
#include "datum.hh"
#include "guard.hh"

namespace fas::pg {

// A detoasted bitmap as an object to be changed: decoded and validated.
template <class Width> typename Width::Bitmap bitmap_from(const struct varlena *plain) {
    return Width::Bitmap::deserialize(payload_of(plain), sqlstate::data_corrupted);
}

// In the current memory context; the containers are as they are.
template <class Bitmap> struct varlena *varlena_from(const Bitmap &bitmap) {
    size_t size = VARHDRSZ + bitmap.serialized_size();
    auto *out = static_cast<struct varlena *>(allocate(CurrentMemoryContext, size));
    SET_VARSIZE(out, size);
    bitmap.serialize(reinterpret_cast<uint8_t *>(VARDATA(out)));
    return out;
}

// Both for 32 bits, where row indexes are what the bitmaps hold.
inline Bitmap bitmap_of(const struct varlena *plain) { return bitmap_from<Width32>(plain); }
inline struct varlena *varlena_of_bitmap(Bitmap &bitmap) {
    bitmap.optimize(); // row indexes come in runs
    return varlena_from(bitmap);
}

} // namespace fas::pg
