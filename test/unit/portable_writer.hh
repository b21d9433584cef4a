// Writes the portable Roaring formats from nothing but their public description, without CRoaring: so that what fas
// reads and writes is compared with another writer than the one that it uses. Which kind a container gets is asked for
// each of them, so that one set can have many encodings.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

namespace fas::portable {

enum class Encoding { smallest, never_runs, always_runs };

using Chooser = std::function<Encoding(uint64_t key)>; // key: member >> 16

inline Chooser always(Encoding encoding) {
    return [encoding](uint64_t) { return encoding; };
}

// Members are in ascending order, each once.
class Writer {
  public:
    template <class T> static void put(std::vector<uint8_t> &out, T value) {
        for (size_t i = 0; i < sizeof(T); ++i)
            out.push_back(static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i)));
    }

    static std::vector<uint8_t> write32(std::span<const uint64_t> members, const Chooser &choose) {
        return write_part(members, choose);
    }

    // The number of 32-bit bitmaps, then each: its high half, and it.
    static std::vector<uint8_t> write64(std::span<const uint64_t> members, const Chooser &choose) {
        std::map<uint32_t, std::vector<uint64_t>> parts;
        for (uint64_t member : members)
            parts[static_cast<uint32_t>(member >> 32)].push_back(member);
        std::vector<uint8_t> out;
        put<uint64_t>(out, parts.size());
        for (const auto &[high, part] : parts) {
            put<uint32_t>(out, high);
            const std::vector<uint8_t> bytes = write_part(part, choose);
            out.insert(out.end(), bytes.begin(), bytes.end());
        }
        return out;
    }

  private:
    struct Part {
        uint16_t key;
        bool is_runs;
        std::vector<uint32_t> members;
        std::vector<std::pair<uint32_t, uint32_t>> runs; // first, last
    };

    static std::vector<Part> parts_of(std::span<const uint64_t> members, const Chooser &choose) {
        std::map<uint64_t, std::vector<uint32_t>> by_key;
        for (uint64_t member : members)
            by_key[member >> 16].push_back(static_cast<uint32_t>(member & 0xffff));
        std::vector<Part> out;
        for (auto &[key, low] : by_key) {
            Part part{static_cast<uint16_t>(key), false, low, {}};
            for (uint32_t member : low) {
                if (!part.runs.empty() && part.runs.back().second + 1 == member)
                    part.runs.back().second = member;
                else
                    part.runs.emplace_back(member, member);
            }
            const size_t plain = low.size() > 4096 ? 8192 : 2 * low.size();
            const Encoding encoding = choose(key);
            part.is_runs = encoding == Encoding::always_runs ||
                           (encoding == Encoding::smallest && 2 + 4 * part.runs.size() < plain);
            out.push_back(std::move(part));
        }
        return out;
    }

    static void put_container(std::vector<uint8_t> &out, const Part &part) {
        if (part.is_runs) {
            put<uint16_t>(out, part.runs.size());
            for (const auto &[first, last] : part.runs) {
                put<uint16_t>(out, first);
                put<uint16_t>(out, last - first);
            }
        } else if (part.members.size() <= 4096) {
            for (uint32_t member : part.members)
                put<uint16_t>(out, member);
        } else {
            std::vector<uint8_t> bits(8192);
            for (uint32_t member : part.members)
                bits[member / 8] = static_cast<uint8_t>(bits[member / 8] | 1 << member % 8);
            out.insert(out.end(), bits.begin(), bits.end());
        }
    }

    static std::vector<uint8_t> write_part(std::span<const uint64_t> members, const Chooser &choose) {
        const std::vector<Part> parts = parts_of(members, choose);
        std::vector<uint8_t> out, flags((parts.size() + 7) / 8), containers;
        bool has_runs = false;
        for (size_t i = 0; i < parts.size(); ++i) {
            if (!parts[i].is_runs)
                continue;
            flags[i / 8] = static_cast<uint8_t>(flags[i / 8] | 1 << i % 8);
            has_runs = true;
        }
        if (has_runs) {
            put<uint32_t>(out, 12347 | (parts.size() - 1) << 16);
            out.insert(out.end(), flags.begin(), flags.end());
        } else {
            put<uint32_t>(out, 12346);
            put<uint32_t>(out, parts.size());
        }
        for (const Part &part : parts) {
            put<uint16_t>(out, part.key);
            put<uint16_t>(out, part.members.size() - 1);
        }
        const bool has_offsets = !has_runs || parts.size() >= 4;
        const size_t begin = out.size() + (has_offsets ? 4 * parts.size() : 0);
        for (const Part &part : parts) {
            if (has_offsets)
                put<uint32_t>(out, begin + containers.size());
            put_container(containers, part);
        }
        out.insert(out.end(), containers.begin(), containers.end());
        return out;
    }
};

} // namespace fas::portable
