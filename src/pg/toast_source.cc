// See toast_source.hh.
#include "toast_source.hh"

extern "C" {
#include "access/detoast.h"
}

#include <algorithm>

#include "datum.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

// A slice costs an index scan and then its chunks of about 2 kB each, so neighbours that are asked for next (a
// segment's parts lie one after the other) are taken along.
constexpr uint64_t read_ahead = 16 * 1024;

} // namespace

ToastSource::ToastSource(struct varlena *datum, MemoryContext context) : datum_(datum), context_(context) {
    if (VARATT_IS_EXTERNAL_ONDISK(datum)) {
        struct varatt_external pointer;
        VARATT_EXTERNAL_GET_POINTER(pointer, datum);
        if (!VARATT_EXTERNAL_IS_COMPRESSED(pointer)) {
            size_ = VARATT_EXTERNAL_GET_EXTSIZE(pointer);
            return;
        }
    }
    // Compressed somehow (a column whose storage was altered), or in memory elsewhere: slices would not be cheaper.
    if (VARATT_IS_EXTERNAL(datum) || VARATT_IS_COMPRESSED(datum)) {
        struct varlena *plain = nullptr;
        call_postgres([&] {
            MemoryContext saved = MemoryContextSwitchTo(context_);
            plain = detoast_attr(datum_);
            MemoryContextSwitchTo(saved);
        });
        datum_ = plain;
    }
    whole_ = payload_of(datum_);
    is_whole_ = true;
    size_ = whole_.size();
}

Bytes ToastSource::fetch(uint64_t offset, uint64_t length) {
    if (offset > size_ || length > size_ - offset)
        throw_corrupted("A part reaches beyond the end of the segment.");
    if (is_whole_)
        return whole_.subspan(offset, length);

    // The last slice that begins at or before the offset; an earlier one that reaches further is rare and only costs
    // a repeated read.
    auto after = std::upper_bound(slices_.begin(), slices_.end(), offset,
                                  [](uint64_t wanted, const Slice &slice) { return wanted < slice.offset; });
    if (after != slices_.begin()) {
        const Slice &slice = *(after - 1);
        uint64_t skip = offset - slice.offset;
        if (skip <= slice.bytes.size() && length <= slice.bytes.size() - skip)
            return slice.bytes.subspan(skip, length);
    }

    uint64_t wanted = std::min(std::max(length, read_ahead), size_ - offset);
    if (fetched_ + wanted > size_ / 2) {
        whole_ = read(0, size_);
        is_whole_ = true;
        return whole_.subspan(offset, length);
    }
    auto place = slices_.insert(after, Slice{offset, {}});
    place->bytes = read(offset, wanted);
    return place->bytes.subspan(0, length);
}

Bytes ToastSource::read(uint64_t offset, uint64_t length) {
    struct varlena *slice = nullptr;
    call_postgres([&] {
        MemoryContext saved = MemoryContextSwitchTo(context_);
        slice = detoast_attr_slice(datum_, static_cast<int32>(offset), static_cast<int32>(length));
        MemoryContextSwitchTo(saved);
    });
    Bytes bytes = payload_of(slice);
    if (bytes.size() != length)
        throw_corrupted("The stored value is shorter than its pointer says.");
    fetched_ += length;
    return bytes;
}

} // namespace fas::pg
