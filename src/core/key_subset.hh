// Of sorted names and flow keys, those that one segment of several uses: its dictionaries and key table.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "segment_writer.hh"

namespace fas {

using SortedNames = std::array<std::vector<std::string_view>, text_dimension_count>;

struct KeySubset {
    static constexpr uint32_t unused = UINT32_MAX;

    std::vector<uint32_t> ordinals; // by key of the whole: marked as used, then its key in the subset
    SortedNames names;
    KeyColumns keys;

    // use() for each key that is, then pick() once.
    explicit KeySubset(size_t all_keys) : ordinals(all_keys, unused) {}
    void use(uint32_t key) noexcept { ordinals[key] = 0; }
    void pick(const SortedNames &all_names, const KeyColumns &all_keys);

    NameSpans spans() const noexcept {
        NameSpans spans;
        for (size_t t = 0; t < text_dimension_count; ++t)
            spans[t] = names[t];
        return spans;
    }
};

} // namespace fas
