// The sorted distinct names of one text dimension, front-coded in blocks of 16. A name's id is its place.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source.hh"

namespace fas {

inline constexpr uint32_t dictionary_block = 16;

// `names` ascend strictly (bytewise) and none is empty.
void append_dictionary(std::span<const std::string_view> names, std::vector<uint8_t> &out);

// The fewest bytes that a dictionary of `count` names has: lets a reader refuse absurd counts.
uint64_t least_dictionary_bytes(uint32_t count) noexcept;

class Dictionary {
  public:
    // `bytes` outlive the dictionary. Checks the directory; the names are checked when they are decoded.
    Dictionary(Bytes bytes, uint32_t count);

    // All names, checked: ascending strictly, not empty, UTF-8 without NUL. The views point into `arena`, where there
    // is room before each (see intern.hh).
    void decode(std::vector<std::string_view> &names, std::unique_ptr<char[]> &arena) const;

    // The names of one block, checked like those of decode(), behind each other in `out` from its end on; their
    // lengths in `lengths`. Returns how many there are.
    uint32_t decode_block(uint32_t block, std::string &out, std::array<uint32_t, dictionary_block> &lengths) const;

    // The first id whose name is not less than `name`; the count of names when there is none. Decodes few names.
    uint32_t lower_bound(std::string_view name) const;
    bool equals(uint32_t id, std::string_view name) const;

    uint32_t count() const noexcept { return count_; }

  private:
    uint64_t room_for_names() const;
    Bytes block(uint32_t index) const noexcept;
    std::string_view first_of(uint32_t block) const;

    Bytes directory_, data_;
    uint32_t count_;
};

// Names of a dictionary that are asked for one by one: keeps the blocks that were decoded for them.
class NameBlocks {
  public:
    std::string_view name(const Dictionary &dictionary, uint32_t id); // lives as long as this

  private:
    struct Block {
        std::string bytes;
        std::array<uint32_t, dictionary_block> lengths;
    };
    std::vector<std::unique_ptr<Block>> blocks_; // null: not decoded yet
};

// The least string that is greater than all strings that `prefix` begins; false when there is none.
bool prefix_successor(std::string_view prefix, std::string &out);

// Whether `text` is valid UTF-8 that PostgreSQL takes: no overlong forms, surrogates, numbers above 10FFFF, or NUL.
bool is_utf8(std::string_view text) noexcept;
// Whether all bytes are 1 to 127.
bool is_ascii(std::string_view text) noexcept;

} // namespace fas
