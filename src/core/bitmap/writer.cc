// A gathered bitmap in the portable format: see BitmapWriter in gather.hh.
#include "gather.hh"

#include "../bytes.hh"
#include "../interrupt.hh"

namespace fas {

namespace {

constexpr uint16_t cookie_with_runs = 12347, cookie_without_runs = 12346;
constexpr size_t small_with_offsets = 4; // with runs, fewer containers than these have no table of offsets
constexpr uint32_t poll_every = 256;     // containers

} // namespace

uint64_t BitmapWriter::Bucket::header_size() const noexcept {
    size_t count = end - begin;
    if (!has_runs)
        return 8 + 8 * count;
    return 4 + (count + 7) / 8 + (count < small_with_offsets ? 4 : 8) * count;
}

BitmapWriter::BitmapWriter(BitmapGatherer &from, BitmapWidth width) : width_(width) {
    from.settle();
    parts_.reserve(from.count_);
    for (uint32_t i = 0; i < from.count_; ++i) {
        const BitmapGatherer::Entry &entry = from.entries_[i];
        ContainerForm form = form_of(entry.container);
        if (i % poll_every == poll_every - 1)
            poll();
        if (form.cardinality == 0)
            continue;
        if (buckets_.empty() || parts_[buckets_.back().begin].key >> 16 != entry.key >> 16)
            buckets_.push_back({parts_.size(), parts_.size(), false});
        parts_.push_back({entry.key, &entry.container, form});
        buckets_.back().end = parts_.size();
        buckets_.back().has_runs |= form.kind == ContainerKind::runs;
        size_ += form.size();
    }
    if (width == BitmapWidth::bits32 && buckets_.empty())
        buckets_.push_back({0, 0, false});
    if (width == BitmapWidth::bits64)
        size_ += 8 + 4 * buckets_.size();
    for (const Bucket &bucket : buckets_)
        size_ += bucket.header_size();
}

uint8_t *BitmapWriter::write_bucket(const Bucket &bucket, uint8_t *out) const {
    size_t count = bucket.end - bucket.begin;
    const Part *parts = parts_.data() + bucket.begin;
    if (bucket.has_runs) {
        store<uint32_t>(out, cookie_with_runs | static_cast<uint32_t>(count - 1) << 16);
        out += 4;
        for (size_t i = 0; i < count; i += 8) {
            uint8_t flags = 0;
            for (size_t j = i; j < std::min(count, i + 8); ++j)
                flags = static_cast<uint8_t>(flags | (parts[j].form.kind == ContainerKind::runs) << (j - i));
            *out++ = flags;
        }
    } else {
        store<uint32_t>(out, cookie_without_runs);
        store<uint32_t>(out + 4, static_cast<uint32_t>(count));
        out += 8;
    }
    for (size_t i = 0; i < count; ++i, out += 4) {
        store<uint16_t>(out, static_cast<uint16_t>(parts[i].key));
        store<uint16_t>(out + 2, static_cast<uint16_t>(parts[i].form.cardinality - 1));
    }
    if (!bucket.has_runs || count >= small_with_offsets) {
        uint64_t at = bucket.header_size();
        for (size_t i = 0; i < count; ++i, out += 4) {
            store<uint32_t>(out, static_cast<uint32_t>(at));
            at += parts[i].form.size();
        }
    }
    for (size_t i = 0; i < count; ++i) {
        fas::write(*parts[i].container, parts[i].form, out);
        out += parts[i].form.size();
        if (i % poll_every == poll_every - 1)
            poll();
    }
    return out;
}

void BitmapWriter::write(uint8_t *out) const {
    if (width_ == BitmapWidth::bits64) {
        store<uint64_t>(out, buckets_.size());
        out += 8;
    }
    for (const Bucket &bucket : buckets_) {
        if (width_ == BitmapWidth::bits64) {
            store<uint32_t>(out, static_cast<uint32_t>(parts_[bucket.begin].key >> 16));
            out += 4;
        }
        out = write_bucket(bucket, out);
    }
}

} // namespace fas
