// libFuzzer: any bytes as a roaring bitmap, or two of them. What is taken must hold under every operation.
#include <cstdlib>
#include <string>
#include <vector>

#include "core/bitmap/bitmap.hh"

using namespace fas;

namespace {

void check(bool holds) {
    if (!holds)
        std::abort();
}

bool read(Bytes bytes, Bitmap &out) {
    std::vector<uint8_t> exact(bytes.begin(), bytes.end());
    try {
        out = Bitmap::deserialize(exact, sqlstate::invalid_binary_representation);
        return true;
    } catch (const Error &e) {
        check(e.sqlstate() == std::string(sqlstate::invalid_binary_representation));
        return false;
    }
}

// A run may stand for billions of values: those are counted, not listed.
constexpr uint64_t most_listed = 1 << 20;

void check_one(const Bitmap &a) {
    std::vector<uint8_t> bytes(a.serialized_size());
    a.serialize(bytes.data());
    check(Bitmap::deserialize(bytes, sqlstate::data_corrupted) == a);
    Bitmap smaller = a.copy();
    smaller.optimize();
    check(smaller == a);
    check(a.empty() == (a.cardinality() == 0));
    if (a.empty())
        return;
    check(a.contains(a.minimum()) && a.contains(a.maximum()) && a.minimum() <= a.maximum());
    if (a.cardinality() > most_listed)
        return;
    std::vector<uint32_t> values = a.values();
    check(values.front() == a.minimum() && values.back() == a.maximum());
    for (size_t i = 1; i < values.size(); ++i)
        check(values[i - 1] < values[i]);
    check(Bitmap::of(values) == a);
}

void check_two(const Bitmap &a, const Bitmap &b) {
    Bitmap both = a & b, either = a | b, left = a - b;
    check(both.cardinality() + either.cardinality() == a.cardinality() + b.cardinality());
    check(left.cardinality() + both.cardinality() == a.cardinality());
    check((left | both) == a);
    Bitmap sum = left.copy();
    check((sum |= b) == either);
    for (const Bitmap *each : {&both, &either, &left})
        check_one(*each);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    Bytes bytes(data + 1, size - 1);
    size_t cut = bytes.size() * data[0] / 255;
    Bitmap a, b;
    bool first = read(bytes.first(cut), a), second = read(bytes.subspan(cut), b);
    if (first)
        check_one(a);
    if (first && second)
        check_two(a, b);
    return 0;
}
