// See bucket.hh. Nothing here is shared, and no lock is needed.
#include "bucket.hh"

#include <algorithm>
#include <cstring>
#include <new>

#include "bits.hh"
#include "../bytes.hh"

namespace fas {

namespace {

// The format's own numbers (github.com/RoaringBitmap/RoaringFormatSpec).
constexpr uint32_t cookie_without_runs = 12346;
constexpr uint32_t cookie_with_runs = 12347; // its low 16 bits; above them stands the number of containers - 1
constexpr uint32_t max_containers = 65536;
constexpr uint32_t max_array = 4096; // members; one more makes a bitset
constexpr uint32_t bitset_bytes = 8192;
constexpr uint32_t min_offsets = 4; // with runs, fewer containers have no offsets
constexpr const char *header_too_short = "The bytes end within the header.";

struct Header {
    uint32_t count = 0;                 // of containers
    const uint8_t *run_flags = nullptr; // null: no container is one of runs
    const uint8_t *keys = nullptr;      // pairs of key and cardinality - 1
    const uint8_t *offsets = nullptr;   // null: there are none
    size_t length = 0;

    bool is_run(uint32_t i) const noexcept { return run_flags != nullptr && (run_flags[i / 8] >> (i % 8) & 1) != 0; }
    uint16_t key(uint32_t i) const noexcept { return load<uint16_t>(keys + size_t{4} * i); }
    uint16_t last(uint32_t i) const noexcept { return load<uint16_t>(keys + size_t{4} * i + 2); }
    uint32_t offset(uint32_t i) const noexcept { return load<uint32_t>(offsets + size_t{4} * i); }
};

// Null, or what is wrong. How long a header is, and of how many containers, its first 8 bytes tell; where there are
// fewer, nothing else can follow.
const char *measure_header(Bytes bytes, Header &out) noexcept {
    if (bytes.size() < 4)
        return header_too_short;
    const auto cookie = load<uint32_t>(bytes.data());
    const bool has_runs = (cookie & 0xffff) == cookie_with_runs;
    if (has_runs) {
        out.count = (cookie >> 16) + 1;
        out.length = 4 + (out.count + 7) / 8;
    } else {
        if (cookie != cookie_without_runs)
            return "The bytes do not begin with a cookie of the portable Roaring format.";
        if (bytes.size() < 8)
            return header_too_short;
        out.count = load<uint32_t>(bytes.data() + 4);
        out.length = 8;
    }
    if (out.count > max_containers)
        return "There are more than 65536 containers.";
    const bool has_offsets = !has_runs || out.count >= min_offsets;
    const size_t keys = out.length;
    out.length += size_t{has_offsets ? 8u : 4u} * out.count;
    if (out.length > bytes.size())
        return nullptr;
    out.run_flags = has_runs ? bytes.data() + 4 : nullptr;
    out.keys = bytes.data() + keys;
    out.offsets = has_offsets ? out.keys + size_t{4} * out.count : nullptr;
    return nullptr;
}

// Null, or what is wrong.
const char *read_header(Bytes bytes, Header &out) noexcept {
    if (const char *problem = measure_header(bytes, out))
        return problem;
    return out.length > bytes.size() ? header_too_short : nullptr;
}

// Null, or what is wrong with one container's contents.
const char *look_inside(bool is_run, uint32_t cardinality, const uint8_t *data, uint32_t size, Depth depth) noexcept {
    if (is_run) {
        uint32_t members = 0;
        return size > 2 && runs_ascend(data + 2, (size - 2) / 4, members) && members == cardinality
                   ? nullptr
                   : "The runs of a container are not in order.";
    }
    if (cardinality <= max_array)
        return ascends(data, cardinality) ? nullptr : "The members of a container are not in order.";
    if (depth == Depth::whole && count_ones(data, bitset_bytes / 8) != cardinality)
        return "A container has not as many members as its header says.";
    return nullptr;
}

// Walks all containers: f(index, key, last, is_run, data, size) may say what is wrong.
template <class F> const char *walk(Bytes bytes, const Header &header, size_t &length, F &&f) noexcept {
    static constexpr const char *too_short = "The bytes end within a container.";
    size_t at = header.length;
    int32_t previous = -1;
    for (uint32_t i = 0; i < header.count; ++i) {
        const uint16_t key = header.key(i), last = header.last(i);
        const bool is_run = header.is_run(i);
        if (key <= previous)
            return "The keys of containers are not in order.";
        previous = key;
        if (header.offsets != nullptr && header.offset(i) != at)
            return "A container is not where its offset says.";
        uint32_t size = last >= max_array ? bitset_bytes : 2 * (uint32_t{last} + 1);
        if (is_run) {
            if (bytes.size() - at < 2)
                return too_short;
            size = 2 + 4 * uint32_t{load<uint16_t>(bytes.data() + at)};
        }
        if (bytes.size() - at < size)
            return too_short;
        if (const char *problem = f(i, key, last, is_run, bytes.data() + at, size))
            return problem;
        at += size;
    }
    length = at;
    return nullptr;
}

} // namespace

BucketShape inspect_bucket(Bytes bytes, Depth depth) noexcept {
    Header header;
    BucketShape out;
    out.problem = read_header(bytes, header);
    if (out.problem == nullptr)
        out.problem = walk(bytes, header, out.length,
                           [&](uint32_t, uint16_t, uint16_t last, bool is_run, const uint8_t *data, uint32_t size) {
                               out.cardinality += uint64_t{last} + 1;
                               return depth == Depth::layout
                                          ? nullptr
                                          : look_inside(is_run, uint32_t{last} + 1, data, size, depth);
                           });
    if (out.problem != nullptr)
        out.length = out.cardinality = 0;
    return out;
}

BucketShape checked_bucket(Bytes bytes, Depth depth) {
    BucketShape shape = inspect_bucket(bytes, depth);
    if (shape.problem != nullptr)
        throw_bad_bitmap(shape.problem);
    return shape;
}

void ContainerPlace::check(Depth depth) const {
    const char *problem = depth == Depth::layout ? nullptr : look_inside(is_run, cardinality(), data, size, depth);
    if (problem != nullptr)
        throw_bad_bitmap(problem);
}

void BucketDirectory::open(Bytes bucket) {
    Header header;
    if (const char *problem = read_header(bucket, header))
        throw_bad_bitmap(problem);
    bucket_ = bucket;
    limit_ = bucket.size();
    window_ = nullptr;
    count_ = header.count;
    run_flags_ = header.run_flags;
    keys_ = header.keys;
    offsets_ = header.offsets;
    length_ = header.length;
}

void BucketDirectory::open(ByteWindow &window, uint64_t begin) {
    if (begin > window.size())
        throw_bad_bitmap("The bytes end before the bitmap does.");
    if (window.is_whole())
        return open(window.whole().subspan(begin));
    const uint64_t left = window.size() - begin;
    // A header of 65536 containers with runs is the longest; what it says of its length is enough to read it.
    const Bytes front = window.fetch(begin, std::min<uint64_t>(left, 8));
    Header header;
    const char *problem = measure_header(front, header);
    if (problem == nullptr && header.length > left)
        problem = header_too_short;
    if (problem != nullptr)
        throw_bad_bitmap(problem);
    const Bytes bytes = window.fetch(begin, header.length);
    header_.assign(bytes.begin(), bytes.end());
    open(Bytes(header_));
    window_ = &window;
    begin_ = begin;
    limit_ = left;
    check_offsets();
}

// Where a window moves, containers must lie one behind the other: else the same bytes could be fetched for each.
void BucketDirectory::check_offsets() const {
    bool ascend = true;
    for (uint32_t i = 1; offsets_ != nullptr && i < count_; ++i)
        ascend &= offset(i - 1) < offset(i);
    if (!ascend)
        throw_bad_bitmap("A container is not behind the one before.");
}

uint64_t BucketDirectory::cardinality() const noexcept {
    uint64_t total = count_;
    for (uint32_t i = 0; i < count_; ++i)
        total += number(2 * i + 1);
    return total;
}

Bytes BucketDirectory::fetch(uint64_t begin, uint32_t size) const {
    if (begin > limit_ || limit_ - begin < size)
        throw_bad_bitmap("A container reaches beyond the end of the bytes.");
    return window_ == nullptr ? bucket_.subspan(begin, size) : window_->fetch(begin_ + begin, size);
}

BucketDirectory::Extent BucketDirectory::extent(uint32_t i) const {
    Extent out{length_, 0};
    if (offsets_ != nullptr) {
        out.begin = offset(i);
    } else if (i > 0) { // there are three containers at most
        const Extent previous = extent(i - 1);
        out.begin = previous.begin + previous.size;
    }
    if (out.begin < length_)
        throw_bad_bitmap("A container lies within the header.");
    out.size = cardinality(i) > max_array ? bitset_bytes : 2 * cardinality(i);
    if (is_run(i))
        out.size = 2 + 4 * uint32_t{load<uint16_t>(fetch(out.begin, 2).data())};
    if (offsets_ != nullptr && i + 1 < count_ && out.begin + out.size > offset(i + 1))
        throw_bad_bitmap("A container is not where its offset says.");
    return out;
}

ContainerPlace BucketDirectory::place(uint32_t i) const {
    const Extent at = extent(i);
    const uint8_t *data = fetch(at.begin, at.size).data();
    return {key(i), static_cast<uint16_t>(cardinality(i) - 1), is_run(i), at.size, data};
}

uint64_t BucketDirectory::length() const {
    if (count_ == 0)
        return length_;
    const Extent last = extent(count_ - 1);
    return last.begin + last.size;
}

FrozenBucket::FrozenBucket(Bytes inspected)
    : bits_(roaring_bitmap_portable_deserialize_frozen(reinterpret_cast<const char *>(inspected.data()))) {
    if (bits_ == nullptr)
        throw std::bad_alloc();
}

FrozenBucket::~FrozenBucket() { roaring_bitmap_free(bits_); }

std::pmr::vector<ContainerPlace> containers_of(Bytes bucket, std::pmr::memory_resource *memory) {
    Header header;
    std::pmr::vector<ContainerPlace> out(memory);
    const char *problem = read_header(bucket, header);
    if (problem == nullptr) {
        out.resize(header.count);
        size_t length = 0;
        problem = walk(bucket, header, length,
                       [&](uint32_t i, uint16_t key, uint16_t last, bool is_run, const uint8_t *data, uint32_t size) {
                           out[i] = {key, last, is_run, size, data};
                           return static_cast<const char *>(nullptr);
                       });
        if (problem == nullptr && length != bucket.size())
            problem = "More bytes follow the bitmap.";
    }
    if (problem != nullptr)
        throw_bad_bitmap(problem);
    return out;
}

namespace {

struct Sizes {
    bool has_runs = false;
    size_t header = 0, data = 0;
};

Sizes sizes_of(std::span<const ContainerPlace> containers) noexcept {
    Sizes out;
    for (const ContainerPlace &container : containers) {
        out.has_runs |= container.is_run;
        out.data += container.size;
    }
    const size_t count = containers.size();
    const bool has_offsets = !out.has_runs || count >= min_offsets;
    out.header = (out.has_runs ? 4 + (count + 7) / 8 : 8) + 4 * count + (has_offsets ? 4 * count : 0);
    return out;
}

} // namespace

size_t bucket_size(std::span<const ContainerPlace> containers) noexcept {
    const Sizes sizes = sizes_of(containers);
    return sizes.header + sizes.data;
}

void write_bucket(std::span<const ContainerPlace> containers, uint8_t *out, std::vector<uint8_t *> *holes) {
    const Sizes sizes = sizes_of(containers);
    const auto count = static_cast<uint32_t>(containers.size());
    uint8_t *at = out;
    if (sizes.has_runs) {
        store<uint32_t>(at, cookie_with_runs | (count - 1) << 16);
        at += 4;
        std::memset(at, 0, (count + 7) / 8);
        for (uint32_t i = 0; i < count; ++i)
            at[i / 8] |= static_cast<uint8_t>(containers[i].is_run << (i % 8));
        at += (count + 7) / 8;
    } else {
        store<uint32_t>(at, cookie_without_runs);
        store<uint32_t>(at + 4, count);
        at += 8;
    }
    for (const ContainerPlace &container : containers) {
        store<uint16_t>(at, container.key);
        store<uint16_t>(at + 2, container.last);
        at += 4;
    }
    if (!sizes.has_runs || count >= min_offsets) {
        auto offset = static_cast<uint32_t>(sizes.header);
        for (const ContainerPlace &container : containers) {
            store<uint32_t>(at, offset);
            offset += container.size;
            at += 4;
        }
    }
    // Neighbours in the source are neighbours here: one copy for each stretch of them.
    for (size_t i = 0; i < containers.size();) {
        const uint8_t *from = containers[i].data;
        size_t length = 0;
        if (from == nullptr) {
            holes->push_back(at);
            at += containers[i++].size;
            continue;
        }
        for (; i < containers.size() && containers[i].data == from + length; ++i)
            length += containers[i].size;
        std::memcpy(at, from, length);
        at += length;
    }
}

} // namespace fas
