// libFuzzer: bytes that knock at a door (binary input, bytea cast, hexadecimal text, aggregate deserialise): what is
// taken is a bitmap for every reader, and all of them read the same set out of it.
#include "bitmap_input.hh"

#include <memory_resource>

#include "core/bitmap/bitmap.hh"
#include "core/bitmap/bitmap64.hh"
#include "core/bitmap/gather.hh"
#include "core/bitmap/order.hh"
#include "core/bitmap/set.hh"

using namespace fas;
using namespace fas::test;

namespace {

constexpr const char *refused = sqlstate::invalid_binary_representation;
constexpr uint64_t most_listed = 1 << 20; // a run may stand for billions of values

template <class Bitmap> std::vector<uint8_t> bytes_of(const Bitmap &bitmap) {
    std::vector<uint8_t> out(bitmap.serialized_size());
    bitmap.serialize(out.data());
    return out;
}

// The view answers as CRoaring does, at places that the input chooses, and at the ends.
template <class Bitmap> void check_view(const Bitmap &bitmap, Bytes bytes, BitmapWidth width, FuzzInput &input) {
    MemorySource source(bytes);
    BitmapView view(source, width);
    const uint64_t count = bitmap.cardinality();
    check(view.cardinality() == count && view.empty() == (count == 0));
    check(view.minimum().has_value() == (count > 0) && view.maximum().has_value() == (count > 0));
    if (count == 0)
        return;
    check(*view.minimum() == bitmap.minimum() && *view.maximum() == bitmap.maximum());
    for (uint64_t member : {input.member(width), *view.minimum(), *view.maximum()}) {
        check(view.contains(member) == bitmap.contains(static_cast<typename Bitmap::Value>(member)));
        const uint64_t rank = view.rank(member);
        check(view.index(member).has_value() == view.contains(member));
        if (view.contains(member))
            check(*view.index(member) == rank - 1 && *view.select(rank - 1) == member);
        check(view.range_cardinality(0, member) == rank);
    }
    check(!view.select(count).has_value());
    if (count > most_listed)
        return;
    BitmapCursor cursor(source, width);
    for (uint64_t expected : bitmap.values()) {
        uint64_t member = 0;
        check(cursor.next(member) && member == expected);
    }
    uint64_t member = 0;
    check(!cursor.next(member));
}

// Through an aggregate's state and back.
void check_gathered(Bytes bytes, BitmapWidth width) {
    std::pmr::monotonic_buffer_resource memory;
    BitmapGatherer gatherer(memory, Gathering::unite);
    MemorySource source(bytes);
    BitmapView view(source, width);
    gatherer.gather(view);
    BitmapWriter writer(gatherer, width);
    std::vector<uint8_t> out(writer.size());
    writer.write(out.data());
    check(compare_bitmaps(out, bytes, width) == 0);
    check(gatherer.cardinality() == view.cardinality());
}

template <class Bitmap> void knock(FuzzInput &input, BitmapWidth width) {
    const ExactBytes exact(input.bitmap(width));
    const Bytes bytes = exact.bytes();
    Bitmap bitmap;
    const bool is_taken = holds_or_refuses([&] { bitmap = Bitmap::deserialize(bytes, refused); }, refused);
    const bool is_checked = holds_or_refuses([&] { check_bitmap(bytes, width, refused); }, refused);
    // Whatever the quick checks let in, CRoaring would have let in.
    check(is_taken || !is_checked);
    check(is_taken || !is_sound<typename Bitmap::Value>(bytes));
    if (!is_taken)
        return;
    // What is stored is this, or the bytes themselves where they are sound.
    const std::vector<uint8_t> stored = bytes_of(bitmap);
    check(is_sound<typename Bitmap::Value>(stored));
    check_bitmap(stored, width, refused);
    check(hash_bitmap(stored, width, 1) == hash_bitmap(bytes, width, 1) && compare_bitmaps(stored, bytes, width) == 0);
    check(equals<typename Bitmap::Value>(stored, stored));
    check_view(bitmap, stored, width, input);
    check_gathered(stored, width);
    if (is_checked) {
        check_view(bitmap, bytes, width, input);
        check_gathered(bytes, width);
    }
    if (is_sound<typename Bitmap::Value>(bytes))
        check_view(bitmap, bytes, width, input);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzInput input(data, size);
    if (input.byte() % 2 == 0)
        knock<Bitmap>(input, BitmapWidth::bits32);
    else
        knock<Bitmap64>(input, BitmapWidth::bits64);
    return 0;
}
