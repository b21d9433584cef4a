// Set algebra of two buckets (bucket.hh), guided by their headers: only containers whose keys both have are
// looked into, by a ContainerMaker or by CRoaring, who is given no others. Containers that only one side has are copied
// as bytes.
#pragma once

#include <cstdint>
#include <optional>

#include "bitmap.hh"
#include "bucket.hh"
#include "container_maker.hh"

namespace fas {

// A result: a bitmap, the bytes of containers that are to be written one behind the other, or both.
class CombinedBucket {
  public:
    CombinedBucket(SetOperation operation, Bytes left, Bytes right); // the bytes must outlive it
    bool empty() const noexcept { return all_.empty() && (!common_ || common_->empty()); }
    size_t size() const;
    void write(uint8_t *out) const; // exactly size() bytes

  private:
    ContainerMaker maker_;
    std::optional<Bitmap> common_; // of containers that CRoaring combined; a result alone where all_ is empty
    std::vector<uint8_t> bytes_;   // common_ in bytes, where it is one of several parts
    std::vector<ContainerPlace> all_;
};

uint64_t count_common(const BucketDirectory &left, const BucketDirectory &right);
bool are_equal(const BucketDirectory &left, const BucketDirectory &right);
bool have_common(const BucketDirectory &left, const BucketDirectory &right);
bool is_within(const BucketDirectory &left, const BucketDirectory &right); // left in right

} // namespace fas
