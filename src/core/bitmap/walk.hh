// Walks the containers of a serialized bitmap where it lies, in ascending order: both portable Roaring formats, the
// 32-bit one and its 64-bit extension. Order, hash and index keys are computed on it, so that none of them builds a
// bitmap in memory.
//
// Any bytes may come: next() never leaves them, and refuses what is not laid out as the format says, throwing Error
// with data_corrupted. check() looks at a container's contents too. The walk owns nothing; the bytes must outlive it.
#pragma once

#include <bit>
#include <cstdint>

#include "view.hh"
#include "../bytes.hh"

namespace fas {

// The members that share all bits but the lowest sixteen.
struct Container {
    enum class Kind : uint8_t { array, bitset, runs };
    static constexpr uint32_t words = 1024; // of a bitset, 64 bits each

    uint64_t key = 0; // member >> 16
    Kind kind = Kind::array;
    uint32_t count = 0; // members; of kind runs: runs
    const uint8_t *data = nullptr;

    size_t size() const noexcept { return kind == Kind::bitset ? words * 8 : count * (kind == Kind::runs ? 4 : 2); }
    uint64_t base() const noexcept { return key << 16; }
    uint16_t number(uint32_t i) const noexcept { return load<uint16_t>(data + size_t{2} * i); }
    uint64_t word(uint32_t i) const noexcept { return load<uint64_t>(data + size_t{8} * i); }

    void check() const;                            // members in order, as many as they should be; throws
    void fill(uint64_t *bits) const noexcept;      // as a bitset of `words` words; any contents
    template <class F> void each_run(F &&f) const; // f(first, last), members of this container; any contents
};

class ContainerWalk {
  public:
    ContainerWalk(Bytes bytes, BitmapWidth width);
    bool next(Container &out); // false at the end, where nothing may be left over

  private:
    void begin_part();

    ByteCursor at_;
    bool is_wide_;
    uint64_t parts_left_ = 0; // 32-bit bitmaps that have not begun
    int64_t high_ = -1;       // of the part under way
    uint32_t index_ = 0, containers_ = 0;
    int32_t key_ = -1;
    const uint8_t *run_flags_ = nullptr; // null: no container of runs
    const uint8_t *header_ = nullptr;    // key and members less one, for each container
};

template <class F> void Container::each_run(F &&f) const {
    if (kind == Kind::runs) {
        for (uint32_t i = 0; i < count; ++i) {
            const uint32_t first = number(2 * i), last = first + number(2 * i + 1);
            f(first, last < 0xffff ? last : 0xffff);
        }
    } else if (kind == Kind::array) {
        for (uint32_t i = 0; i < count;) {
            const uint32_t first = number(i);
            uint32_t last = first;
            while (++i < count && number(i) == last + 1)
                ++last;
            f(first, last);
        }
    } else {
        int64_t first = -1; // of the run that reaches up to here
        for (uint32_t i = 0; i < words; ++i) {
            // A bit is set where a run begins or has just ended.
            const uint64_t bits = word(i);
            for (uint64_t edges = bits ^ (bits << 1 | (first >= 0)); edges != 0; edges &= edges - 1) {
                const uint32_t edge = i * 64 + static_cast<uint32_t>(std::countr_zero(edges));
                if (first < 0) {
                    first = edge;
                } else {
                    f(static_cast<uint32_t>(first), edge - 1);
                    first = -1;
                }
            }
        }
        if (first >= 0)
            f(static_cast<uint32_t>(first), uint32_t{0xffff});
    }
}

// Runs of a whole bitmap in order, f(first, last) with whole members; runs that touch across containers come apart.
// Checks every container, and polls.
template <class F> void each_run(Bytes bytes, BitmapWidth width, F &&f);

} // namespace fas

#include "../interrupt.hh"

namespace fas {

template <class F> void each_run(Bytes bytes, BitmapWidth width, F &&f) {
    ContainerWalk walk(bytes, width);
    uint32_t seen = 0;
    for (Container container; walk.next(container);) {
        if (++seen % 64 == 0)
            poll();
        container.check();
        const uint64_t base = container.base();
        container.each_run([&](uint32_t first, uint32_t last) { f(base + first, base + last); });
    }
}

} // namespace fas
