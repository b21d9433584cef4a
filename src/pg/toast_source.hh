// A ByteSource over a flow_segment datum that may be a TOAST pointer: fetches slices, so that a query reads only the
// parts that it needs. Lives inside guarded(): PostgreSQL's detoasting is called through call_postgres().
//
// Owner: whoever constructs it; the fetched slices belong to `context` (slices are freed with it). Because bytes read
// are the cost, a fetch of a small datum, or one that covers most of it, reads it whole once.
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

  private:
    struct Slice {
        uint64_t offset;
        Bytes bytes;
    };
    struct varlena *datum_;
    MemoryContext context_;
    uint64_t size_;
    std::vector<Slice> slices_; // what has been fetched
};

} // namespace fas::pg
