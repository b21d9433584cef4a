// The type roaringbitmap as a datum: a varlena whose payload is the portable Roaring format. For phase two.
#pragma once

#include "postgres.hh"

#include "../core/bitmap.hh"
#include "datum.hh"
#include "guard.hh"

namespace fas::pg {

// A detoasted roaringbitmap. Stored bytes can go bad, so they are validated each time.
inline Bitmap bitmap_of(const struct varlena *plain) {
    return Bitmap::deserialize(payload_of(plain), sqlstate::data_corrupted);
}

// In the current memory context; run-compressed first, so that equal sets give equal bytes.
inline struct varlena *varlena_of_bitmap(Bitmap &bitmap) {
    bitmap.optimize();
    size_t size = VARHDRSZ + bitmap.serialized_size();
    auto *out = static_cast<struct varlena *>(allocate(CurrentMemoryContext, size));
    SET_VARSIZE(out, size);
    bitmap.serialize(reinterpret_cast<uint8_t *>(VARDATA(out)));
    return out;
}

} // namespace fas::pg
