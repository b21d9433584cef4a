// See toast_reader.hh.
#include "toast_reader.hh"

extern "C" {
#include "access/detoast.h"
#include "access/table.h"
#include "access/tableam.h"
}

#include "datum.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

// Two windows stay in a processor's own cache, and a piece costs little beside what it brings.
constexpr size_t room_size = 256 * 1024;
alignas(64) uint8_t rooms[2][room_size];

// What PostgreSQL allocates without asking the system is as well detoasted.
constexpr size_t small_value = 8 * 1024;

bool is_readable(const struct varlena *datum) noexcept {
    if (!VARATT_IS_EXTERNAL_ONDISK(datum))
        return false;
    struct varatt_external pointer;
    VARATT_EXTERNAL_GET_POINTER(pointer, datum);
    return !VARATT_EXTERNAL_IS_COMPRESSED(pointer) && VARATT_EXTERNAL_GET_EXTSIZE(pointer) > small_value;
}

} // namespace

struct varlena *ToastReader::argument(Datum datum) {
    auto *given = reinterpret_cast<struct varlena *>(DatumGetPointer(datum));
    return is_readable(given) ? given : PG_DETOAST_DATUM_PACKED(datum);
}

ToastReader::ToastReader(const struct varlena *argument)
    : datum_(argument), is_stored_(VARATT_IS_EXTERNAL_ONDISK(argument)) {
    if (!is_stored_) {
        size_ = VARSIZE_ANY_EXHDR(argument);
        return;
    }
    struct varatt_external pointer;
    VARATT_EXTERNAL_GET_POINTER(pointer, argument);
    size_ = VARATT_EXTERNAL_GET_EXTSIZE(pointer);
    table_ = pointer.va_toastrelid;
    value_ = pointer.va_valueid;
}

ByteWindow ToastReader::window(Room room, size_t whole) {
    if (!is_stored_)
        return ByteWindow(payload_of(datum_));
    return ByteWindow(*this, {rooms[static_cast<int>(room)], room_size}, whole);
}

void ToastReader::read(uint64_t offset, uint64_t length, uint8_t *to) {
    // PostgreSQL writes to the payload of a varlena, whose header it leaves alone: there is none here.
    call_postgres([&] {
        Relation table = table_open(table_, AccessShareLock);
        table_relation_fetch_toast_slice(table, value_, static_cast<int32>(size_), static_cast<int32>(offset),
                                         static_cast<int32>(length), reinterpret_cast<struct varlena *>(to - VARHDRSZ));
        table_close(table, AccessShareLock);
    });
}

} // namespace fas::pg
