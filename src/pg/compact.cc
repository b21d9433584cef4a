// See compact.hh. Also flows_compact().
#include "compact.hh"

extern "C" {
#include "access/htup_details.h"
#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/memutils.h"
}

#include <algorithm>
#include <optional>

#include "../core/merge.hh"
#include "guard.hh"
#include "settings.hh"
#include "statements.hh"
#include "store_table.hh"
#include "toast_source.hh"

namespace fas::pg {

namespace {

// Advisory locks of users have 1 or 2 in the fourth field, so theirs and ours never meet.
constexpr uint16 lock_class = 0xFA5;

LOCKTAG tag_of(const Store &store) {
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, store.segments, 0, lock_class);
    return tag;
}

using Input = FoundSegment;

struct Output {
    SegmentFacts facts;
    struct varlena *segment;
};

struct OpenInput {
    ToastSource source;
    SegmentReader reader;
    OpenInput(struct varlena *segment, MemoryContext context) : source(segment, context), reader(source) {}
};

// The core's part, in guarded(). Outputs are allocated in the current memory context.
Output *merge_values(const Input *inputs, size_t count, const SplitOptions &options, uint32_t first_hour,
                     size_t *output_count) {
    std::vector<std::optional<OpenInput>> open(count);
    std::vector<SegmentReader *> readers(count);
    uint64_t flows_in = 0, flows_out = 0;
    for (size_t i = 0; i < count; ++i) {
        readers[i] = &open[i].emplace(inputs[i].segment, CurrentMemoryContext).reader;
        flows_in += readers[i]->header().flows;
    }
    std::vector<SegmentBytes> made = merge_and_split(readers, options, first_hour);
    readers.clear();
    open.clear();

    auto *outputs = static_cast<Output *>(allocate(CurrentMemoryContext, sizeof(Output) * (made.size() + 1)));
    for (size_t i = 0; i < made.size(); ++i) {
        MemorySource source(made[i]);
        SegmentReader reader(source);
        outputs[i].facts = facts_of(reader);
        outputs[i].segment = to_varlena(made[i]);
        flows_out += static_cast<uint64_t>(outputs[i].facts.flows);
        SegmentBytes().swap(made[i]);
    }
    if (first_hour == 0 && flows_out != flows_in)
        throw_corrupted("A merge of " + std::to_string(flows_in) + " flows gave " + std::to_string(flows_out) + ".");
    *output_count = made.size();
    return outputs;
}

// Deletes the rows and returns what they held, by id: the order of arrival.
Input *take_rows(const Store &store, const MergeRequest &request, size_t *count) {
    Datum values[] = {array_of_ids(request.ids, request.count), Int64GetDatum(request.least_rows)};
    run(store, request.waits ? Statement::take_segments : Statement::pick_segments, values);
    *count = SPI_processed;
    auto *inputs = static_cast<Input *>(palloc(sizeof(Input) * (*count + 1)));
    for (size_t i = 0; i < *count; ++i)
        inputs[i] = {DatumGetInt64(result(i, 1)), DatumGetInt64(result(i, 2)),
                     reinterpret_cast<struct varlena *>(DatumGetPointer(result(i, 3)))};
    std::sort(inputs, inputs + *count, [](const Input &a, const Input &b) { return a.id < b.id; });
    return inputs;
}

// Segments of lower levels are merged soon again, so only what stays is parted by hour. What ingests leave of hours
// that come in any order, mostly stragglers, is cut between them: a query of one hour then opens segments of few hours,
// with few names. flows_compact() has seen all of it, and would merge again what it cut.
SplitOptions split_options(int level) {
    SplitOptions options;
    options.max_flows = static_cast<uint64_t>(settings::max_segment_flows);
    if (level >= 2)
        options.own_hour_flows = static_cast<uint64_t>(own_hour_threshold(settings::max_segment_flows));
    else
        options.own_hour_flows = UINT64_MAX;
    if (level == 2)
        options.cut_flows = cut_flows;
    return options;
}

// Inputs are deleted already. SPI is connected, and what is allocated goes with it; but not `written`.
MergeResult merge_inputs(const Store &store, MemoryContext result_context, const Input *inputs, size_t input_count,
                         const MergeRequest &request) {
    MergeResult merged;
    size_t output_count = 0;
    merged.rows_read = static_cast<int64_t>(input_count);
    for (size_t i = 0; i < input_count; ++i)
        merged.flows_read += inputs[i].flows;

    int level =
        request.output_level >= 0 ? request.output_level : level_of_merge(request.input_level, merged.flows_read);
    Output *outputs = nullptr;
    if (input_count > 0)
        guarded([&] {
            outputs = merge_values(inputs, input_count, split_options(level), request.first_hour, &output_count);
        });

    merged.written =
        static_cast<SegmentInfo *>(MemoryContextAlloc(result_context, sizeof(SegmentInfo) * (output_count + 1)));
    merged.written_count = output_count;
    for (size_t i = 0; i < output_count; ++i) {
        const SegmentFacts &facts = outputs[i].facts;
        int64_t id = insert_segment(store, level, facts, outputs[i].segment);
        pfree(outputs[i].segment);
        merged.written[i] = {id, level, facts.hour_min, facts.hour_max, facts.flows};
        merged.flows_written += facts.flows;
    }
    return merged;
}

// As take_directly(), by the executor.
void take_by_statements(const Store &store, int64_t id, const Search &search, TakenRows &taken) {
    Datum values[] = {Int64GetDatum(id - search.window), Int64GetDatum(id), Int16GetDatum(search.level),
                      Int64GetDatum(search.below), Int64GetDatum(2 * max_ingest_rows)};
    run(store, Statement::find_candidates, values);
    size_t found = SPI_processed;
    auto *candidates = static_cast<Candidate *>(palloc(sizeof(Candidate) * (found + 1)));
    auto *ids = static_cast<int64_t *>(palloc(sizeof(int64_t) * (found + 1)));
    for (size_t i = 0; i < found; ++i) {
        candidates[i] = {DatumGetInt64(result(i, 1)), DatumGetInt64(result(i, 2))};
        ids[i] = candidates[i].id;
    }
    SPI_freetuptable(SPI_tuptable);

    size_t chosen = choose_candidates(search, {candidates, found});
    taken = {nullptr, 0, chosen > 0 && is_worth_another(search, {candidates + chosen, found - chosen})};
    if (chosen > 0)
        taken.rows = take_rows(store, {.ids = ids, .count = chosen, .least_rows = 2}, &taken.count);
}

void merge_found(const Store &store, int64_t id, const Search &search) {
    connect_spi(); // all that is allocated from here on goes with finish_spi()
    TakenRows taken;
    if (!take_directly(store, id, search, taken))
        take_by_statements(store, id, search, taken);
    int64_t &debt = notes_of(store).debt[search.level];
    debt = debt_after(debt, search, taken.goes_on);
    if (taken.count > 0)
        (void)merge_inputs(store, CurrentMemoryContext, taken.rows, taken.count, {.input_level = search.level});
    finish_spi();
}

} // namespace

bool try_share_store(const Store &store) {
    LOCKTAG tag = tag_of(store);
    return LockAcquire(&tag, ShareLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

void claim_store(const Store &store) {
    LOCKTAG tag = tag_of(store);
    (void)LockAcquire(&tag, ExclusiveLock, false, false);
}

MergeResult merge_rows(const Store &store, const MergeRequest &request) {
    MemoryContext caller = CurrentMemoryContext;
    connect_spi();
    size_t count = 0;
    const Input *inputs = take_rows(store, request, &count);
    MergeResult merged = merge_inputs(store, caller, inputs, count, request);
    finish_spi();
    return merged;
}

void merge_after_ingest(const Store &store, int64_t id, int64_t flows) {
    if (!settings::auto_compact || IsolationUsesXactSnapshot())
        return;
    Search search = search_due(id, flows);
    const int64_t(&debt)[3] = notes_of(store).debt;
    for (int level = 0; search.level < 0 && level < 3; ++level)
        if (debt[level] > 0)
            search = search_for_debt(level, debt[level]);
    if (search.level < 0 || !try_share_store(store))
        return;
    char problem[512];
    if (!survives_damage([&] { merge_found(store, id, search); }, problem, sizeof problem))
        ereport(WARNING, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("segments were not merged: %s", problem),
                          errhint("flows_check() tells which segments are damaged.")));
}

namespace {

struct Work {
    int64_t read, written, flows;
};

using Groups = std::vector<std::vector<int64_t>>;

void list_everything(const Store &store, CompactionPlan *plan) {
    connect_spi();
    run(store, Statement::list_all, nullptr);
    uint64_t count = SPI_processed;
    auto *rows =
        static_cast<SegmentInfo *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(SegmentInfo) * (count + 1)));
    for (uint64_t i = 0; i < count; ++i)
        rows[i] = {DatumGetInt64(result(i, 1)), DatumGetInt16(result(i, 2)), DatumGetInt32(result(i, 3)),
                   DatumGetInt32(result(i, 4)), DatumGetInt64(result(i, 5))};
    guarded([&] {
        for (uint64_t i = 0; i < count; ++i)
            plan->add(rows[i]);
    });
    finish_spi();
}

// One group of a round. What can't be had (locked, gone, damaged) leaves the plan, so that rounds come to an end. A
// group with a damaged segment is halved until that one is alone.
void compact_group(const Store &store, CompactionPlan *plan, std::span<const int64_t> ids, Work &done) {
    MergeResult merged;
    MergeRequest request{
        .ids = ids.data(), .count = ids.size(), .least_rows = ids.size() > 1 ? 2 : 1, .output_level = sealed_level};
    char problem[512];
    if (!survives_damage([&] { merged = merge_rows(store, request); }, problem, sizeof problem)) {
        if (ids.size() > 1) {
            compact_group(store, plan, ids.first(ids.size() / 2), done);
            compact_group(store, plan, ids.subspan(ids.size() / 2), done);
            return;
        }
        ereport(WARNING, (errcode(ERRCODE_DATA_CORRUPTED),
                          errmsg("segment " INT64_FORMAT " was not merged: %s", ids[0], problem),
                          errhint("flows_check() tells which segments are damaged.")));
        merged = {};
    }
    done.read += merged.rows_read;
    done.written += static_cast<int64_t>(merged.written_count);
    done.flows += merged.flows_written;
    guarded([&] {
        plan->remove(ids);
        for (size_t i = 0; i < merged.written_count; ++i)
            plan->add(merged.written[i]);
    });
}

void seal_rest(const Store &store, CompactionPlan *plan, Groups *scratch) {
    guarded([&] { scratch->assign(1, plan->to_seal()); });
    const std::vector<int64_t> &ids = scratch->front();
    if (ids.empty())
        return;
    connect_spi();
    Datum values[] = {array_of_ids(ids.data(), ids.size()), Int16GetDatum(sealed_level)};
    run(store, Statement::seal_segments, values);
    finish_spi();
}

Work compact_everything(const Store &store) {
    Work done{};
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "fas compaction", ALLOCSET_DEFAULT_SIZES);
    MemoryContext group_context = AllocSetContextCreate(context, "fas compaction group", ALLOCSET_DEFAULT_SIZES);
    auto *plan = make_in_context<CompactionPlan>(context, static_cast<int64_t>(settings::max_segment_flows));
    auto *groups = make_in_context<Groups>(context);
    MemoryContext caller = MemoryContextSwitchTo(group_context);

    list_everything(store, plan);
    for (;;) {
        guarded([&] { *groups = plan->round(); });
        if (groups->empty())
            break;
        for (const std::vector<int64_t> &ids : *groups) {
            CHECK_FOR_INTERRUPTS();
            compact_group(store, plan, ids, done);
            MemoryContextReset(group_context);
        }
    }
    seal_rest(store, plan, groups);
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(context);
    return done;
}

} // namespace

FAS_FUNCTION(flows_compact) {
    Store store = store_of_function(fcinfo->flinfo->fn_oid);
    PreventCommandIfReadOnly("flows_compact()");
    require_read_committed("flows_compact()");
    TupleDesc columns;
    if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "flows_compact must return a row");

    Work done{};
    RunAsOwner saved = begin_as_owner(store);
    if (try_share_store(store))
        done = compact_everything(store);
    else
        ereport(NOTICE, (errmsg("nothing was compacted because flows_expire() is under way")));
    end_as_owner(saved);

    Datum values[] = {Int64GetDatum(done.read), Int64GetDatum(done.written), Int64GetDatum(done.flows)};
    bool nulls[] = {false, false, false};
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}

} // namespace fas::pg
