// A ByteSource over a flow_segment datum that may be a TOAST pointer: fetches slices, so that a query reads only the
// parts that it needs. Lives inside guarded(): PostgreSQL's detoasting is called through call_postgres().
//
// Owner: whoever constructs it; the fetched slices belong to `context` (slices are freed with it), and so does `datum`
// to whoever passed it: it must outlive the source. Because bytes read are the cost, a fetch that would make it more
// than half of the datum reads the whole once, so memory stays below one and a half times the datum.
#pragma once

#include "postgres.hh"

#include "../core/source.hh"

#include <vector>

namespace fas::pg {

class ToastSource final : public ByteSource {
  public:
    ToastSource(struct varlena *datum, MemoryContext context);
    uint64_t size() const noexcept override { return size_; }
    Bytes fetch(uint64_t offset, uint64_t length) override;
    uint64_t bytes_read() const noexcept { return fetched_; } // from TOAST; 0 for a datum that is here already

  private:
    struct Slice {
        uint64_t offset;
        Bytes bytes;
    };
    Bytes read(uint64_t offset, uint64_t length);

    struct varlena *datum_;
    MemoryContext context_;
    uint64_t size_ = 0;
    uint64_t fetched_ = 0;
    bool is_whole_ = false;
    Bytes whole_;               // everything, where is_whole_
    std::vector<Slice> slices_; // else what has been fetched, by offset
};

} // namespace fas::pg
