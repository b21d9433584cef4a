// See toast_source.hh.
#include "toast_source.hh"

extern "C" {
#include "access/detoast.h"
#include "access/heaptoast.h"
}

#include <algorithm>

#include "datum.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

// A slice costs an index scan, so a datum of a few chunks is read whole.
constexpr uint64_t small_datum = 16 * 1024;

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

    // TOAST reads whole chunks whatever is asked for, so keep them whole.
    constexpr uint64_t chunk = TOAST_MAX_CHUNK_SIZE;
    uint64_t begin = offset / chunk * chunk;
    uint64_t end = std::min((offset + length + chunk - 1) / chunk * chunk, size_);
    if (size_ <= small_datum || fetched_ + (end - begin) > size_ / 2) {
        whole_ = read(0, size_);
        is_whole_ = true;
        return whole_.subspan(offset, length);
    }
    after = std::upper_bound(slices_.begin(), slices_.end(), begin,
                             [](uint64_t wanted, const Slice &slice) { return wanted < slice.offset; });
    auto place = slices_.insert(after, Slice{begin, {}});
    place->bytes = read(begin, end - begin);
    return place->bytes.subspan(offset - begin, length);
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
