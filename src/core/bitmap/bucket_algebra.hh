// Set algebra of two buckets (bucket.hh), guided by their headers: only containers whose keys both have are
// looked into, and CRoaring is given no others. Containers that only one side has are copied as bytes.
#pragma once

#include <cstdint>
#include <optional>

#include "bitmap.hh"
#include "bucket.hh"

namespace fas {

enum class SetOperation : uint8_t { intersection, union_of, symmetric_difference, difference };

// A result: a bitmap, the bytes of containers that are to be written one behind the other, or both.
class CombinedBucket {
  public:
    CombinedBucket(SetOperation operation, Bytes left, Bytes right); // the bytes must outlive it
    bool empty() const noexcept { return all_.empty() && (!common_ || common_->empty()); }
    size_t size() const;
    void write(uint8_t *out) const; // exactly size() bytes

  private:
    std::optional<Bitmap> common_; // of the containers that both have; a result alone where all_ is empty
    std::vector<uint8_t> bytes_;   // common_ in bytes, where it is one of several parts
    std::vector<ContainerPlace> all_;
};

uint64_t count_common(const BucketDirectory &left, const BucketDirectory &right);
bool are_equal(const BucketDirectory &left, const BucketDirectory &right);
bool have_common(const BucketDirectory &left, const BucketDirectory &right);
bool is_within(const BucketDirectory &left, const BucketDirectory &right); // left in right

} // namespace fas
