// See gather.hh. Entries stand in the order in which their keys came, which is mostly ascending; a hash table is
// made when that is not enough to find one.
#include "gather.hh"

#include <algorithm>
#include <cstring>
#include <utility>

#include "../bytes.hh"
#include "../interrupt.hh"
#include "container_bits.hh"

namespace fas {

namespace {

constexpr uint32_t few_entries = 12; // are searched one by one
constexpr uint32_t most_entries = 0x7fffffff;
constexpr uint32_t few_of_a_key = 8; // members that come one behind the other
constexpr uint32_t poll_every = 256; // containers

uint64_t hash_of(uint64_t key) noexcept {
    key *= 0x9e3779b97f4a7c15;
    return key ^ key >> 32;
}

} // namespace

uint32_t *BitmapGatherer::slot_of(uint64_t key) const noexcept {
    uint32_t mask = slot_count_ - 1;
    for (auto i = static_cast<uint32_t>(hash_of(key)) & mask;; i = (i + 1) & mask)
        if (slots_[i] == 0 || entries_[slots_[i] - 1].key == key)
            return slots_ + i;
}

void BitmapGatherer::drop_index() noexcept {
    if (slots_ != nullptr)
        room_.memory().deallocate(slots_, slot_count_ * sizeof(uint32_t));
    slots_ = nullptr;
    slot_count_ = 0;
}

void BitmapGatherer::index_all() {
    drop_index();
    uint32_t wanted = std::bit_ceil(count_ * 2 + 2);
    slots_ = static_cast<uint32_t *>(room_.memory().allocate(wanted * sizeof(uint32_t)));
    slot_count_ = wanted;
    std::memset(slots_, 0, wanted * sizeof(uint32_t));
    for (uint32_t i = 0; i < count_; ++i)
        *slot_of(entries_[i].key) = i + 1;
}

GatheredContainer &BitmapGatherer::append(uint64_t key) {
    if (count_ == capacity_) {
        if (count_ == most_entries)
            throw Error(sqlstate::program_limit_exceeded, "bitmap is too large");
        uint32_t capacity = std::max(uint32_t{2}, capacity_ + capacity_ / 2 + capacity_ % 2);
        auto *entries = static_cast<Entry *>(room_.memory().allocate(capacity * sizeof(Entry)));
        if (entries_ != nullptr) {
            std::memcpy(static_cast<void *>(entries), entries_, count_ * sizeof(Entry));
            room_.memory().deallocate(entries_, capacity_ * sizeof(Entry));
        }
        entries_ = entries;
        capacity_ = capacity;
    }
    ascending_ = ascending_ && (count_ == 0 || entries_[count_ - 1].key < key);
    last_ = count_;
    new (entries_ + count_) Entry{key, GatheredContainer()};
    ++count_;
    if (slots_ != nullptr) {
        if (count_ > slot_count_ / 2)
            index_all();
        else
            *slot_of(key) = count_;
    }
    return entries_[last_].container;
}

GatheredContainer &BitmapGatherer::at(uint64_t key) {
    if (last_ < count_ && entries_[last_].key == key)
        return entries_[last_].container;
    if (last_ + 1 < count_ && entries_[last_ + 1].key == key)
        return entries_[++last_].container;
    if (ascending_ && (count_ == 0 || entries_[count_ - 1].key < key))
        return append(key);
    if (count_ <= few_entries) {
        for (uint32_t i = 0; i < count_; ++i)
            if (entries_[i].key == key)
                return entries_[last_ = i].container;
        return append(key);
    }
    if (slots_ == nullptr)
        index_all();
    uint32_t place = *slot_of(key);
    return place == 0 ? append(key) : entries_[last_ = place - 1].container;
}

void BitmapGatherer::add_now(uint64_t member) {
    add_pending();
    room_.add(at(member >> 16), static_cast<uint16_t>(member));
    if (pending_capacity_ == most_pending)
        return;
    came_ += pending_capacity_ + 1;
    const uint32_t wanted = std::min(most_pending, std::bit_floor(came_ / 4));
    if (wanted < least_pending || wanted == pending_capacity_)
        return;
    auto *pending = static_cast<uint64_t *>(room_.memory().allocate(wanted * sizeof(uint64_t)));
    if (pending_ != nullptr)
        room_.memory().deallocate(pending_, pending_capacity_ * sizeof(uint64_t));
    pending_ = pending;
    pending_capacity_ = wanted;
}

void BitmapGatherer::add_pending() {
    const uint32_t count = std::exchange(pending_count_, 0);
    uint32_t changes = 0; // of the key
    for (uint32_t i = 1; i < count; ++i)
        changes += (pending_[i - 1] ^ pending_[i]) >> 16 != 0;
    if (changes > count / few_of_a_key) {
        for (uint32_t i = 0; i < count; i += at_once)
            add_scattered(pending_ + i, std::min(at_once, count - i));
        return;
    }
    for (uint32_t i = 0, end = 0; i < count; i = end) {
        const uint64_t key = pending_[i] >> 16;
        for (end = i + 1; end < count && pending_[end] >> 16 == key; ++end) {
        }
        room_.add(at(key), pending_ + i, end - i);
    }
}

// Their containers, and where they go in these, are fetched from memory together.
void BitmapGatherer::add_scattered(const uint64_t *members, uint32_t count) {
    if (slots_ == nullptr)
        index_all();
    const uint32_t mask = slot_count_ - 1;
    uint32_t places[at_once];
    for (uint32_t i = 0; i < count; ++i)
        places[i] = slots_[static_cast<uint32_t>(hash_of(members[i] >> 16)) & mask];
    for (uint32_t i = 0; i < count; ++i) {
        const uint64_t key = members[i] >> 16;
        if (places[i] == 0 || entries_[places[i] - 1].key != key)
            places[i] = *slot_of(key);
        if (places[i] == 0)
            continue;
        const GatheredContainer &to = entries_[places[i] - 1].container;
        if (to.kind == ContainerKind::bitset)
            __builtin_prefetch(to.words + static_cast<uint16_t>(members[i]) / 64, 1);
        else if (to.kind == ContainerKind::array)
            __builtin_prefetch(to.members() + to.count, 1);
    }
    const bool unites = room_.gathering() == Gathering::unite;
    for (uint32_t i = 0; i < count; ++i) {
        const auto low = static_cast<uint16_t>(members[i]);
        GatheredContainer &to = places[i] != 0 ? entries_[places[i] - 1].container : at(members[i] >> 16);
        if (unites && to.kind == ContainerKind::bitset)
            set_bit(to.words, low);
        else
            room_.add(to, low);
    }
}

void BitmapGatherer::gather(BitmapView &from) {
    add_pending();
    for (from.rewind(); from.next();) {
        BucketView &bucket = from.bucket();
        int32_t before = -1;
        for (uint32_t i = 0; i < bucket.size(); ++i) {
            ContainerView container = bucket.container(i);
            if (container.key <= before)
                throw_bad_bitmap("The keys of the containers are not in ascending order.");
            before = container.key;
            room_.gather(at(uint64_t{from.high()} << 16 | container.key), container);
            if (i % poll_every == poll_every - 1)
                poll();
        }
    }
}

// Only members from first to last.
void BitmapGatherer::gather_part(uint64_t key, const ContainerView &from, uint16_t first, uint16_t last) {
    if (first == 0 && last == 0xffff) {
        room_.gather(at(key), from);
        return;
    }
    uint8_t room[ContainerView::part_size];
    ContainerView part;
    if (from.part(first, last, room, part)) {
        if (!part.bytes.empty())
            room_.gather(at(key), part);
        return;
    }
    GatheredContainer &to = at(key);
    room_.gather(to, from);
    uint8_t run[4]; // what is outside goes
    store<uint16_t>(run, first);
    store<uint16_t>(run + 2, static_cast<uint16_t>(last - first));
    room_.settle(to);
    room_.intersect(to, {ContainerKind::runs, from.key, 0, run});
}

void BitmapGatherer::gather_range(BitmapView &from, uint64_t first, uint64_t last) {
    for (from.rewind(); from.next() && from.high() <= last >> 32;) {
        if (from.high() < first >> 32)
            continue;
        BucketView &bucket = from.bucket();
        uint32_t i = from.high() == first >> 32 ? bucket.lower_bound(static_cast<uint32_t>(first) >> 16) : 0;
        for (; i < bucket.size(); ++i) {
            ContainerView container = bucket.container(i);
            uint64_t key = uint64_t{from.high()} << 16 | container.key;
            if (key > last >> 16)
                return;
            if (count_ > 0 && key <= entries_[count_ - 1].key)
                throw_bad_bitmap("The keys of the containers are not in ascending order.");
            gather_part(key, container, key == first >> 16 ? static_cast<uint16_t>(first) : uint16_t{0},
                        key == last >> 16 ? static_cast<uint16_t>(last) : uint16_t{0xffff});
            if (i % poll_every == poll_every - 1)
                poll();
        }
    }
}

void BitmapGatherer::intersect(BitmapView &with) {
    settle();
    drop_index();
    if (needs_all(with.size()))
        with.fetch_all();
    uint32_t kept = 0, i = 0;
    for (with.rewind(); i < count_ && with.next();) {
        BucketView &bucket = with.bucket();
        uint32_t place = 0;
        for (; i < count_ && entries_[i].key >> 16 < with.high(); ++i)
            room_.release(entries_[i].container);
        for (; i < count_ && entries_[i].key >> 16 == with.high(); ++i) {
            auto key = static_cast<uint16_t>(entries_[i].key);
            if (place < bucket.size() && bucket.key(place) != key)
                place = bucket.lower_bound(key, place);
            if (place < bucket.size() && bucket.key(place) == key &&
                room_.intersect(entries_[i].container, bucket.container(place)))
                entries_[kept++] = entries_[i];
            else
                room_.release(entries_[i].container);
            if (i % poll_every == poll_every - 1)
                poll();
        }
    }
    for (; i < count_; ++i)
        room_.release(entries_[i].container);
    count_ = kept;
    last_ = 0;
}

// As rarely as the containers become twice as many, so that it costs each of them little.
void BitmapGatherer::shed() {
    if (count_ < shed_at_)
        return;
    settle();
    drop_index();
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count_; ++i) {
        if (room_.shrink(entries_[i].container))
            entries_[kept++] = entries_[i];
        else
            room_.release(entries_[i].container);
    }
    count_ = kept;
    last_ = 0;
    shed_at_ = std::max(least_shed, kept <= most_entries / 2 ? 2 * kept : most_entries);
}

void BitmapGatherer::settle() {
    add_pending();
    for (uint32_t i = 0; i < count_; ++i) {
        room_.settle(entries_[i].container);
        if (i % poll_every == poll_every - 1)
            poll();
    }
    if (!ascending_) {
        drop_index(); // it holds places
        std::sort(entries_, entries_ + count_, [](const Entry &a, const Entry &b) { return a.key < b.key; });
        ascending_ = true;
        last_ = 0;
    }
}

uint64_t BitmapGatherer::cardinality() {
    settle();
    uint64_t members = 0;
    for (uint32_t i = 0; i < count_; ++i)
        members += cardinality_of(entries_[i].container);
    return members;
}

} // namespace fas
