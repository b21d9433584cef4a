// CRC32C (Castagnoli), as the parts of a segment carry it.
#pragma once

#include <cstdint>

#include "source.hh"

namespace fas {

// Start with crc 0; feed the result back in to continue over further bytes.
uint32_t crc32c(Bytes bytes, uint32_t crc = 0) noexcept;
// The same without special instructions: what machines without them run, and what tests compare with.
uint32_t crc32c_portable(Bytes bytes, uint32_t crc = 0) noexcept;

} // namespace fas
