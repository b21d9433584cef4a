// The one integer codec: columns of unsigned 64-bit values, packed in blocks of 128 that can be read one by one.
//
// Each block is packed in the smallest of three ways: offsets from its minimum; the same with the few large values
// patched in ("patched"); or, where values ascend, differences ("delta"). Columns with one count of values lie
// together in a *column set*, whose directory comes first: block by block, so that a range of values is one piece of
// bytes with all columns in it. docs/segment-format.md has the bytes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "source.hh"

namespace fas {

inline constexpr uint32_t packed_block = 128;           // values in a block; the last one may have fewer
inline constexpr uint32_t packed_block_least_bytes = 2; // no block is shorter
inline constexpr size_t packed_block_most_bytes = 1 + 10 + 10 + 8 * packed_block;
inline constexpr size_t most_columns = 8; // in a column set

inline constexpr uint32_t blocks_of(uint64_t values) noexcept {
    return static_cast<uint32_t>((values + packed_block - 1) / packed_block);
}

// Packs one column, value by value; holds little more than the packed bytes. The last block is packed when the column
// is written, straight to its place: a small segment's columns ask for no memory.
class ColumnWriter {
  public:
    void push(uint64_t value) {
        buffer_[used_++] = value;
        if (used_ == packed_block)
            flush();
    }
    void push(std::span<const uint64_t> values);
    uint64_t count() const noexcept { return uint64_t{sizes_.size()} * packed_block + used_; }
    uint32_t blocks() const noexcept { return blocks_of(count()); }

    uint64_t most_bytes() const noexcept; // of all blocks, exact but for the last one
    // Writes block `number`, whose bytes begin `at` bytes behind the first block's; returns where it ends.
    uint8_t *put_block(uint32_t number, size_t at, uint8_t *to) const;
    void release() noexcept { data_ = {}, sizes_ = {}, used_ = 0; } // once the column has been written

  private:
    void flush();

    std::vector<uint8_t> data_;
    std::vector<uint16_t> sizes_;
    uint32_t used_ = 0;
    std::array<uint64_t, packed_block> buffer_;
};

// Appends a column set to `out`, which grows by the most that it may take, before it shrinks to what it took. Null
// stands for a column that is left out; the others have as many values as each other.
uint64_t most_column_set_bytes(std::span<const ColumnWriter *const> columns) noexcept;
void append_column_set(std::span<const ColumnWriter *const> columns, std::vector<uint8_t> &out);

// Reads a column set that lies at [offset, offset + length) of `source`, block by block as asked. All columns hold
// `count` values; those in the bit set `optional` may have been left out and then read as zeros.
class ColumnSet {
  public:
    // Fetches the directory. Throws data_corrupted unless it fits `length` exactly; so `count` is at most
    // 64 * length after that (unless every column is optional).
    ColumnSet(ByteSource &source, uint64_t offset, uint64_t length, size_t columns, uint32_t count,
              uint32_t optional = 0);
    ColumnSet(const ColumnSet &) = delete;
    ColumnSet &operator=(const ColumnSet &) = delete;

    bool has(size_t column) const noexcept { return count_ == 0 || place_[column] != absent; }
    uint32_t count() const noexcept { return count_; }

    // Values [begin, end) to out[0..]. The narrow form throws data_corrupted when a value is wider.
    void read(size_t column, uint32_t begin, uint32_t end, uint64_t *out);
    void read(size_t column, uint32_t begin, uint32_t end, uint32_t *out);

    // The base of each block that holds values [begin, end): the smallest value of a block, so the first one where
    // values ascend. For binary searches, without unpacking.
    uint64_t block_base(size_t column, uint32_t block);
    // In a column that ascends: the first block of [begin, end) whose base is greater than `value`; `end` if none is.
    uint32_t first_block_above(size_t column, uint32_t begin, uint32_t end, uint64_t value);
    // Makes one fetch of all blocks with values [begin, end), so that block_base() and read() of any column ask for
    // nothing more.
    void fetch(uint32_t begin, uint32_t end);
    uint64_t bytes(uint32_t begin, uint32_t end) const noexcept; // that fetch() would ask for

  private:
    static constexpr uint8_t absent = UINT8_MAX;
    // Where a column's block begins, counted from data_; of column number present_, where the next block's first does.
    uint32_t start(uint32_t block, uint32_t place) const noexcept {
        const size_t piece = size_t{block} * present_ + place;
        return piece == 0 ? 0 : ends_[piece - 1];
    }
    Bytes blocks(uint32_t first, uint32_t end);
    template <class T> void read_values(size_t column, uint32_t begin, uint32_t end, T *out);

    ByteSource *source_;
    uint32_t count_;
    std::array<uint8_t, most_columns> place_;     // of each column, among those that are there; or absent
    uint32_t present_ = 0;                        // columns that are there
    uint64_t data_ = 0;                           // where the first block begins, in the source
    std::span<uint32_t> ends_;                    // of each block of each column that is there, as they lie
    std::array<uint32_t, most_columns> few_ends_; // these, where there is one block,
    std::vector<uint32_t> many_ends_;             // or several
    Bytes held_;                                  // the blocks [held_first_, held_end_), fetched last
    uint32_t held_first_ = 0, held_end_ = 0;
};

// One block, for tests: appends it to `out`; `values` are 1 to 128.
void pack_block(std::span<const uint64_t> values, std::vector<uint8_t> &out);
// The whole of `block` is one packed block of `count` values. `readable` bytes from its start may be touched (at least
// block.size(); eight more save a copy). `out` has room for packed_block values, all of which may be overwritten.
void unpack_block(Bytes block, size_t readable, uint32_t count, uint64_t *out);

} // namespace fas
