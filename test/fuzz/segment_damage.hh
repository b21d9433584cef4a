// For tests that damage segments: recomputes the checksums, so that what was damaged is read and not merely refused.
#pragma once

#include <algorithm>
#include <vector>

#include "core/bytes.hh"
#include "core/checksum.hh"
#include "core/segment_format.hh"

namespace fas::test {

inline void repair_checksums(std::vector<uint8_t> &bytes) {
    using namespace format;
    if (bytes.size() < header_size)
        return;
    store<uint32_t>(bytes.data() + at_magic, magic);
    store<uint16_t>(bytes.data() + at_version, version);
    uint64_t offset = header_size;
    for (size_t p = 0; p < part_count; ++p) {
        uint8_t *entry = bytes.data() + at_parts + 8 * p;
        // The last part takes what is left, so that the lengths always add up.
        uint32_t length = static_cast<uint32_t>(std::min<uint64_t>(load<uint32_t>(entry), bytes.size() - offset));
        if (p + 1 == part_count)
            length = static_cast<uint32_t>(bytes.size() - offset);
        store<uint32_t>(entry, length);
        store<uint32_t>(entry + 4, crc32c({bytes.data() + offset, length}));
        offset += length;
    }
    store<uint32_t>(bytes.data() + at_crc, crc32c({bytes.data(), at_crc}));
}

} // namespace fas::test
