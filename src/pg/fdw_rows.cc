// A scan that gives flows, one row each: the selected cells of one segment at a time, decoded block by block.
//
// What a tuple costs matters here. Blocks are decoded in guarded(); between blocks a tuple is a few stores. Only the
// columns that the query needs are decoded, and a name becomes a text datum once per segment.
#include "postgres.hh"

extern "C" {
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"
}

#include <algorithm>
#include <vector>

#include "../core/select.hh"
#include "datum.hh"
#include "fdw_wrapper.hh"
#include "guard.hh"
#include "toast_source.hh"

namespace fas::pg {

namespace {

constexpr uint32_t cells_per_block = 1024;
constexpr uint32_t rows_per_block = 8192;

// A selected cell, ready for tuples.
struct ScannedCell {
    uint32_t row_end;
    Datum values[dimension_count];
};

// One segment being read. Lives in the scan's segment context.
class OpenSegment {
  public:
    OpenSegment(struct varlena *datum, MemoryContext context, const Condition &condition, uint32_t columns)
        : columns_(columns), source_(datum, context), reader_(source_), ranges_(select_cells(reader_, condition)) {
        for (size_t t = 0; t < text_dimension_count; ++t)
            if (needs(static_cast<int>(text_dimension(t))))
                texts_[t].resize(reader_.names(t).size());
    }

    // Decodes what comes next; false at the end. Afterwards [row_begin, row_end) can be given out.
    bool advance(ScanCounters &counters) {
        bool more = row_end < block_row_end_ || next_cells();
        if (more) {
            row_begin = row_end;
            row_end = needs_metrics() ? std::min(block_row_end_, row_begin + rows_per_block) : block_row_end_;
            if (needs_metrics())
                reader_.read_rows({static_cast<uint32_t>(row_begin), static_cast<uint32_t>(row_end)}, rows);
            counters.rows += row_end - row_begin;
        }
        counters.cells += cells_begun_;
        counters.bytes += source_.bytes_read() - bytes_counted_;
        cells_begun_ = 0;
        bytes_counted_ = source_.bytes_read();
        return more;
    }

    uint64_t row_begin = 0, row_end = 0;
    RowColumns rows;                // of [row_begin, row_end)
    std::vector<ScannedCell> cells; // of the block; empty when no dimension is needed

  private:
    bool needs(int column) const { return (columns_ >> column) & 1; }
    bool needs_metrics() const { return columns_ >> first_metric != 0; }
    bool needs_dimensions() const { return (columns_ & ((1u << first_metric) - 1)) != 0; }

    // The next block of selected cells: of one range, so its rows are one run.
    bool next_cells() {
        while (range_ < ranges_.size() && cell_ >= ranges_[range_].end)
            if (++range_ < ranges_.size())
                cell_ = ranges_[range_].begin;
        if (range_ == ranges_.size())
            return false;
        cell_ = std::max(cell_, ranges_[range_].begin);
        Range block{cell_, ranges_[range_].end};
        if (needs_dimensions()) {
            block.end = std::min(block.end, block.begin + cells_per_block);
            decode_cells(block);
        } else {
            row_end = first_row_of(block.begin);
            block_row_end_ = first_row_of(block.end);
        }
        cells_begun_ += block.size();
        cell_ = block.end;
        return true;
    }

    void decode_cells(Range block) {
        reader_.read_cells(block, columns_of_cells_);
        cells.resize(block.size());
        std::span<const HourEntry> hours = reader_.hours();
        auto hour = std::upper_bound(hours.begin(), hours.end(), block.begin,
                                     [](uint32_t cell, const HourEntry &entry) { return cell < entry.cells.end; });
        for (uint32_t i = 0; i < block.size(); ++i) {
            while (block.begin + i >= hour->cells.end)
                ++hour;
            cells[i].row_end = columns_of_cells_.first_row[i + 1];
            cells[i].values[0] = Int32GetDatum(static_cast<int32_t>(hour->hour));
        }
        for (size_t t = 0; t < text_dimension_count; ++t)
            if (needs(static_cast<int>(text_dimension(t))))
                fill_texts(t);
        row_end = columns_of_cells_.first_row.front();
        block_row_end_ = columns_of_cells_.first_row.back();
    }

    void fill_texts(size_t t) {
        std::span<const uint32_t> ids = reader_.key_ids(t);
        std::span<const std::string_view> names = reader_.names(t);
        for (size_t i = 0; i < cells.size(); ++i) {
            uint32_t id = ids[columns_of_cells_.key[i]];
            Datum &text = texts_[t][id];
            if (text == 0)
                text = text_in_place(names[id]);
            cells[i].values[t + 1] = text;
        }
    }

    // Hours' borders are known without decoding cells.
    uint64_t first_row_of(uint32_t cell) {
        if (cell == reader_.header().cells)
            return reader_.header().flows;
        std::span<const HourEntry> hours = reader_.hours();
        auto hour = std::lower_bound(hours.begin(), hours.end(), cell, [](const HourEntry &entry, uint32_t wanted) {
            return entry.cells.begin < wanted;
        });
        if (hour != hours.end() && hour->cells.begin == cell)
            return hour->rows.begin;
        reader_.read_cells({cell, cell + 1}, columns_of_cells_);
        return columns_of_cells_.first_row.front();
    }

    uint32_t columns_; // to decode, as bits
    ToastSource source_;
    SegmentReader reader_;
    std::vector<Range> ranges_;
    size_t range_ = 0;
    uint32_t cell_ = 0; // next to read
    uint64_t block_row_end_ = 0;
    uint64_t cells_begun_ = 0, bytes_counted_ = 0; // for EXPLAIN
    CellColumns columns_of_cells_;
    std::array<std::vector<Datum>, text_dimension_count> texts_; // by name id; 0 where not made yet
};

} // namespace

struct RowScan {
    struct Target {
        int attribute; // index in the slot
        int source;    // dimension or metric
    };
    uint32_t columns;
    int dimension_count, metric_count;
    Target dimensions[fas::dimension_count], metrics[fas::metric_count];

    OpenSegment *open; // null before the first and between segments
    const ScannedCell *cell;
    const uint64_t *values[fas::metric_count]; // of row `begin` on
    uint64_t begin, row, end;
};

RowScan *make_row_scan(ForeignScanState *node, const TableShape &shape, uint32_t columns) {
    auto *rows = static_cast<RowScan *>(palloc0(sizeof(RowScan)));
    rows->columns = columns;
    for (int c = 0; c < column_count; ++c) {
        if (((columns >> c) & 1) == 0)
            continue;
        int attribute = shape.attnum[c] - 1;
        if (c < first_metric)
            rows->dimensions[rows->dimension_count++] = {attribute, c};
        else
            rows->metrics[rows->metric_count++] = {attribute, c - first_metric};
    }
    // What is not decoded reads as NULL; nobody looks.
    TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
    std::fill_n(slot->tts_isnull, slot->tts_tupleDescriptor->natts, true);
    return rows;
}

void reset_row_scan(RowScan *rows) {
    rows->open = nullptr;
    rows->begin = rows->row = rows->end = 0;
}

// True when there are rows to give in [row, end).
static bool load_rows(FlowScan *scan) {
    RowScan *r = scan->rows;
    for (;;) {
        CHECK_FOR_INTERRUPTS();
        if (r->open != nullptr) {
            bool more = false;
            guarded([&] { more = r->open->advance(scan->counters); });
            if (more) {
                r->begin = r->row = r->open->row_begin;
                r->end = r->open->row_end;
                r->cell = r->open->cells.data();
                for (size_t m = 0; m < fas::metric_count; ++m)
                    r->values[m] = r->open->rows.metrics[m].data();
                if (r->begin < r->end)
                    return true;
                continue;
            }
            r->open = nullptr;
            MemoryContextReset(scan->segment_context);
        }
        if (scan->next_segment == scan->segments.count)
            return false;
        const SegmentRow &row = scan->segments.rows[scan->next_segment++];
        r->cell = nullptr;
        r->open = make_in_context<OpenSegment>(scan->segment_context, row.segment, scan->segment_context,
                                               *scan->condition, r->columns);
        ++scan->counters.segments_read;
    }
}

bool next_row(FlowScan *scan, TupleTableSlot *slot) {
    RowScan *r = scan->rows;
    if (r->row == r->end && !load_rows(scan))
        return false;
    if (r->dimension_count > 0) {
        while (r->cell->row_end <= r->row)
            ++r->cell;
        for (int i = 0; i < r->dimension_count; ++i) {
            const RowScan::Target &target = r->dimensions[i];
            slot->tts_values[target.attribute] = r->cell->values[target.source];
            slot->tts_isnull[target.attribute] = false;
        }
    }
    for (int i = 0; i < r->metric_count; ++i) {
        const RowScan::Target &target = r->metrics[i];
        slot->tts_values[target.attribute] =
            Int64GetDatum(static_cast<int64_t>(r->values[target.source][r->row - r->begin]));
        slot->tts_isnull[target.attribute] = false;
    }
    ++r->row;
    ExecStoreVirtualTuple(slot);
    return true;
}

} // namespace fas::pg
