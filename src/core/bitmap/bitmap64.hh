// A RAII handle on CRoaring's 64-bit bitmap, of the same shape as Bitmap (bitmap.hh), so that code over both is one
// template. CRoaring does not check every allocation of its 64-bit bitmap; those that it reports throw
// std::bad_alloc. Untrusted bytes come in through deserialize() alone.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <roaring/roaring64.h>

#include "../source.hh"

namespace fas {

class Bitmap64 {
  public:
    using Value = uint64_t;

    Bitmap64();                                                             // empty
    explicit Bitmap64(roaring64_bitmap_t *taken) : bits_(checked(taken)) {} // takes ownership; null throws bad_alloc
    Bitmap64(Bitmap64 &&other) noexcept : bits_(std::exchange(other.bits_, nullptr)) {}
    Bitmap64 &operator=(Bitmap64 &&other) noexcept {
        std::swap(bits_, other.bits_);
        return *this;
    }
    Bitmap64(const Bitmap64 &) = delete;
    Bitmap64 &operator=(const Bitmap64 &) = delete;
    ~Bitmap64();

    Bitmap64 copy() const;
    static Bitmap64 of(std::span<const uint64_t> values);

    // The portable Roaring format, extended to 64 bits; validated with CRoaring's safe deserialise and internal
    // validate. Throws Error with `sqlstate` on anything that is not exactly one bitmap.
    static Bitmap64 deserialize(Bytes bytes, const char *sqlstate);
    size_t serialized_size() const;
    void serialize(uint8_t *out) const; // exactly serialized_size() bytes

    void add(uint64_t value);
    void add_many(std::span<const uint64_t> values);
    void remove(uint64_t value);
    void add_closed(uint64_t first, uint64_t last); // [first, last]; nothing where first > last
    void remove_closed(uint64_t first, uint64_t last);
    void flip_closed(uint64_t first, uint64_t last);
    void optimize(); // run compression; call before serialize

    uint64_t cardinality() const;
    bool empty() const;
    bool contains(uint64_t value) const;
    uint64_t minimum() const; // of a bitmap that is not empty
    uint64_t maximum() const;
    void copy_values(uint64_t *out) const; // cardinality() of them, ascending
    std::vector<uint64_t> values() const;

    Bitmap64 operator&(const Bitmap64 &other) const;
    Bitmap64 operator|(const Bitmap64 &other) const;
    Bitmap64 operator^(const Bitmap64 &other) const;
    Bitmap64 operator-(const Bitmap64 &other) const;
    Bitmap64 &operator&=(const Bitmap64 &other);
    Bitmap64 &operator|=(const Bitmap64 &other);
    Bitmap64 &operator^=(const Bitmap64 &other);
    bool operator==(const Bitmap64 &other) const;

    const roaring64_bitmap_t *get() const noexcept { return bits_; }
    roaring64_bitmap_t *get() noexcept { return bits_; }

  private:
    static roaring64_bitmap_t *checked(roaring64_bitmap_t *bits);
    roaring64_bitmap_t *bits_;
};

} // namespace fas
