// A roll-up as bytes: what parallel workers hand over, and what users may store. The condition does not travel: what
// comes back holds groups, to be combined with others.
//
// Little-endian. "FASR", version u8 = 1, mask of the grouped dimensions u8; for each grouped text dimension: names u32,
// then each name: length u32, bytes; groups u64, then each group: hour u32 if grouped, an id u32 for each grouped text
// dimension, each metric's sum as u128, flows u64. Any bytes may come in: everything is checked.
#include <bit>
#include <cstring>

#include <simdjson.h>

#include "interrupt.hh"
#include "rollup_state.hh"

namespace fas {

namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they lie in memory");

constexpr char magic[5] = {'F', 'A', 'S', 'R', 1};

[[noreturn]] void refuse(const char *detail) {
    throw Error(sqlstate::invalid_binary_representation, "invalid roll-up", detail);
}

class Writer {
  public:
    explicit Writer(std::vector<uint8_t> &out) : out_(out) {}
    void bytes(const void *data, size_t size) {
        const auto *p = static_cast<const uint8_t *>(data);
        out_.insert(out_.end(), p, p + size);
    }
    template <class T> void value(T v) { bytes(&v, sizeof v); }

  private:
    std::vector<uint8_t> &out_;
};

class Reader {
  public:
    explicit Reader(Bytes bytes) : left_(bytes) {}
    Bytes bytes(uint64_t size) {
        if (size > left_.size())
            refuse("The bytes end too early.");
        Bytes out = left_.first(size);
        left_ = left_.subspan(size);
        return out;
    }
    template <class T> T value() {
        T out;
        std::memcpy(&out, bytes(sizeof out).data(), sizeof out);
        return out;
    }
    // A number of entries that take at least `size` bytes each.
    template <class T> T count(size_t size) {
        T out = value<T>();
        if (out > left_.size() / size)
            refuse("The bytes end too early.");
        return out;
    }
    bool empty() const noexcept { return left_.empty(); }

  private:
    Bytes left_;
};

size_t group_size(GroupBy group_by) noexcept {
    return static_cast<size_t>(std::popcount(group_by.mask)) * sizeof(uint32_t) + metric_count * sizeof(uint128) +
           sizeof(uint64_t);
}

void read_names(Reader &in, NameTable &names) {
    uint32_t n = in.count<uint32_t>(sizeof(uint32_t) + 1);
    for (uint32_t i = 0; i < n; ++i) {
        Bytes name = in.bytes(in.value<uint32_t>());
        const char *text = reinterpret_cast<const char *>(name.data());
        if (name.empty() || std::memchr(text, '\0', name.size()) != nullptr ||
            !simdjson::validate_utf8(text, name.size()))
            refuse("A name is empty or is not UTF-8.");
        if (names.add({text, name.size()}) != i)
            refuse("A name comes twice.");
        if (i % 4096 == 4095)
            poll();
    }
}

} // namespace

std::vector<uint8_t> Rollup::serialize() const {
    std::vector<uint8_t> bytes;
    Writer out(bytes);
    GroupBy by = group_by();
    out.bytes(magic, sizeof magic);
    out.value(by.mask);
    for (size_t text = 0; text < text_dimension_count; ++text) {
        if (!by.has(text_dimension(text)))
            continue;
        out.value(static_cast<uint32_t>(names(text).size()));
        for (std::string_view name : names(text)) {
            out.value(static_cast<uint32_t>(name.size()));
            out.bytes(name.data(), name.size());
        }
    }
    out.value(static_cast<uint64_t>(groups().size()));
    bytes.reserve(bytes.size() + groups().size() * group_size(by));
    for (const Group &group : groups()) {
        if (by.has(Dimension::hour))
            out.value(group.hour);
        for (size_t text = 0; text < text_dimension_count; ++text)
            if (by.has(text_dimension(text)))
                out.value(group.name_ids[text]);
        for (uint128 sum : group.totals.sums)
            out.value(sum);
        out.value(group.totals.flows);
    }
    return bytes;
}

Rollup Rollup::deserialize(Bytes bytes) {
    Reader in(bytes);
    if (std::memcmp(in.bytes(sizeof magic).data(), magic, sizeof magic) != 0)
        refuse("The bytes do not begin like a roll-up of a known version.");
    GroupBy by{in.value<uint8_t>()};
    if (by.mask >= 1u << dimension_count)
        refuse("An unknown dimension is grouped.");
    Rollup out(by);
    for (size_t text = 0; text < text_dimension_count; ++text)
        if (by.has(text_dimension(text)))
            read_names(in, out.state_->names[text]);
    auto n = in.count<uint64_t>(group_size(by));
    for (uint64_t g = 0; g < n; ++g) {
        uint32_t hour = by.has(Dimension::hour) ? in.value<uint32_t>() : 0;
        if (hour > max_hour)
            refuse("An hour is out of range.");
        GroupTable::Ids ids{};
        for (size_t text = 0; text < text_dimension_count; ++text)
            if (by.has(text_dimension(text)) && (ids[text] = in.value<uint32_t>()) >= out.names(text).size())
                refuse("A group names an entry that its names have not.");
        Totals &totals = out.state_->groups.totals(out.state_->groups.find_or_add(hour, ids));
        if (out.groups().size() != g + 1)
            refuse("A group comes twice.");
        for (uint128 &sum : totals.sums)
            sum = in.value<uint128>();
        totals.flows = in.value<uint64_t>();
        if (g % 4096 == 4095)
            poll();
    }
    if (!in.empty())
        refuse("Bytes follow the last group.");
    return out;
}

} // namespace fas
