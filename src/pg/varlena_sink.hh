// A ByteSink whose bytes are a varlena's payload, in the memory context that was current when it was made. For phase
// two: it throws where PostgreSQL would raise.
#pragma once

#include "postgres.hh"

extern "C" {
#include "utils/memutils.h"
}

#include <algorithm>
#include <cstring>

#include "../core/byte_sink.hh"
#include "guard.hh"

namespace fas::pg {

class VarlenaSink final : public ByteSink {
  public:
    // `expected` bytes are there from the start; a result that is written in one piece needs none.
    explicit VarlenaSink(size_t expected = 0) : context_(CurrentMemoryContext) {
        if (expected > 0)
            grow(std::min<size_t>(expected, MaxAllocSize - VARHDRSZ));
    }

    struct varlena *take() {
        if (out_ == nullptr)
            grow(0);
        SET_VARSIZE(out_, VARHDRSZ + size_);
        return out_;
    }

  private:
    void grow(size_t wanted) override {
        const size_t limit = MaxAllocSize - VARHDRSZ;
        const size_t roomy =
            std::max(wanted, std::min(limit, size_ + capacity_)); // what is beyond it, allocate() refuses
        auto *grown = static_cast<struct varlena *>(allocate(context_, VARHDRSZ + roomy));
        if (out_ != nullptr) {
            std::memcpy(VARDATA(grown), VARDATA(out_), size_);
            pfree(out_);
        }
        out_ = grown;
        data_ = reinterpret_cast<uint8_t *>(VARDATA(out_));
        capacity_ = roomy;
    }

    MemoryContext context_;
    struct varlena *out_ = nullptr;
};

} // namespace fas::pg
