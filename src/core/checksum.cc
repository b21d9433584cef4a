// CRC32C: with SSE4.2 where the processor has it (asked at run time), by tables elsewhere.
//
// The instruction takes three cycles but can begin every cycle, so three stretches are summed up side by side. A sum is
// linear over GF(2): that of a and b together is that of a, moved on by b's length in zeros, XOR that of b (Gopal et
// al., "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", 2011). Moving on by one fixed length is a
// linear map, kept as four tables, one for each byte of the sum.
#include "checksum.hh"

#include <array>

#include "bytes.hh"

namespace fas {
namespace {

constexpr uint32_t polynomial = 0x82f63b78; // Castagnoli, reflected
using Tables = std::array<std::array<uint32_t, 256>, 8>;

// tables[k][b]: what byte b does to the checksum when k further bytes follow.
constexpr Tables make_tables() {
    Tables tables{};
    for (uint32_t b = 0; b < 256; ++b) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; ++bit)
            crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
        tables[0][b] = crc;
    }
    for (size_t k = 1; k < 8; ++k)
        for (size_t b = 0; b < 256; ++b)
            tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 0xff];
    return tables;
}
constexpr Tables tables = make_tables();

#if defined(__x86_64__)
constexpr size_t stretch = 1024;
using Shift = std::array<std::array<uint32_t, 256>, 4>;

// What the sum becomes when `stretch` zero bytes follow.
constexpr Shift make_shift() {
    Shift shift{};
    for (unsigned bit = 0; bit < 32; ++bit) {
        uint32_t state = uint32_t{1} << bit;
        for (size_t i = 0; i < stretch; ++i)
            state = state >> 8 ^ tables[0][state & 0xff];
        for (unsigned b = 0; b < 256; ++b)
            if (b >> (bit % 8) & 1)
                shift[bit / 8][b] ^= state;
    }
    return shift;
}
constexpr Shift shift = make_shift();

uint64_t move_on(uint64_t state) noexcept {
    return shift[0][state & 0xff] ^ shift[1][state >> 8 & 0xff] ^ shift[2][state >> 16 & 0xff] ^
           shift[3][state >> 24 & 0xff];
}

__attribute__((target("sse4.2"))) uint32_t crc32c_sse42(Bytes bytes, uint32_t crc) noexcept {
    const uint8_t *at = bytes.data();
    size_t left = bytes.size();
    uint64_t state = static_cast<uint32_t>(~crc);
    for (; left >= 3 * stretch; left -= 3 * stretch, at += 3 * stretch) {
        uint64_t second = 0, third = 0;
        for (size_t i = 0; i < stretch; i += 8) {
            state = __builtin_ia32_crc32di(state, load<uint64_t>(at + i));
            second = __builtin_ia32_crc32di(second, load<uint64_t>(at + stretch + i));
            third = __builtin_ia32_crc32di(third, load<uint64_t>(at + 2 * stretch + i));
        }
        state = move_on(move_on(state) ^ second) ^ third;
    }
    for (; left >= 8; left -= 8, at += 8)
        state = __builtin_ia32_crc32di(state, load<uint64_t>(at));
    uint32_t tail = static_cast<uint32_t>(state);
    for (; left > 0; --left, ++at)
        tail = __builtin_ia32_crc32qi(tail, *at);
    return ~tail;
}
#endif

} // namespace

uint32_t crc32c_portable(Bytes bytes, uint32_t crc) noexcept {
    const uint8_t *at = bytes.data();
    size_t left = bytes.size();
    uint32_t state = ~crc;
    for (; left >= 8; left -= 8, at += 8) {
        const uint64_t word = load<uint64_t>(at) ^ state;
        state = 0;
        for (size_t k = 0; k < 8; ++k)
            state ^= tables[7 - k][word >> (8 * k) & 0xff];
    }
    for (; left > 0; --left, ++at)
        state = state >> 8 ^ tables[0][(state ^ *at) & 0xff];
    return ~state;
}

uint32_t crc32c(Bytes bytes, uint32_t crc) noexcept {
#if defined(__x86_64__)
    static const bool has_instruction = __builtin_cpu_supports("sse4.2");
    if (has_instruction)
        return crc32c_sse42(bytes, crc);
#endif
    return crc32c_portable(bytes, crc);
}

} // namespace fas
