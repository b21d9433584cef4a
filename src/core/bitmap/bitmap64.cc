// See bitmap64.hh. A handle owns its bitmap alone; nothing here is shared, and no lock is needed. As in bitmap.cc,
// CRoaring's memory is only ever freed by CRoaring.
#include "bitmap64.hh"

#include <new>
#include <string>

namespace fas {

roaring64_bitmap_t *Bitmap64::checked(roaring64_bitmap_t *bits) {
    if (bits == nullptr)
        throw std::bad_alloc();
    return bits;
}

Bitmap64::Bitmap64() : bits_(checked(roaring64_bitmap_create())) {}

Bitmap64::~Bitmap64() {
    if (bits_ != nullptr)
        roaring64_bitmap_free(bits_);
}

Bitmap64 Bitmap64::copy() const { return Bitmap64(roaring64_bitmap_copy(bits_)); }

Bitmap64 Bitmap64::of(std::span<const uint64_t> values) {
    return Bitmap64(roaring64_bitmap_of_ptr(values.size(), values.data()));
}

Bitmap64 Bitmap64::deserialize(Bytes bytes, const char *sqlstate) {
    static constexpr const char *message = "invalid 64-bit roaring bitmap";
    const char *data = reinterpret_cast<const char *>(bytes.data());
    roaring64_bitmap_t *bits = nullptr;
    if (!bytes.empty() && roaring64_bitmap_portable_deserialize_size(data, bytes.size()) == bytes.size())
        bits = roaring64_bitmap_portable_deserialize_safe(data, bytes.size());
    if (bits == nullptr) // the safe deserialise also refuses keys that are out of order
        throw Error(sqlstate, message, "The bytes are not one bitmap in the portable 64-bit Roaring format.");
    Bitmap64 out(bits);
    const char *reason = nullptr;
    if (!roaring64_bitmap_internal_validate(out.get(), &reason))
        throw Error(sqlstate, message,
                    "The bitmap's contents are not valid: " + std::string(reason != nullptr ? reason : "unknown") +
                        ".");
    return out;
}

size_t Bitmap64::serialized_size() const { return roaring64_bitmap_portable_size_in_bytes(bits_); }
void Bitmap64::serialize(uint8_t *out) const {
    roaring64_bitmap_portable_serialize(bits_, reinterpret_cast<char *>(out));
}

void Bitmap64::add(uint64_t value) { roaring64_bitmap_add(bits_, value); }
void Bitmap64::add_many(std::span<const uint64_t> values) {
    roaring64_bitmap_add_many(bits_, values.size(), values.data());
}
void Bitmap64::remove(uint64_t value) { roaring64_bitmap_remove(bits_, value); }

void Bitmap64::add_closed(uint64_t first, uint64_t last) {
    if (first <= last)
        roaring64_bitmap_add_range_closed(bits_, first, last);
}

void Bitmap64::remove_closed(uint64_t first, uint64_t last) {
    if (first <= last)
        roaring64_bitmap_remove_range_closed(bits_, first, last);
}

void Bitmap64::flip_closed(uint64_t first, uint64_t last) {
    if (first <= last)
        roaring64_bitmap_flip_closed_inplace(bits_, first, last);
}

void Bitmap64::optimize() { roaring64_bitmap_run_optimize(bits_); }

uint64_t Bitmap64::cardinality() const { return roaring64_bitmap_get_cardinality(bits_); }
bool Bitmap64::empty() const { return roaring64_bitmap_is_empty(bits_); }
bool Bitmap64::contains(uint64_t value) const { return roaring64_bitmap_contains(bits_, value); }
uint64_t Bitmap64::minimum() const { return roaring64_bitmap_minimum(bits_); }
uint64_t Bitmap64::maximum() const { return roaring64_bitmap_maximum(bits_); }
void Bitmap64::copy_values(uint64_t *out) const { roaring64_bitmap_to_uint64_array(bits_, out); }

std::vector<uint64_t> Bitmap64::values() const {
    std::vector<uint64_t> out(cardinality());
    copy_values(out.data());
    return out;
}

Bitmap64 Bitmap64::operator&(const Bitmap64 &other) const { return Bitmap64(roaring64_bitmap_and(bits_, other.bits_)); }
Bitmap64 Bitmap64::operator|(const Bitmap64 &other) const { return Bitmap64(roaring64_bitmap_or(bits_, other.bits_)); }
Bitmap64 Bitmap64::operator^(const Bitmap64 &other) const { return Bitmap64(roaring64_bitmap_xor(bits_, other.bits_)); }
Bitmap64 Bitmap64::operator-(const Bitmap64 &other) const {
    return Bitmap64(roaring64_bitmap_andnot(bits_, other.bits_));
}

Bitmap64 &Bitmap64::operator&=(const Bitmap64 &other) {
    roaring64_bitmap_and_inplace(bits_, other.bits_);
    return *this;
}

Bitmap64 &Bitmap64::operator|=(const Bitmap64 &other) {
    roaring64_bitmap_or_inplace(bits_, other.bits_);
    return *this;
}

Bitmap64 &Bitmap64::operator^=(const Bitmap64 &other) {
    roaring64_bitmap_xor_inplace(bits_, other.bits_);
    return *this;
}

bool Bitmap64::operator==(const Bitmap64 &other) const { return roaring64_bitmap_equals(bits_, other.bits_); }

} // namespace fas
