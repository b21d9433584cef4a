// Reads a stored bitmap into rooms that this backend keeps, instead of into memory of PostgreSQL's: what a call needs
// of a value of any size then passes through the same memory, which lies in the processor's cache, and none is asked of
// the system and given back. For questions; ToastSource is for readers that keep what they fetched.
//
// Owner: there are two rooms, for the two operands of a call; they belong to the guarded() that is under way, and
// nothing in it may begin another. The datum must outlive the reader.
#pragma once

#include "postgres.hh"

#include "../core/bitmap/window.hh"

namespace fas::pg {

enum class Room : uint8_t { first, second };

class ToastReader final : public ByteReader {
  public:
    // In phase one: the datum as it is where that is worth reading in pieces, else detoasted.
    static struct varlena *argument(Datum datum);

    explicit ToastReader(const struct varlena *argument);
    // Over all of it; at once where that is no more than `whole` bytes.
    ByteWindow window(Room room, size_t whole);

    uint64_t size() const noexcept override { return size_; }
    void read(uint64_t offset, uint64_t length, uint8_t *to) override;

  private:
    const struct varlena *datum_;
    bool is_stored_;
    uint64_t size_;
    Oid table_ = InvalidOid, value_ = InvalidOid;
};

} // namespace fas::pg
