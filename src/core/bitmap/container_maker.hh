// New containers, computed from those of buckets where they lie (bucket.hh): what two of them have together, and one
// with a range of members filled, cleared or flipped. Their forms are those that CRoaring chooses: runs where they are
// no larger, else an array of at most 4096 members, else a bitset.
//
// The maker owns the bytes of what it made, until it goes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bucket.hh"

namespace fas {

enum class SetOperation : uint8_t { intersection, union_of, symmetric_difference, difference };

class ContainerMaker {
  public:
    ContainerMaker() = default;
    ContainerMaker(const ContainerMaker &) = delete;
    ContainerMaker &operator=(const ContainerMaker &) = delete;

    // Whether combine() can: arrays that are not the same (but for their intersection), and runs with anything else,
    // are CRoaring's, who is good at them.
    static bool can_combine(SetOperation operation, const ContainerPlace &a, const ContainerPlace &b) noexcept;

    // Of containers of one key that check(Depth::whole) passed; the result may lie where `a` does. Without members it
    // has size 0.
    ContainerPlace combine(SetOperation operation, const ContainerPlace &a, const ContainerPlace &b);

    // Of one that check(Depth::whole) passed, and members from `first` to `last`, both included.
    ContainerPlace fill(const ContainerPlace &c, uint32_t first, uint32_t last);
    ContainerPlace clear(const ContainerPlace &c, uint32_t first, uint32_t last);
    ContainerPlace flip(const ContainerPlace &c, uint32_t first, uint32_t last);

    // All that an array or a bitset has not, where that is a bitset: its 8192 bytes, which need no maker. How many
    // members a bitset has is found on the way, so that check() need not have passed: data_corrupted where it is wrong.
    static bool can_negate(const ContainerPlace &c) noexcept;
    static void negate(const ContainerPlace &c, uint8_t *out);

    ContainerPlace range(uint16_t key, uint32_t first, uint32_t last); // all of them

  private:
    uint64_t *begin(size_t bytes); // room, aligned, for a container that is about to be made
    uint8_t *begin_bytes(size_t bytes) { return reinterpret_cast<uint8_t *>(begin(bytes)); }
    ContainerPlace end(uint16_t key, uint32_t cardinality, bool is_run, size_t bytes); // so much of it is used
    ContainerPlace end_words(uint16_t key, uint32_t cardinality);
    ContainerPlace end_runs(uint16_t key, uint32_t cardinality, uint32_t runs, bool prefers_runs);

    ContainerPlace combine_words(SetOperation operation, const ContainerPlace &a, const ContainerPlace &b);
    ContainerPlace filter(const ContainerPlace &array, const ContainerPlace &bitset, bool wanted);
    ContainerPlace merge_array(SetOperation operation, const ContainerPlace &bitset, const ContainerPlace &array);
    ContainerPlace combine_runs(SetOperation operation, const ContainerPlace &a, const ContainerPlace &b);
    ContainerPlace change(SetOperation operation, const ContainerPlace &c, uint32_t first, uint32_t last);
    ContainerPlace change_runs(SetOperation operation, const ContainerPlace &c, uint32_t first, uint32_t last);
    ContainerPlace change_words(SetOperation operation, const ContainerPlace &c, uint32_t first, uint32_t last);
    ContainerPlace splice(SetOperation operation, const ContainerPlace &array, uint32_t first, uint32_t last);

    static constexpr size_t words_here = 1026; // a bitset and a little; most buckets that change need no more
    std::vector<std::unique_ptr<uint64_t[]>> blocks_;
    uint64_t here_[words_here];
    uint64_t *at_ = here_;
    size_t left_ = words_here; // words behind at_
};

} // namespace fas
