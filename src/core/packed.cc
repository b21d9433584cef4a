// Packing and unpacking of blocks, and column sets over a byte source.
//
// Unpacking is the inner loop of every query: it is specialised for each width and loads eight bytes at a time from
// any address, so a block must have eight readable bytes behind it, or it is copied first.
#include "packed.hh"

#include <algorithm>
#include <bit>
#include <cassert>
#include <numeric>
#include <utility>

#include "bytes.hh"

namespace fas {
namespace {

constexpr unsigned first_patched_code = 65; // codes 0..64: that width; 65..127: patched, width code - 65
constexpr unsigned most_patched_width = 127 - first_patched_code;
constexpr uint8_t delta_flag = 0x80;
constexpr size_t load_slack = 16; // what an unpacking loop may touch behind the packed bits

constexpr uint64_t low_bits(unsigned width) noexcept { return width >= 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1; }
constexpr size_t packed_bytes(size_t count, unsigned width) noexcept { return (count * width + 7) / 8; }

// Writes the low `width` bits of value_of(0) .. value_of(count - 1), least significant bit first.
template <class ValueOf> uint8_t *put_bits(uint8_t *to, size_t count, unsigned width, ValueOf value_of) {
    const uint64_t mask = low_bits(width);
    uint64_t pending = 0;
    unsigned filled = 0; // below 64
    for (size_t i = 0; i < count; ++i) {
        const uint64_t value = value_of(i) & mask;
        pending |= value << filled;
        filled += width;
        if (filled >= 64) {
            store<uint64_t>(to, pending);
            to += 8;
            filled -= 64;
            pending = filled == 0 ? 0 : value >> (width - filled);
        }
    }
    for (; filled > 0; filled -= std::min(filled, 8u), pending >>= 8)
        *to++ = static_cast<uint8_t>(pending);
    return to;
}

// Value I of a group of eight that begins at a byte boundary.
template <unsigned W, size_t I> uint64_t bits_at(const uint8_t *from) noexcept {
    constexpr size_t at = I * W / 8;
    constexpr unsigned shift = I * W % 8;
    uint64_t value = load<uint64_t>(from + at) >> shift;
    if constexpr (shift + W > 64)
        value |= static_cast<uint64_t>(from[at + 8]) << (64 - shift);
    return value & low_bits(W);
}

template <unsigned W, size_t... I>
void unpack_group(const uint8_t *from, uint64_t base, uint64_t *out, std::index_sequence<I...>) noexcept {
    ((out[I] = base + bits_at<W, I>(from)), ...);
}

// The bits behind the last value, up to the next byte, are zero.
void check_padding(const uint8_t *from, size_t count, unsigned width) {
    const size_t used = count * width % 8;
    if (used != 0 && from[count * width / 8] >> used != 0)
        throw_corrupted("A packed block has bits set behind its last value.");
}

// Whole groups of eight values: reads up to nine bytes behind them, and writes up to seven values too many.
template <unsigned W> void unpack(const uint8_t *from, size_t groups, uint64_t base, uint64_t *out) noexcept {
    if constexpr (W == 0) {
        std::fill_n(out, groups * 8, base);
    } else {
        for (size_t g = 0; g < groups; ++g, from += W, out += 8)
            unpack_group<W>(from, base, out, std::make_index_sequence<8>());
    }
}

using Unpack = void (*)(const uint8_t *, size_t, uint64_t, uint64_t *) noexcept;
template <size_t... W> constexpr std::array<Unpack, sizeof...(W)> unpackers(std::index_sequence<W...>) {
    return {unpack<W>...};
}
constexpr auto unpack_width = unpackers(std::make_index_sequence<65>());

// What a block would cost in each way.
struct Plan {
    uint64_t base = 0;
    unsigned width = 0; // of plain offsets
    bool ascending = true;
    uint64_t least_step = 0, most_step = 0; // where ascending
    unsigned delta_width = 0;
    unsigned patched_width = 0, exceptions = 0;
    size_t plain_size = 0, delta_size = SIZE_MAX, patched_size = SIZE_MAX;
};

// The width at which patching the values that do not fit costs least.
void plan_patches(std::span<const uint64_t> values, Plan &plan) {
    std::array<uint16_t, 65> of_width{};
    for (const uint64_t v : values)
        ++of_width[static_cast<unsigned>(std::bit_width(v - plan.base))];
    unsigned exceptions = 0;
    for (unsigned w = plan.width; w-- > 0;) {
        exceptions += of_width[w + 1];
        if (exceptions > values.size() / 4)
            break;
        if (w > most_patched_width)
            continue;
        const size_t size = 1 + varint_size(plan.base) + packed_bytes(values.size(), w) + 2 + exceptions +
                            packed_bytes(exceptions, plan.width - w);
        if (size < plan.patched_size) {
            plan.patched_size = size;
            plan.patched_width = w;
            plan.exceptions = exceptions;
        }
    }
}

Plan plan_block(std::span<const uint64_t> values) {
    Plan plan;
    uint64_t least = values[0], most = values[0], previous = values[0];
    plan.least_step = UINT64_MAX;
    for (const uint64_t v : values.subspan(1)) {
        least = std::min(least, v);
        most = std::max(most, v);
        plan.ascending &= v >= previous;
        plan.least_step = std::min(plan.least_step, v - previous);
        plan.most_step = std::max(plan.most_step, v - previous);
        previous = v;
    }
    plan.base = least;
    plan.width = static_cast<unsigned>(std::bit_width(most - least));
    plan.plain_size = 1 + varint_size(least) + packed_bytes(values.size(), plan.width);
    if (plan.ascending && values.size() > 1) {
        plan.delta_width = static_cast<unsigned>(std::bit_width(plan.most_step - plan.least_step));
        plan.delta_size =
            1 + varint_size(least) + varint_size(plan.least_step) + packed_bytes(values.size() - 1, plan.delta_width);
    }
    if (plan.width > 1 && plan.delta_size >= plan.plain_size)
        plan_patches(values, plan);
    return plan;
}

// The values that do not fit `width`: their number, the width of what is missing, positions, missing high bits.
uint8_t *put_patches(uint8_t *to, std::span<const uint64_t> values, const Plan &plan) {
    const unsigned width = plan.patched_width;
    *to++ = static_cast<uint8_t>(plan.exceptions);
    *to++ = static_cast<uint8_t>(plan.width - width);
    const uint8_t *positions = to;
    for (size_t i = 0; i < values.size(); ++i)
        if ((values[i] - plan.base) >> width != 0)
            *to++ = static_cast<uint8_t>(i);
    return put_bits(to, plan.exceptions, plan.width - width,
                    [&](size_t i) { return (values[positions[i]] - plan.base) >> width; });
}

// A patched block without its code and base. Unpacks in place, then adds the high bits and the base.
void unpack_patched(const uint8_t *from, Bytes patches, unsigned width, uint64_t base, uint32_t count, uint64_t *out) {
    unpack_width[width](from, (count + 7) / 8, base, out);
    ByteCursor cursor(patches);
    const unsigned exceptions = cursor.byte();
    const unsigned high_width = cursor.byte();
    if (exceptions > count || high_width + width > 64)
        throw_corrupted("A packed block has impossible patches.");
    const uint8_t *positions = cursor.take(exceptions);
    const size_t high_bytes = packed_bytes(exceptions, high_width);
    if (cursor.left() != high_bytes)
        throw_corrupted("A packed block is not as long as its patches say.");
    std::array<uint8_t, 8 * packed_block + load_slack> padded;
    const uint8_t *packed = cursor.take(high_bytes);
    check_padding(packed, exceptions, high_width);
    std::memcpy(padded.data(), packed, high_bytes);
    std::memset(padded.data() + high_bytes, 0,
                std::min(padded.size() - high_bytes, 8 * size_t{high_width} + load_slack));
    std::array<uint64_t, packed_block> high;
    unpack_width[high_width](padded.data(), (exceptions + 7) / 8, 0, high.data());
    for (unsigned i = 0; i < exceptions; ++i) {
        if (positions[i] >= count || (i > 0 && positions[i] <= positions[i - 1]))
            throw_corrupted("A packed block patches values that it does not have.");
        out[positions[i]] += high[i] << width;
    }
}

uint8_t *put_packed(uint8_t *to, std::span<const uint64_t> values) {
    const Plan plan = plan_block(values);
    if (plan.delta_size < std::min(plan.plain_size, plan.patched_size)) {
        *to++ = static_cast<uint8_t>(delta_flag | plan.delta_width);
        to = put_varint(put_varint(to, plan.base), plan.least_step);
        to = put_bits(to, values.size() - 1, plan.delta_width,
                      [&](size_t i) { return values[i + 1] - values[i] - plan.least_step; });
    } else {
        const bool patched = plan.patched_size < plan.plain_size;
        const unsigned width = patched ? plan.patched_width : plan.width;
        *to++ = static_cast<uint8_t>(patched ? first_patched_code + width : width);
        to = put_varint(to, plan.base);
        to = put_bits(to, values.size(), width, [&](size_t i) { return values[i] - plan.base; });
        if (patched)
            to = put_patches(to, values, plan);
    }
    return to;
}

} // namespace

void pack_block(std::span<const uint64_t> values, std::vector<uint8_t> &out) {
    std::array<uint8_t, packed_block_most_bytes> bytes;
    out.insert(out.end(), bytes.data(), put_packed(bytes.data(), values));
}

void unpack_block(Bytes block, size_t readable, uint32_t count, uint64_t *out) {
    ByteCursor cursor(block);
    const uint8_t code = cursor.byte();
    const uint64_t base = cursor.varint();
    const bool delta = (code & delta_flag) != 0;
    const unsigned kind = code & 0x7f;
    const bool patched = kind >= first_patched_code;
    if (delta && patched)
        throw_corrupted("A packed block is of an unknown kind.");
    const unsigned width = patched ? kind - first_patched_code : kind;
    const uint64_t step = delta ? cursor.varint() : 0;
    const uint32_t stored = delta ? count - 1 : count;
    const size_t length = packed_bytes(stored, width);
    if (patched ? cursor.left() < length : cursor.left() != length)
        throw_corrupted("A packed block is not as long as its width says.");

    std::array<uint8_t, 8 * packed_block + load_slack> padded;
    const uint8_t *from = cursor.take(length);
    check_padding(from, stored, width);
    const size_t wanted = packed_bytes((stored + 7) / 8 * 8, width) + load_slack;
    if (static_cast<size_t>(from - block.data()) + wanted > readable) {
        std::memcpy(padded.data(), from, length);
        std::memset(padded.data() + length, 0, std::min(padded.size() - length, 8 * size_t{width} + load_slack));
        from = padded.data();
    }
    if (patched) {
        unpack_patched(from, {cursor.take(0), cursor.left()}, width, base, count, out);
    } else if (!delta) {
        unpack_width[width](from, (count + 7) / 8, base, out);
    } else {
        std::array<uint64_t, packed_block> steps;
        unpack_width[width](from, (stored + 7) / 8, step, steps.data());
        uint64_t value = out[0] = base;
        for (uint32_t i = 0; i < stored; ++i)
            out[i + 1] = value += steps[i];
    }
}

void ColumnWriter::push(std::span<const uint64_t> values) {
    while (!values.empty()) {
        const size_t room = std::min<size_t>(packed_block - used_, values.size());
        std::copy_n(values.data(), room, buffer_.data() + used_);
        used_ += static_cast<uint32_t>(room);
        values = values.subspan(room);
        if (used_ == packed_block)
            flush();
    }
}

void ColumnWriter::flush() {
    const size_t before = data_.size();
    pack_block({buffer_.data(), used_}, data_);
    sizes_.push_back(static_cast<uint16_t>(data_.size() - before));
    used_ = 0;
}

uint64_t ColumnWriter::most_bytes() const noexcept {
    return data_.size() + (used_ > 0 ? packed_block_most_bytes - 8 * (packed_block - used_) : 0);
}

uint8_t *ColumnWriter::put_block(uint32_t number, size_t at, uint8_t *to) const {
    if (number == sizes_.size())
        return put_packed(to, {buffer_.data(), used_});
    return std::copy_n(data_.data() + at, sizes_[number], to);
}

uint64_t most_column_set_bytes(std::span<const ColumnWriter *const> columns) noexcept {
    uint64_t size = 4 * columns.size();
    for (const ColumnWriter *column : columns)
        if (column != nullptr)
            size += 2 * column->blocks() + column->most_bytes();
    return size;
}

void append_column_set(std::span<const ColumnWriter *const> columns, std::vector<uint8_t> &out) {
    assert(columns.size() <= most_columns);
    uint32_t blocks = 0, present = 0;
    for (const ColumnWriter *column : columns)
        if (column != nullptr) {
            assert(present == 0 || blocks == column->blocks());
            blocks = column->blocks();
            ++present;
        }
    const size_t front = out.size();
    out.resize(front + most_column_set_bytes(columns));
    uint8_t *const lengths = out.data() + front, *const sizes = lengths + 4 * columns.size();
    uint8_t *to = sizes + 2 * size_t{present} * blocks;
    std::array<size_t, most_columns> at{}; // how far each column is written
    for (uint32_t b = 0; b < blocks; ++b) {
        uint8_t *size = sizes + 2 * size_t{b};
        for (size_t c = 0; c < columns.size(); ++c) {
            if (columns[c] == nullptr)
                continue;
            const uint8_t *const begin = to;
            to = columns[c]->put_block(b, at[c], to);
            store<uint16_t>(size, static_cast<uint16_t>(to - begin));
            at[c] += static_cast<size_t>(to - begin);
            size += 2 * size_t{blocks};
        }
    }
    for (size_t c = 0; c < columns.size(); ++c)
        store<uint32_t>(lengths + 4 * c, static_cast<uint32_t>(at[c]));
    out.resize(static_cast<size_t>(to - out.data()));
}

ColumnSet::ColumnSet(ByteSource &source, uint64_t offset, uint64_t length, size_t columns, uint32_t count,
                     uint32_t optional)
    : source_(&source), count_(count) {
    assert(columns <= most_columns);
    place_.fill(absent);
    const uint64_t blocks = blocks_of(count);
    const uint64_t longest = 4 * columns + 2 * columns * blocks;
    const Bytes front = source.fetch(offset, std::min(length, longest));
    ByteCursor cursor(front);
    const uint8_t *lengths = cursor.take(4 * columns);
    uint64_t data = 0;
    for (size_t c = 0; c < columns; ++c) {
        const uint32_t bytes = load<uint32_t>(lengths + 4 * c);
        data += bytes;
        if (bytes == 0 ? (optional >> c & 1) == 0 && count > 0 : count == 0)
            throw_corrupted("A column is missing, or is there where none belongs.");
        if (bytes != 0)
            place_[c] = static_cast<uint8_t>(present_++);
    }
    data_ = offset + 4 * columns + 2 * present_ * blocks;
    if (data_ + data != offset + length)
        throw_corrupted("The lengths of a part's columns do not add up to the part's length.");
    if (blocks > 1)
        many_ends_.resize(present_ * blocks);
    ends_ = blocks > 1 ? std::span(many_ends_) : std::span(few_ends_).first(present_ * blocks);
    for (size_t c = 0; c < columns; ++c) {
        if (place_[c] == absent)
            continue;
        const uint8_t *sizes = cursor.take(2 * blocks);
        uint64_t sum = 0;
        for (uint64_t b = 0; b < blocks; ++b)
            sum += ends_[b * present_ + place_[c]] = load<uint16_t>(sizes + 2 * b);
        if (sum != load<uint32_t>(lengths + 4 * c))
            throw_corrupted("The blocks of a column do not add up to its length.");
    }
    std::partial_sum(ends_.begin(), ends_.end(), ends_.begin());
}

// Blocks [first, end) of all columns: a fetch costs more than the bytes of the columns beside the one that is asked
// for, and those are mostly wanted next.
Bytes ColumnSet::blocks(uint32_t first, uint32_t end) {
    const uint32_t begin = start(first, 0), length = start(end, 0) - begin;
    if (first < held_first_ || end > held_end_) {
        held_ = source_->fetch(data_ + begin, length);
        held_first_ = first;
        held_end_ = end;
    }
    return held_.subspan(begin - start(held_first_, 0), length);
}

uint32_t ColumnSet::first_block_above(size_t column, uint32_t begin, uint32_t end, uint64_t value) {
    while (begin < end) {
        const uint32_t middle = begin + (end - begin) / 2;
        if (block_base(column, middle) <= value)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

void ColumnSet::fetch(uint32_t begin, uint32_t end) {
    if (begin < end && end <= count_ && present_ > 0)
        blocks(begin / packed_block, (end - 1) / packed_block + 1);
}

uint64_t ColumnSet::bytes(uint32_t begin, uint32_t end) const noexcept {
    if (begin >= end || end > count_ || present_ == 0)
        return 0;
    return start((end - 1) / packed_block + 1, 0) - start(begin / packed_block, 0);
}

uint64_t ColumnSet::block_base(size_t column, uint32_t block) {
    if (!has(column))
        return 0;
    ByteCursor cursor(blocks(block, block + 1).subspan(start(block, place_[column]) - start(block, 0)));
    cursor.byte();
    return cursor.varint();
}

template <class T> void ColumnSet::read_values(size_t column, uint32_t begin, uint32_t end, T *out) {
    if (begin > end || end > count_)
        throw_corrupted("A column was asked for values that it does not have.");
    if (begin == end)
        return;
    if (!has(column)) {
        std::fill_n(out, end - begin, T{0});
        return;
    }
    const uint32_t first = begin / packed_block, past = (end - 1) / packed_block + 1;
    const Bytes bytes = blocks(first, past);
    const uint32_t origin = start(first, 0);
    uint64_t wide = 0;
    for (uint32_t b = first; b < past; ++b) {
        const uint32_t at = start(b, place_[column]) - origin;
        const Bytes block = bytes.subspan(at, start(b, place_[column] + 1) - origin - at);
        const uint32_t block_begin = b * packed_block;
        const uint32_t in_block = std::min(packed_block, count_ - block_begin);
        const uint32_t from = std::max(begin, block_begin) - block_begin;
        const uint32_t to = std::min(end - block_begin, in_block);
        std::array<uint64_t, packed_block> values;
        if constexpr (sizeof(T) == 8) {
            if (from == 0 && to == packed_block) {
                unpack_block(block, bytes.size() - at, in_block, out);
                out += packed_block;
                continue;
            }
        }
        unpack_block(block, bytes.size() - at, in_block, values.data());
        if (to - from == packed_block) { // the length known, so that the compiler makes it quick
            for (uint32_t i = 0; i < packed_block; ++i)
                wide |= values[i];
            for (uint32_t i = 0; i < packed_block; ++i)
                out[i] = static_cast<T>(values[i]);
        } else {
            for (uint32_t i = from; i < to; ++i) {
                wide |= values[i];
                out[i - from] = static_cast<T>(values[i]);
            }
        }
        out += to - from;
    }
    if (sizeof(T) == 4 && wide >> 32 != 0)
        throw_corrupted("A column holds a number above its range.");
}

void ColumnSet::read(size_t column, uint32_t begin, uint32_t end, uint64_t *out) {
    read_values(column, begin, end, out);
}
void ColumnSet::read(size_t column, uint32_t begin, uint32_t end, uint32_t *out) {
    read_values(column, begin, end, out);
}

} // namespace fas
