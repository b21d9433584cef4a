// A RAII handle on CRoaring's 32-bit bitmap, over the C API (roaring.hh of CRoaring is noexcept where an allocation
// can fail). Every failed allocation throws std::bad_alloc. Untrusted bytes come in through deserialize() alone.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <roaring/roaring.h>

#include "../source.hh"

namespace fas {

class Bitmap {
  public:
    using Value = uint32_t;

    Bitmap();                                                           // empty
    explicit Bitmap(roaring_bitmap_t *taken) : bits_(checked(taken)) {} // takes ownership; null throws bad_alloc
    Bitmap(Bitmap &&other) noexcept : bits_(std::exchange(other.bits_, nullptr)) {}
    Bitmap &operator=(Bitmap &&other) noexcept {
        std::swap(bits_, other.bits_);
        return *this;
    }
    Bitmap(const Bitmap &) = delete;
    Bitmap &operator=(const Bitmap &) = delete;
    ~Bitmap();

    Bitmap copy() const;
    static Bitmap of(std::span<const uint32_t> values);

    // The portable Roaring format; validated with CRoaring's safe deserialise and internal validate. Throws Error
    // with `sqlstate` on anything that is not exactly one bitmap.
    static Bitmap deserialize(Bytes bytes, const char *sqlstate);
    size_t serialized_size() const;
    void serialize(uint8_t *out) const; // exactly serialized_size() bytes

    void add(uint32_t value);
    void add_many(std::span<const uint32_t> values);
    void remove(uint32_t value);
    void add_range(uint32_t begin, uint64_t end);   // [begin, end)
    void add_closed(uint32_t first, uint32_t last); // [first, last]; nothing where first > last
    void remove_closed(uint32_t first, uint32_t last);
    void flip_closed(uint32_t first, uint32_t last);
    void optimize(); // run compression; call before serialize

    uint64_t cardinality() const;
    bool empty() const;
    bool contains(uint32_t value) const;
    uint32_t minimum() const; // of a bitmap that is not empty
    uint32_t maximum() const;
    void copy_values(uint32_t *out) const; // cardinality() of them, ascending
    std::vector<uint32_t> values() const;

    Bitmap operator&(const Bitmap &other) const;
    Bitmap operator|(const Bitmap &other) const;
    Bitmap operator^(const Bitmap &other) const;
    Bitmap operator-(const Bitmap &other) const;
    Bitmap &operator&=(const Bitmap &other);
    Bitmap &operator|=(const Bitmap &other);
    Bitmap &operator^=(const Bitmap &other);
    bool operator==(const Bitmap &other) const;

    const roaring_bitmap_t *get() const noexcept { return bits_; }
    roaring_bitmap_t *get() noexcept { return bits_; }

  private:
    static roaring_bitmap_t *checked(roaring_bitmap_t *bits);
    roaring_bitmap_t *bits_;
};

} // namespace fas
