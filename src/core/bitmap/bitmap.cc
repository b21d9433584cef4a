// See bitmap.hh. A handle owns its bitmap alone; nothing here is shared, and no lock is needed.
//
// CRoaring's memory is only ever freed by CRoaring: in PostgreSQL it lives in a private copy of the library (see
// src/pg/roaring_binding.cc) that may have an allocator of its own.
#include "bitmap.hh"

#include <new>

namespace fas {

roaring_bitmap_t *Bitmap::checked(roaring_bitmap_t *bits) {
    if (bits == nullptr)
        throw std::bad_alloc();
    return bits;
}

Bitmap::Bitmap() : bits_(checked(roaring_bitmap_create_with_capacity(0))) {}

Bitmap::~Bitmap() {
    if (bits_ != nullptr)
        roaring_bitmap_free(bits_);
}

Bitmap Bitmap::copy() const { return Bitmap(roaring_bitmap_copy(bits_)); }

Bitmap Bitmap::of(std::span<const uint32_t> values) {
    return Bitmap(roaring_bitmap_of_ptr(values.size(), values.data()));
}

Bitmap Bitmap::deserialize(Bytes bytes, const char *sqlstate) {
    static constexpr const char *message = "invalid roaring bitmap";
    const char *data = reinterpret_cast<const char *>(bytes.data());
    if (bytes.empty() || roaring_bitmap_portable_deserialize_size(data, bytes.size()) != bytes.size())
        throw Error(sqlstate, message, "The bytes are not one bitmap in the portable Roaring format.");
    // The size above has walked all containers, so that null means an allocation that failed.
    Bitmap out(roaring_bitmap_portable_deserialize_safe(data, bytes.size()));
    const char *reason = nullptr;
    if (!roaring_bitmap_internal_validate(out.get(), &reason))
        throw Error(sqlstate, message,
                    "The bitmap's contents are not valid: " + std::string(reason != nullptr ? reason : "unknown") +
                        ".");
    return out;
}

size_t Bitmap::serialized_size() const { return roaring_bitmap_portable_size_in_bytes(bits_); }
void Bitmap::serialize(uint8_t *out) const { roaring_bitmap_portable_serialize(bits_, reinterpret_cast<char *>(out)); }

void Bitmap::add(uint32_t value) { roaring_bitmap_add(bits_, value); }
void Bitmap::add_many(std::span<const uint32_t> values) {
    roaring_bitmap_add_many(bits_, values.size(), values.data());
}
void Bitmap::remove(uint32_t value) { roaring_bitmap_remove(bits_, value); }

void Bitmap::add_range(uint32_t begin, uint64_t end) {
    if (begin < end)
        roaring_bitmap_add_range_closed(bits_, begin, static_cast<uint32_t>(end - 1));
}

void Bitmap::add_closed(uint32_t first, uint32_t last) {
    if (first <= last)
        roaring_bitmap_add_range_closed(bits_, first, last);
}

void Bitmap::remove_closed(uint32_t first, uint32_t last) {
    if (first <= last)
        roaring_bitmap_remove_range_closed(bits_, first, last);
}

void Bitmap::flip_closed(uint32_t first, uint32_t last) {
    if (first <= last)
        roaring_bitmap_flip_inplace(bits_, first, uint64_t{last} + 1);
}

void Bitmap::optimize() {
    roaring_bitmap_run_optimize(bits_);
    roaring_bitmap_shrink_to_fit(bits_);
}

uint64_t Bitmap::cardinality() const { return roaring_bitmap_get_cardinality(bits_); }
bool Bitmap::empty() const { return roaring_bitmap_is_empty(bits_); }
bool Bitmap::contains(uint32_t value) const { return roaring_bitmap_contains(bits_, value); }
uint32_t Bitmap::minimum() const { return roaring_bitmap_minimum(bits_); }
uint32_t Bitmap::maximum() const { return roaring_bitmap_maximum(bits_); }

void Bitmap::copy_values(uint32_t *out) const { roaring_bitmap_to_uint32_array(bits_, out); }

std::vector<uint32_t> Bitmap::values() const {
    std::vector<uint32_t> out(cardinality());
    copy_values(out.data());
    return out;
}

Bitmap Bitmap::operator&(const Bitmap &other) const { return Bitmap(roaring_bitmap_and(bits_, other.bits_)); }
Bitmap Bitmap::operator|(const Bitmap &other) const { return Bitmap(roaring_bitmap_or(bits_, other.bits_)); }
Bitmap Bitmap::operator^(const Bitmap &other) const { return Bitmap(roaring_bitmap_xor(bits_, other.bits_)); }
Bitmap Bitmap::operator-(const Bitmap &other) const { return Bitmap(roaring_bitmap_andnot(bits_, other.bits_)); }

Bitmap &Bitmap::operator&=(const Bitmap &other) {
    roaring_bitmap_and_inplace(bits_, other.bits_);
    return *this;
}

Bitmap &Bitmap::operator|=(const Bitmap &other) {
    roaring_bitmap_or_inplace(bits_, other.bits_);
    return *this;
}

Bitmap &Bitmap::operator^=(const Bitmap &other) {
    roaring_bitmap_xor_inplace(bits_, other.bits_);
    return *this;
}

bool Bitmap::operator==(const Bitmap &other) const { return roaring_bitmap_equals(bits_, other.bits_); }

} // namespace fas
