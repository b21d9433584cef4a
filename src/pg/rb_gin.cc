// The GIN operator classes of bitmaps: rows by their members. What is indexed, and why large bitmaps are indexed by
// more than their members, is in ../core/bitmap/keys.hh. Keys are bigints; an index may be told how many a row may have
// at most (max_keys).
//
// Answers are three-valued (triConsistent) only; PostgreSQL makes of "maybe" a recheck of the row.
#include "bitmap_width.hh"

extern "C" {
#include "access/gin.h"
#include "access/reloptions.h"
#include "access/stratnum.h"
}

#include "../core/bitmap/keys.hh"
#include "datum.hh"
#include "guard.hh"

namespace fas::pg {

namespace {

template <class Width>
constexpr BitmapWidth width_of = sizeof(typename Width::Value) == 8 ? BitmapWidth::bits64 : BitmapWidth::bits32;

// As the operator classes number their operators. Indexes do not store these, but catalogs do.
enum Strategy : StrategyNumber { overlaps = 1, contains = 2, contained = 3, equals = 4, has_member = 5 };

// What a query key remembers for the functions that are called later.
struct KeyInfo {
    IndexKey last; // of a range
    uint8_t level; // of a probe
    bool is_exact;
};

struct Options {
    int32 varlena_header;
    int max_keys;
};
constexpr int default_max_keys = 8192, largest_max_keys = 1 << 20;

uint32_t max_keys_of(FunctionCallInfo fcinfo) {
    if (!PG_HAS_OPCLASS_OPTIONS())
        return default_max_keys;
    return static_cast<uint32_t>(reinterpret_cast<const Options *>(PG_GET_OPCLASS_OPTIONS())->max_keys);
}

// In phase two, both: room for so many items, at least one.
template <class T> T *allocate_items(size_t count) {
    return static_cast<T *>(allocate(CurrentMemoryContext, (count == 0 ? 1 : count) * sizeof(T)));
}

// What an extractQuery function gives back.
struct Query {
    int32 count = 0;
    Datum *keys = nullptr;
    bool *partial = nullptr;
    Pointer *extra = nullptr;

    KeyInfo *reserve(size_t size) {
        if (size == 0)
            return nullptr;
        keys = allocate_items<Datum>(size);
        partial = allocate_items<bool>(size);
        extra = allocate_items<Pointer>(size);
        return allocate_items<KeyInfo>(size);
    }
    void add(IndexKey key, KeyInfo &info, KeyInfo value) {
        info = value;
        keys[count] = Int64GetDatum(key);
        partial[count] = key != value.last;
        extra[count++] = reinterpret_cast<Pointer>(&info);
    }
    void add_probes(const Probes &probes) {
        KeyInfo *infos = reserve(probes.keys.size());
        for (size_t i = 0; i < probes.keys.size(); ++i)
            add(probes.keys[i], infos[i], {probes.keys[i], probes.levels[i], probes.is_exact});
    }
    void add_ranges(const std::vector<KeyRange> &ranges) {
        KeyInfo *infos = reserve(ranges.size());
        for (size_t i = 0; i < ranges.size(); ++i)
            add(ranges[i].first, infos[i], {ranges[i].last, 0, ranges[i].is_exact});
    }
};

template <class Width> Datum extract_value(FunctionCallInfo fcinfo) {
    struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
    auto *count = reinterpret_cast<int32 *>(PG_GETARG_POINTER(1));
    const uint32_t most = max_keys_of(fcinfo);
    Datum *result = nullptr;
    guarded([&] {
        const std::vector<IndexKey> keys = index_keys(payload_of(value), width_of<Width>, most);
        result = allocate_items<Datum>(keys.size());
        for (size_t i = 0; i < keys.size(); ++i)
            result[i] = Int64GetDatum(keys[i]);
        *count = static_cast<int32>(keys.size());
    });
    PG_FREE_IF_COPY(value, 0);
    PG_RETURN_POINTER(result);
}

template <class Width> void extract_from_bitmap(Query &query, Bytes bytes, StrategyNumber strategy) {
    if (strategy == contains || strategy == equals)
        query.add_probes(probes_of_bitmap(bytes, width_of<Width>));
    else
        query.add_ranges(ranges_of_bitmap(bytes, width_of<Width>));
}

template <class Width> Datum extract_query(FunctionCallInfo fcinfo) {
    auto *count = reinterpret_cast<int32 *>(PG_GETARG_POINTER(1));
    const StrategyNumber strategy = PG_GETARG_UINT16(2);
    auto *search_mode = reinterpret_cast<int32 *>(PG_GETARG_POINTER(6));
    Query query;
    if (strategy == has_member) {
        const auto member = Width::value_of(PG_GETARG_DATUM(0));
        guarded([&] { query.add_probes(probes_of_member(member, width_of<Width>)); });
    } else {
        struct varlena *bitmap = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
        guarded([&] { extract_from_bitmap<Width>(query, payload_of(bitmap), strategy); });
        // Every bitmap contains the empty one; the empty one has no keys, but is contained in all and equals itself.
        if (strategy == contains && query.count == 0)
            *search_mode = GIN_SEARCH_MODE_ALL;
        else if (strategy == contained || (strategy == equals && query.count == 0))
            *search_mode = GIN_SEARCH_MODE_INCLUDE_EMPTY;
    }
    *count = query.count;
    *reinterpret_cast<bool **>(PG_GETARG_POINTER(3)) = query.partial;
    *reinterpret_cast<Pointer **>(PG_GETARG_POINTER(4)) = query.extra;
    PG_RETURN_POINTER(query.keys);
}

const KeyInfo &info_of(const Pointer *extra, int32 i) { return *reinterpret_cast<const KeyInfo *>(extra[i]); }

// True when one of the exact keys matches.
GinTernaryValue any_of(const GinTernaryValue *check, int32 count, const Pointer *extra) {
    GinTernaryValue answer = GIN_FALSE;
    for (int32 i = 0; i < count; ++i) {
        if (check[i] == GIN_TRUE && info_of(extra, i).is_exact)
            return GIN_TRUE;
        if (check[i] != GIN_FALSE)
            answer = GIN_MAYBE;
    }
    return answer;
}

// True when all keys of level 0 match, and these are exact; keys are in the order of their levels.
GinTernaryValue all_of_one_level(const GinTernaryValue *check, int32 count, const Pointer *extra) {
    GinTernaryValue answer = GIN_FALSE;
    for (int32 i = 0; i < count;) {
        const uint8_t level = info_of(extra, i).level;
        const bool is_exact = level == 0 && info_of(extra, i).is_exact;
        GinTernaryValue here = GIN_TRUE;
        for (; i < count && info_of(extra, i).level == level; ++i)
            here = check[i] == GIN_FALSE || here == GIN_FALSE ? GIN_FALSE : check[i] == GIN_MAYBE ? GIN_MAYBE : here;
        if (here == GIN_TRUE && is_exact)
            return GIN_TRUE;
        if (here != GIN_FALSE)
            answer = GIN_MAYBE;
    }
    return answer;
}

GinTernaryValue maybe(GinTernaryValue answer) { return answer == GIN_TRUE ? GIN_MAYBE : answer; }

// Member by member the index knows only what is in a row, not what else is, so that "is contained in" and "equals"
// stay open.
GinTernaryValue answer(StrategyNumber strategy, const GinTernaryValue *check, int32 count, const Pointer *extra) {
    switch (strategy) {
    case overlaps:
        return any_of(check, count, extra);
    case has_member:
        return all_of_one_level(check, count, extra);
    case contains:
        return count == 0 ? GIN_TRUE : all_of_one_level(check, count, extra);
    case equals:
        return count == 0 ? GIN_MAYBE : maybe(all_of_one_level(check, count, extra));
    default:
        return GIN_MAYBE;
    }
}

} // namespace

FAS_BITMAP_FUNCTION(gin_extract_value, extract_value)
FAS_BITMAP_FUNCTION(gin_extract_query, extract_query)

// A query key is the beginning of a range; is this key of the index in it?
FAS_FUNCTION(fas_rb_gin_compare_partial) {
    const int64 key = PG_GETARG_INT64(1);
    const auto *info = reinterpret_cast<const KeyInfo *>(PG_GETARG_POINTER(3));
    PG_RETURN_INT32(key <= info->last ? 0 : 1);
}

FAS_FUNCTION(fas_rb_gin_consistent) {
    const auto *check = reinterpret_cast<const GinTernaryValue *>(PG_GETARG_POINTER(0));
    const auto *extra = reinterpret_cast<const Pointer *>(PG_GETARG_POINTER(4));
    PG_RETURN_GIN_TERNARY_VALUE(answer(PG_GETARG_UINT16(1), check, PG_GETARG_INT32(3), extra));
}

FAS_FUNCTION(fas_rb_gin_options) {
    auto *options = reinterpret_cast<local_relopts *>(PG_GETARG_POINTER(0));
    init_local_reloptions(options, sizeof(Options));
    add_local_int_reloption(options, "max_keys", "most index keys of one bitmap", default_max_keys, least_index_keys,
                            largest_max_keys, offsetof(Options, max_keys));
    PG_RETURN_VOID();
}

} // namespace fas::pg
