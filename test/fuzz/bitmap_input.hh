// Bitmaps out of a fuzzer's bytes: either the bytes as they are, or a bitmap that is built as they say (containers of
// all three kinds at interesting places, written by portable_writer.hh) and then damaged in a few places, which goes
// deeper than bytes that hardly ever begin as a bitmap does.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "../unit/portable_writer.hh"
#include "core/bitmap/view.hh"
#include "core/bytes.hh"

namespace fas::test {

inline void check(bool holds) {
    if (!holds)
        std::abort();
}

// Bytes in memory of exactly their size, so that AddressSanitizer sees the first one behind them.
class ExactBytes {
  public:
    explicit ExactBytes(const std::vector<uint8_t> &bytes) : data_(new uint8_t[bytes.size()]), size_(bytes.size()) {
        std::copy(bytes.begin(), bytes.end(), data_.get());
    }
    Bytes bytes() const { return {data_.get(), size_}; }

  private:
    std::unique_ptr<uint8_t[]> data_;
    size_t size_;
};

class FuzzInput {
  public:
    FuzzInput(const uint8_t *data, size_t size) : at_(data), end_(data + size) {}

    uint8_t byte() { return at_ < end_ ? *at_++ : 0; }
    uint16_t number() { return static_cast<uint16_t>(byte() | byte() << 8); }
    uint64_t member(BitmapWidth width) {
        const uint64_t low = static_cast<uint64_t>(number()) << 16 | number();
        return width == BitmapWidth::bits64 ? key(width) << 32 | low : low;
    }
    size_t left() const { return static_cast<size_t>(end_ - at_); }

    std::vector<uint8_t> bitmap(BitmapWidth width) {
        const uint8_t how = byte();
        if (how % 4 == 0) {
            const size_t size = how >= 128 ? left() : left() / 2;
            std::vector<uint8_t> out(at_, at_ + size);
            at_ += size;
            return out;
        }
        std::vector<uint8_t> out = built(width);
        if (how % 4 == 1)
            for (unsigned i = byte() % 4; i > 0 && !out.empty(); --i) {
                const size_t where = number();
                out[(byte() % 2 == 0 ? where % std::min<size_t>(out.size(), 64) : where % out.size())] = byte();
            }
        if (how % 32 == 1)
            out.resize(number() % (out.size() + 1));
        return out;
    }

  private:
    uint64_t key(BitmapWidth width) {
        static constexpr uint64_t keys[] = {0, 1, 2, 3, 0x7fff, 0x8000, 0xfffe, 0xffff};
        const uint8_t choice = byte();
        const uint64_t low = keys[choice % 8];
        return width == BitmapWidth::bits64 ? low | keys[choice / 8 % 8] << 32 : low;
    }

    std::vector<uint8_t> built(BitmapWidth width) {
        std::vector<uint64_t> members;
        for (unsigned i = byte() % 6; i > 0; --i) {
            const uint64_t base = (width == BitmapWidth::bits64 ? key(width) : key(BitmapWidth::bits32)) << 16;
            const uint32_t first = number(), step = byte() % 4 == 0 ? 1 : byte() % 8 + 2u, count = number() % 9000;
            for (uint32_t j = 0; j < count && first + j * step < 65536; ++j)
                members.push_back(base + first + j * step);
        }
        std::sort(members.begin(), members.end());
        members.erase(std::unique(members.begin(), members.end()), members.end());
        const auto encoding = static_cast<portable::Encoding>(byte() % 3);
        return width == BitmapWidth::bits64 ? portable::Writer::write64(members, portable::always(encoding))
                                            : portable::Writer::write32(members, portable::always(encoding));
    }

    const uint8_t *at_, *end_;
};

// Runs `f`; false when it throws fas's error, whose SQLSTATE must be one of the two.
template <class F> bool holds_or_refuses(F &&f, const char *state, const char *other = nullptr) {
    try {
        f();
        return true;
    } catch (const Error &e) {
        check(e.sqlstate() == std::string(state) || (other != nullptr && e.sqlstate() == std::string(other)));
        return false;
    }
}

} // namespace fas::test
