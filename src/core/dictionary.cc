// Front-coded dictionaries: writing, full decoding, and look-ups that decode one block.
#include "dictionary.hh"

#include <algorithm>
#include <array>

#include "bytes.hh"
#include "intern.hh"

namespace fas {
namespace {

// An entry opens with one byte: shared prefix length in the high half, suffix length - 1 in the low half. 15 in
// either means that a varint with what is above 15 follows.
constexpr unsigned half_limit = 15;

struct Entry {
    uint64_t shared;
    std::string_view suffix;
};

inline Entry read_entry(ByteCursor &cursor) {
    const uint8_t halves = cursor.byte();
    uint64_t shared = halves >> 4, length = halves & 15;
    if (shared == half_limit)
        shared += std::min<uint64_t>(cursor.varint(), UINT32_MAX);
    if (length == half_limit)
        length += std::min<uint64_t>(cursor.varint(), UINT32_MAX);
    const uint8_t *suffix = cursor.take(++length);
    return {shared, {reinterpret_cast<const char *>(suffix), length}};
}

// The most that an entry takes: for each byte that a length needs beyond the first, more bytes are shared, or there.
uint64_t most_entry_bytes(std::string_view name) noexcept { return 1 + varint_size(name.size()) + name.size(); }

uint8_t *put_entry(uint8_t *to, std::string_view name, size_t shared) noexcept {
    const size_t size = name.size() - shared, length = size - 1;
    *to++ = static_cast<uint8_t>(std::min<size_t>(shared, half_limit) << 4 | std::min<size_t>(length, half_limit));
    if (shared >= half_limit)
        to = put_varint(to, shared - half_limit);
    if (length >= half_limit)
        to = put_varint(to, length - half_limit);
    std::memcpy(to, name.data() + shared, size);
    return to + size;
}

void check_shared(const Entry &entry, uint64_t previous) {
    if (entry.shared > previous)
        throw_corrupted("A dictionary's entry shares more than the name before it has.");
}

// What a name takes in an arena: its bytes up to the next boundary, and room.
constexpr uint64_t with_room(uint64_t length) noexcept {
    return (length + name_room - 1) / name_room * name_room + name_room;
}

// Copies up to 16 bytes without a call where both sides have room for 16.
constexpr size_t copy_slack = 16;
inline void copy_short(char *to, const char *from, size_t count, bool has_slack) noexcept {
    if (count <= copy_slack && has_slack) {
        std::array<char, copy_slack> bytes; // a register: the two sides may overlap
        std::memcpy(bytes.data(), from, copy_slack);
        std::memcpy(to, bytes.data(), copy_slack);
    } else if (count > 0) {
        std::memcpy(to, from, count);
    }
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
    uint64_t most = 0;
    for (const std::string_view name : names)
        most += most_entry_bytes(name);
    out.resize(data + most);
    uint8_t *to = out.data() + data;
    for (size_t i = 0; i < names.size(); ++i) {
        to = put_entry(to, names[i], i % dictionary_block == 0 ? 0 : shared_prefix(names[i - 1], names[i]));
        store<uint32_t>(out.data() + directory + i / dictionary_block * 4,
                        static_cast<uint32_t>(to - out.data() - static_cast<ptrdiff_t>(data)));
    }
    out.resize(static_cast<size_t>(to - out.data()));
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

// The bytes that all names take with their room. A name is at most as long as its block's suffixes, so they are at most
// some 16 times as many as the dictionary has; where that is little, it need not be known better.
uint64_t Dictionary::room_for_names() const {
    constexpr uint64_t little = 2048;
    const uint64_t most = count_ * with_room(data_.size());
    if (most <= little)
        return most;
    uint64_t total = 0;
    for (uint32_t id = 0; id < count_;) {
        ByteCursor cursor(block(id / dictionary_block));
        const uint32_t end = std::min(count_, id + dictionary_block);
        for (uint64_t previous = 0; id < end; ++id) {
            const Entry entry = read_entry(cursor);
            check_shared(entry, previous);
            previous = entry.shared + entry.suffix.size();
            total += with_room(previous);
        }
    }
    return total;
}

void Dictionary::decode(std::vector<std::string_view> &names, std::unique_ptr<char[]> &arena) const {
    arena = std::make_unique_for_overwrite<char[]>(room_for_names() + copy_slack);
    names.resize(count_);
    char *to = arena.get() + name_room;
    std::memset(arena.get(), ' ', name_room);
    for (uint32_t id = 0; id < count_;) {
        ByteCursor cursor(block(id / dictionary_block));
        const uint32_t end = std::min(count_, id + dictionary_block), first = id;
        std::string_view previous;
        for (; id < end; ++id) {
            const Entry entry = read_entry(cursor);
            check_shared(entry, previous.size());
            copy_short(to, previous.data(), entry.shared, previous.data() != nullptr);
            copy_short(to + entry.shared, entry.suffix.data(), entry.suffix.size(), cursor.left() >= copy_slack);
            const std::string_view name(to, entry.shared + entry.suffix.size());
            // Shared prefixes are as long as they can be, so that the first byte of the suffix decides the order.
            const bool ascends =
                id == first || entry.shared == previous.size()
                    ? id == 0 || names[id - 1] < name
                    : static_cast<uint8_t>(entry.suffix[0]) > static_cast<uint8_t>(previous[entry.shared]);
            if (!ascends)
                throw_corrupted("The names of a dictionary do not ascend.");
            names[id] = previous = name;
            std::memset(to + name.size(), ' ',
                        2 * name_room); // the rest of the last word, and the room of the next name
            to += with_room(name.size());
        }
        if (cursor.left() != 0)
            throw_corrupted("A dictionary's block has bytes behind its last entry.");
    }
    // All names at once, blanks between them, where all is ASCII, as it mostly is. Else one by one: each is to be valid
    // by itself.
    const bool ascii = is_ascii({arena.get(), static_cast<size_t>(to - name_room - arena.get())});
    if (!ascii && !std::all_of(names.begin(), names.end(), is_utf8))
        throw_corrupted("A name in a dictionary is not valid UTF-8.");
}

uint32_t Dictionary::decode_block(uint32_t index, std::string &out,
                                  std::array<uint32_t, dictionary_block> &lengths) const {
    const uint32_t count = std::min(count_ - index * dictionary_block, dictionary_block);
    ByteCursor cursor(block(index));
    std::string previous, name;
    for (uint32_t i = 0; i < count; ++i) {
        next_name(cursor, i == 0, name);
        if (i > 0 && name <= previous)
            throw_corrupted("The names of a dictionary do not ascend.");
        if (!is_utf8(name))
            throw_corrupted("A name in a dictionary is not valid UTF-8.");
        out += previous = name;
        lengths[i] = static_cast<uint32_t>(name.size());
    }
    if (cursor.left() != 0)
        throw_corrupted("A dictionary's block has bytes behind its last entry.");
    return count;
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

std::string_view NameBlocks::name(const Dictionary &dictionary, uint32_t id) {
    if (id >= dictionary.count())
        throw_corrupted("A flow key has a name that its dictionary does not have.");
    blocks_.resize((size_t{dictionary.count()} + dictionary_block - 1) / dictionary_block);
    std::unique_ptr<Block> &block = blocks_[id / dictionary_block];
    if (!block) {
        auto decoded = std::make_unique<Block>();
        dictionary.decode_block(id / dictionary_block, decoded->bytes, decoded->lengths);
        block = std::move(decoded);
    }
    size_t at = 0;
    for (uint32_t i = 0; i < id % dictionary_block; ++i)
        at += block->lengths[i];
    return std::string_view(block->bytes).substr(at, block->lengths[id % dictionary_block]);
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

bool is_ascii(std::string_view text) noexcept {
    const uint8_t *at = reinterpret_cast<const uint8_t *>(text.data());
    size_t left = text.size();
    // No high bit, and none is borrowed from when 1 is taken away from each byte.
    constexpr uint64_t high = 0x8080808080808080, ones = 0x0101010101010101;
    uint64_t wrong = 0;
    for (; left >= 8; left -= 8, at += 8) {
        const uint64_t word = load<uint64_t>(at);
        wrong |= word | (word - ones);
    }
    bool good = (wrong & high) == 0;
    for (; left > 0; --left, ++at)
        good = good && *at != 0 && *at < 0x80;
    return good;
}

bool is_utf8(std::string_view text) noexcept {
    const uint8_t *at = reinterpret_cast<const uint8_t *>(text.data());
    size_t left = text.size();
    while (left > 0) {
        if (left >= 8 && is_ascii({reinterpret_cast<const char *>(at), 8})) {
            at += 8;
            left -= 8;
            continue;
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
