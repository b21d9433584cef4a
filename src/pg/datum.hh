// Small bridges between PostgreSQL's varlenas and the core's views. Nothing here allocates or raises, except
// datum_of_text(), which is for phases one and three, and make_text(), which is for phase two.
#pragma once

#include "postgres.hh"

extern "C" {
#include "utils/builtins.h"
}

#include <string_view>

#include "../core/intern.hh"
#include "../core/source.hh"
#include "guard.hh"

namespace fas::pg {

// The payload of a varlena that is detoasted (its header may still be a short one).
inline Bytes payload_of(const struct varlena *plain) noexcept {
    return {reinterpret_cast<const uint8_t *>(VARDATA_ANY(plain)), static_cast<size_t>(VARSIZE_ANY_EXHDR(plain))};
}

inline std::string_view text_view(const text *plain) noexcept {
    return {VARDATA_ANY(plain), static_cast<size_t>(VARSIZE_ANY_EXHDR(plain))};
}

inline Datum datum_of_text(std::string_view view) {
    return PointerGetDatum(cstring_to_text_with_len(view.data(), static_cast<int>(view.size())));
}

// A name that has room before it becomes a value where it lies.
inline Datum text_in_place(std::string_view name) noexcept {
    static_assert(name_room == VARHDRSZ);
    SET_VARSIZE(room_before(name), name_room + name.size());
    return PointerGetDatum(room_before(name));
}

inline Datum make_text(std::string_view name, MemoryContext context) {
    auto *out = static_cast<struct varlena *>(allocate(context, name.size() + VARHDRSZ));
    SET_VARSIZE(out, name.size() + VARHDRSZ);
    memcpy(VARDATA(out), name.data(), name.size());
    return PointerGetDatum(out);
}

} // namespace fas::pg
