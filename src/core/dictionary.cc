// Front-coded dictionaries: writing, full decoding, and look-ups that decode one block.
#include "dictionary.hh"

#include <algorithm>

#include "bytes.hh"

namespace fas {
namespace {

// An entry opens with one byte: shared prefix length in the high half, suffix length - 1 in the low half. 15 in
// either means that a varint with what is above 15 follows.
constexpr unsigned half_limit = 15;

struct Entry {
    uint64_t shared;
    std::string_view suffix;
};

Entry read_entry(ByteCursor &cursor) {
    const uint8_t halves = cursor.byte();
    uint64_t shared = halves >> 4, length = halves & 15;
    if (shared == half_limit)
        shared += std::min<uint64_t>(cursor.varint(), UINT32_MAX);
    if (length == half_limit)
        length += std::min<uint64_t>(cursor.varint(), UINT32_MAX);
    const uint8_t *suffix = cursor.take(++length);
    return {shared, {reinterpret_cast<const char *>(suffix), length}};
}

void append_entry(std::string_view name, size_t shared, std::vector<uint8_t> &out) {
    const size_t length = name.size() - shared - 1;
    uint8_t head[1 + 10 + 10], *to = head;
    *to++ = static_cast<uint8_t>(std::min<size_t>(shared, half_limit) << 4 | std::min<size_t>(length, half_limit));
    if (shared >= half_limit)
        to = put_varint(to, shared - half_limit);
    if (length >= half_limit)
        to = put_varint(to, length - half_limit);
    out.insert(out.end(), head, to);
    out.insert(out.end(), name.begin() + static_cast<ptrdiff_t>(shared), name.end());
}

// One name after another. `name` keeps its memory; it is the previous name on entry.
void next_name(ByteCursor &cursor, bool opens_block, std::string &name) {
    const Entry entry = read_entry(cursor);
    if (opens_block ? entry.shared != 0 : entry.shared > name.size())
        throw_corrupted("A dictionary's entry shares more than the name before it has.");
    name.resize(entry.shared);
    name += entry.suffix;
}

} // namespace

void append_dictionary(std::span<const std::string_view> names, std::vector<uint8_t> &out) {
    const size_t blocks = (names.size() + dictionary_block - 1) / dictionary_block;
    const size_t directory = out.size(), data = directory + 4 * blocks;
    out.resize(data);
    for (size_t i = 0; i < names.size(); ++i) {
        size_t shared = 0;
        if (i % dictionary_block != 0) {
            const auto parted = std::mismatch(names[i].begin(), names[i].end(), names[i - 1].begin(), names[i - 1].end());
            shared = static_cast<size_t>(parted.first - names[i].begin());
        }
        append_entry(names[i], shared, out);
        store<uint32_t>(out.data() + directory + i / dictionary_block * 4, static_cast<uint32_t>(out.size() - data));
    }
}

uint64_t least_dictionary_bytes(uint32_t count) noexcept {
    return uint64_t{count} * 2 + (uint64_t{count} + dictionary_block - 1) / dictionary_block * 4;
}

Dictionary::Dictionary(Bytes bytes, uint32_t count) : count_(count) {
    const uint64_t blocks = (uint64_t{count} + dictionary_block - 1) / dictionary_block;
    if (bytes.size() < least_dictionary_bytes(count))
        throw_corrupted("A dictionary is too short for its names.");
    directory_ = bytes.first(4 * blocks);
    data_ = bytes.subspan(4 * blocks);
    uint32_t previous = 0;
    for (uint64_t b = 0; b < blocks; ++b) {
        const uint32_t end = load<uint32_t>(directory_.data() + 4 * b);
        if (end <= previous || end > data_.size())
            throw_corrupted("A dictionary's blocks do not ascend.");
        previous = end;
    }
    if (previous != data_.size())
        throw_corrupted("A dictionary does not end where its last block ends.");
}

Bytes Dictionary::block(uint32_t index) const noexcept {
    const uint32_t begin = index == 0 ? 0 : load<uint32_t>(directory_.data() + 4 * (size_t{index} - 1));
    return data_.subspan(begin, load<uint32_t>(directory_.data() + 4 * size_t{index}) - begin);
}

std::string_view Dictionary::first_of(uint32_t index) const {
    ByteCursor cursor(block(index));
    return read_entry(cursor).suffix;
}

void Dictionary::decode(std::vector<std::string_view> &names, std::unique_ptr<char[]> &arena) const {
    // Pass one: lengths. A name is at most as long as its block's suffixes, so the sum is bounded by 16 * bytes.
    std::vector<uint64_t> lengths(count_);
    uint64_t total = 0;
    for (uint32_t id = 0; id < count_;) {
        ByteCursor cursor(block(id / dictionary_block));
        const uint32_t end = std::min(count_, id + dictionary_block);
        for (uint64_t previous = 0; id < end; ++id) {
            const Entry entry = read_entry(cursor);
            if (entry.shared > previous)
                throw_corrupted("A dictionary's entry shares more than the name before it has.");
            total += lengths[id] = previous = entry.shared + entry.suffix.size();
        }
        if (cursor.left() != 0)
            throw_corrupted("A dictionary's block has bytes behind its last entry.");
    }
    // Pass two: the names.
    arena = std::make_unique_for_overwrite<char[]>(total);
    names.resize(count_);
    char *to = arena.get();
    std::string_view previous;
    for (uint32_t id = 0; id < count_;) {
        ByteCursor cursor(block(id / dictionary_block));
        const uint32_t end = std::min(count_, id + dictionary_block);
        for (bool opens_block = true; id < end; ++id, opens_block = false) {
            const Entry entry = read_entry(cursor);
            std::copy_n(previous.data(), entry.shared, to);
            std::copy_n(entry.suffix.data(), entry.suffix.size(), to + entry.shared);
            const std::string_view name(to, lengths[id]);
            // Shared prefixes are as long as they can be, so that the first byte of the suffix decides the order.
            const bool ascends = opens_block || entry.shared == previous.size()
                                     ? previous < name
                                     : static_cast<uint8_t>(entry.suffix[0]) > static_cast<uint8_t>(previous[entry.shared]);
            if (!ascends)
                throw_corrupted("The names of a dictionary do not ascend.");
            if (!is_utf8(name))
                throw_corrupted("A name in a dictionary is not valid UTF-8.");
            names[id] = previous = name;
            to += name.size();
        }
    }
}

uint32_t Dictionary::lower_bound(std::string_view name) const {
    // The last block whose first name is not greater; the answer is in it, or is the first of the next.
    uint32_t low = 0, high = (count_ + dictionary_block - 1) / dictionary_block;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (first_of(middle) <= name)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return 0;
    uint32_t id = (low - 1) * dictionary_block;
    const uint32_t end = std::min(count_, low * dictionary_block);
    ByteCursor cursor(block(low - 1));
    std::string current;
    for (; id < end; ++id) {
        next_name(cursor, id % dictionary_block == 0, current);
        if (current >= name)
            break;
    }
    return id;
}

bool Dictionary::equals(uint32_t id, std::string_view name) const {
    ByteCursor cursor(block(id / dictionary_block));
    std::string current;
    for (uint32_t i = id / dictionary_block * dictionary_block; i <= id; ++i)
        next_name(cursor, i % dictionary_block == 0, current);
    return current == name;
}

bool prefix_successor(std::string_view prefix, std::string &out) {
    while (!prefix.empty() && static_cast<uint8_t>(prefix.back()) == 0xff)
        prefix.remove_suffix(1);
    if (prefix.empty())
        return false;
    out.assign(prefix);
    out.back() = static_cast<char>(static_cast<uint8_t>(out.back()) + 1);
    return true;
}

namespace {

// The length of the UTF-8 sequence at `at`, which is no ASCII; 0 when it is none.
size_t sequence_length(const uint8_t *at, size_t left) noexcept {
    const uint8_t lead = at[0];
    const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || left < length)
        return 0;
    for (size_t i = 1; i < length; ++i)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    const bool wrong = (lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f) ||
                       (lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f);
    return wrong ? 0 : length;
}

} // namespace

bool is_utf8(std::string_view text) noexcept {
    const uint8_t *at = reinterpret_cast<const uint8_t *>(text.data());
    size_t left = text.size();
    while (left > 0) {
        if (left >= 8) {
            // Eight ASCII bytes that are not NUL: no high bit, and none is borrowed from when 1 is taken away.
            const uint64_t word = load<uint64_t>(at);
            constexpr uint64_t high = 0x8080808080808080, ones = 0x0101010101010101;
            if (((word | (word - ones)) & high) == 0) {
                at += 8;
                left -= 8;
                continue;
            }
        }
        const size_t length = *at == 0 ? 0 : *at < 0x80 ? 1 : sequence_length(at, left);
        if (length == 0)
            return false;
        at += length;
        left -= length;
    }
    return true;
}

} // namespace fas
