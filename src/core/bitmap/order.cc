// See order.hh.
#include "order.hh"

#include <algorithm>
#include <cstring>

#include "../interrupt.hh"

namespace fas {

namespace {

// Where two containers of one key differ first. The one that has the smaller member there is the `owner`; the other
// is larger if it goes on, in this container or a later one.
struct Difference {
    int owner = 0; // -1 left, 1 right, 0 none
    bool other_goes_on = false;
};

Difference difference_of_arrays(const Container &left, const Container &right) {
    const uint32_t both = std::min(left.count, right.count);
    uint32_t i = 0;
    while (i < both && left.number(i) == right.number(i))
        ++i;
    if (i < both)
        return {left.number(i) < right.number(i) ? -1 : 1, true};
    return {left.count > right.count ? -1 : left.count < right.count ? 1 : 0, false};
}

Difference difference_of_bits(const Container &left, const Container &right) {
    uint64_t left_bits[Container::words], right_bits[Container::words];
    left.fill(left_bits);
    right.fill(right_bits);
    uint32_t i = 0;
    while (i < Container::words && left_bits[i] == right_bits[i])
        ++i;
    if (i == Container::words)
        return {};
    const uint64_t lowest = (left_bits[i] ^ right_bits[i]) & (~(left_bits[i] ^ right_bits[i]) + 1);
    const bool is_left = (left_bits[i] & lowest) != 0;
    const uint64_t *other = is_left ? right_bits : left_bits;
    bool goes_on = (other[i] & ~(lowest | (lowest - 1))) != 0;
    for (uint32_t j = i + 1; j < Container::words && !goes_on; ++j)
        goes_on = other[j] != 0;
    return {is_left ? -1 : 1, goes_on};
}

Difference difference_of(const Container &left, const Container &right) {
    if (left.kind == right.kind && left.count == right.count && std::memcmp(left.data, right.data, left.size()) == 0)
        return {};
    if (left.kind == Container::Kind::array && right.kind == Container::Kind::array)
        return difference_of_arrays(left, right);
    return difference_of_bits(left, right);
}

// Multiply and fold: every bit of both goes into every bit of the result.
uint64_t fold(uint64_t a, uint64_t b) noexcept {
    const uint128 product = static_cast<uint128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

} // namespace

int compare_bitmaps(Bytes left_bytes, Bytes right_bytes, BitmapWidth width) {
    ContainerWalk left_walk(left_bytes, width), right_walk(right_bytes, width);
    Container left, right;
    for (uint32_t seen = 1;; ++seen) {
        if (seen % 1024 == 0)
            poll();
        const bool has_left = left_walk.next(left), has_right = right_walk.next(right);
        if (!has_left || !has_right)
            return int{has_left} - int{has_right};
        if (left.key != right.key) // whoever lacks the smaller container goes on with something larger
            return left.key < right.key ? -1 : 1;
        const Difference found = difference_of(left, right);
        if (found.owner == 0)
            continue;
        const bool goes_on = found.other_goes_on || (found.owner < 0 ? right_walk.next(right) : left_walk.next(left));
        return goes_on ? found.owner : -found.owner;
    }
}

uint64_t hash_bitmap(Bytes bytes, BitmapWidth width, uint64_t seed) {
    constexpr uint64_t first_factor = 0x9e3779b97f4a7c15, last_factor = 0xd1342543de82ef95;
    uint64_t hash = seed ^ 0x2545f4914f6cdd1d;
    // What is hashed are runs within containers, which do not depend on how a container is encoded.
    each_run(bytes, width, [&](uint64_t first, uint64_t last) {
        hash = fold(hash ^ first, first_factor) + last_factor;
        if (last != first)
            hash = fold(hash ^ last, last_factor) + first_factor;
    });
    return fold(hash ^ first_factor, last_factor);
}

} // namespace fas
