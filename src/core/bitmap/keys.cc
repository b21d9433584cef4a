// See keys.hh.
#include "keys.hh"

#include <algorithm>
#include <array>

namespace fas {

namespace {

constexpr uint64_t most_probes = 64, most_ranges = 128;
constexpr unsigned most_levels = 8;
constexpr uint64_t mark_base = 0xa0; // the mark of level n is this plus n

constexpr uint64_t shifted(uint64_t member, unsigned level) { return member >> (8 * level); }

IndexKey key_of(uint64_t part, unsigned level) {
    const uint64_t mark = level == 0 ? 0 : (mark_base + level) << 56;
    return static_cast<IndexKey>((part | mark) ^ uint64_t{1} << 63);
}

// Whether keys of level 0 from `first` to `last` can't be keys of other levels.
bool is_unmarked(uint64_t first, uint64_t last) {
    return last >> 56 <= mark_base || first >> 56 >= mark_base + most_levels;
}

struct Span {
    uint64_t first, last;
};

// Appends a span that comes after all others; joins it with the last one where they touch.
void append_span(std::vector<Span> &spans, Span next) {
    if (!spans.empty() && (next.first <= spans.back().last || next.first - spans.back().last == 1))
        spans.back().last = std::max(spans.back().last, next.last);
    else
        spans.push_back(next);
}

// How many distinct parts a bitmap has on each level, up to a bound.
class PartCounts {
  public:
    PartCounts(BitmapWidth width, uint64_t most) : levels_(index_levels(width)), most_(most) {}

    void add(uint64_t first, uint64_t last) {
        for (unsigned level = lowest_; level < levels_; ++level) {
            const uint64_t from = shifted(first, level), to = shifted(last, level);
            counts_[level] += to - from + (!is_any_ || ends_[level] != from ? 1 : 0);
            ends_[level] = to;
        }
        is_any_ = true;
        while (lowest_ + 1 < levels_ && counts_[lowest_] > most_)
            ++lowest_;
    }
    unsigned lowest() const { return lowest_; } // with no more parts than the bound

  private:
    unsigned levels_, lowest_ = 0;
    uint64_t most_;
    bool is_any_ = false;
    std::array<uint64_t, most_levels> counts_{}, ends_{};
};

void append_probes(Probes &out, const std::vector<uint64_t> &members, BitmapWidth width) {
    for (unsigned level = 0; level < index_levels(width); ++level) {
        for (size_t i = 0; i < members.size(); ++i) {
            const uint64_t part = shifted(members[i], level);
            if (i > 0 && part == shifted(members[i - 1], level))
                continue;
            out.keys.push_back(key_of(part, level));
            out.levels.push_back(static_cast<uint8_t>(level));
        }
    }
}

} // namespace

std::vector<IndexKey> index_keys(Bytes bytes, BitmapWidth width, uint32_t most_keys) {
    PartCounts counts(width, most_keys);
    each_run(bytes, width, [&](uint64_t first, uint64_t last) { counts.add(first, last); });
    const unsigned level = counts.lowest();
    std::vector<IndexKey> out;
    uint64_t end = 0; // the last part that is in `out`
    each_run(bytes, width, [&](uint64_t first, uint64_t last) {
        uint64_t part = shifted(first, level);
        const uint64_t last_part = shifted(last, level);
        if (!out.empty() && part == end && part++ == last_part)
            return;
        for (; part < last_part; ++part)
            out.push_back(key_of(part, level));
        out.push_back(key_of(last_part, level));
        end = last_part;
    });
    return out;
}

Probes probes_of_member(uint64_t member, BitmapWidth width) {
    Probes out;
    append_probes(out, {member}, width);
    out.is_exact = is_unmarked(member, member);
    return out;
}

Probes probes_of_bitmap(Bytes bytes, BitmapWidth width) {
    uint64_t count = 0; // 2^64 members have too many bytes to come here
    each_run(bytes, width, [&](uint64_t first, uint64_t last) { count += last - first + 1; });
    const uint64_t wanted = std::min(count, most_probes);
    Probes out;
    out.is_exact = wanted == count;
    std::vector<uint64_t> members;
    uint64_t rank = 0; // of the run's first member
    each_run(bytes, width, [&](uint64_t first, uint64_t last) {
        // The probes are spread evenly; the first and the last member are among them.
        for (; members.size() < wanted;) {
            const uint64_t i = members.size();
            const auto next =
                wanted == count ? i : static_cast<uint64_t>(static_cast<uint128>(count - 1) * i / (wanted - 1));
            if (next - rank > last - first)
                break;
            members.push_back(first + (next - rank));
            out.is_exact = out.is_exact && is_unmarked(members.back(), members.back());
        }
        rank += last - first + 1;
    });
    append_probes(out, members, width);
    return out;
}

std::vector<KeyRange> ranges_of_bitmap(Bytes bytes, BitmapWidth width) {
    // The lowest level on which the query is few enough runs; its spans are of parts of that level.
    unsigned rounded = 0;
    std::vector<Span> spans;
    each_run(bytes, width, [&](uint64_t first, uint64_t last) {
        append_span(spans, {shifted(first, rounded), shifted(last, rounded)});
        while (spans.size() > most_ranges) {
            ++rounded;
            std::vector<Span> fewer;
            for (const Span &span : spans)
                append_span(fewer, {shifted(span.first, 1), shifted(span.last, 1)});
            spans = std::move(fewer);
        }
    });
    std::vector<KeyRange> out;
    for (unsigned level = 0; level < index_levels(width); ++level) {
        const bool is_below = level < rounded;
        const unsigned bits = 8 * (is_below ? rounded - level : level - rounded);
        std::vector<Span> here;
        for (const Span &span : spans)
            append_span(here, is_below ? Span{span.first << bits, (span.last << bits) | ((uint64_t{1} << bits) - 1)}
                                       : Span{span.first >> bits, span.last >> bits});
        for (const Span &span : here)
            out.push_back({key_of(span.first, level), key_of(span.last, level),
                           level == 0 && rounded == 0 && is_unmarked(span.first, span.last)});
    }
    return out;
}

} // namespace fas
