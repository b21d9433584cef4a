// See rollup.hh. A roll-up owns its names and groups; nothing is shared, and no lock is needed.
//
// A segment is added in three steps: the cells that meet the condition (select.hh); their sums, added up in a dense
// array with an entry for each local group, that is a group in terms of the segment's own dictionaries; then one probe
// of the roll-up's table for each local group that came up. Where no sums of cells are needed, none are read: whole
// hours are answered from the hour directory, the whole segment from its header.
#include "rollup.hh"

#include <algorithm>
#include <numeric>

#include "cell_stream.hh"
#include "interrupt.hh"
#include "rollup_state.hh"

namespace fas {

namespace {

using Ids = GroupTable::Ids;

constexpr uint32_t no_id = 0xffffffff; // a name that the roll-up has not seen yet

class SegmentRollup {
  public:
    SegmentRollup(SegmentReader &segment, GroupBy group_by, RollupStats &stats, std::span<NameTable> names,
                  GroupTable &groups, CellColumns &columns)
        : segment_(segment), header_(segment.header()), group_by_(group_by), stats_(stats), names_(names),
          groups_(groups), by_hour_(group_by.has(Dimension::hour)), hour_by_hour_(by_hour_ || groups.with_spans()),
          first_(groups.groups().empty()), columns_(columns) {}
    void run(std::vector<Range> cells);

  private:
    // What a cell's local group is.
    enum class Local : uint8_t {
        one,      // no text dimension is grouped: a single group
        name,     // one is: the key's name id in that dimension
        key_run,  // two are: keys that follow each other with the same names in both
        key,      // all three are: the key
        straight, // all three, and no key comes twice between two flushes, or few cells: no dense array is needed
    };

    bool from_directory(std::vector<Range> &cells);
    void prepare(const std::vector<Range> &cells);
    void prepare_names(size_t text);
    bool in_one_hour(const std::vector<Range> &cells);
    void prepare_key_runs();
    void add_window(Range window, std::span<const Range> pieces);
    void enter_hour(uint32_t cell);
    void accumulate(uint32_t first, uint32_t n);
    void accumulate_one(uint32_t first, uint32_t n);
    void accumulate_straight(uint32_t first, uint32_t n);
    void flush();
    uint32_t current_hour() const noexcept { return hours_.empty() ? 0 : hours_[hour_].hour; }
    void put(const Ids &ids, const Totals &totals);
    Ids ids_of_key(uint32_t key);
    uint32_t global_id(size_t text, uint32_t id);

    SegmentReader &segment_;
    const SegmentHeader &header_;
    GroupBy group_by_;
    RollupStats &stats_;
    std::span<NameTable> names_;
    GroupTable &groups_;
    bool by_hour_;
    bool hour_by_hour_; // groups, or their spans, need each cell's hour
    bool few_ = false;  // so few cells that keys and names are decoded one by one
    bool first_;        // no other segment gave groups: those of this one are new, unless it may give one of them twice

    Local local_ = Local::one;
    std::vector<size_t> texts_;                                           // grouped text dimensions
    std::array<std::span<const uint32_t>, text_dimension_count> key_ids_; // of those
    std::array<std::vector<uint32_t>, text_dimension_count> global_ids_;  // local name id -> the roll-up's
    std::vector<uint32_t> run_of_key_, first_key_of_run_;                 // of Local::key_run
    std::vector<Totals> dense_;                                           // of each local group
    std::vector<uint32_t> touched_;                                       // local groups with flows
    Totals one_;
    std::span<const HourEntry> hours_;
    size_t hour_ = 0;      // entry of hours_ that the current cell belongs to
    CellColumns &columns_; // scratch
};

uint32_t SegmentRollup::global_id(size_t text, uint32_t id) {
    uint32_t &out = global_ids_[text][id];
    if (out == no_id)
        out = names_[text].add(segment_.name(text, id));
    return out;
}

Ids SegmentRollup::ids_of_key(uint32_t key) {
    Ids ids{};
    for (size_t text : texts_)
        ids[text] = global_id(text, few_ ? segment_.key_id(text, key) : key_ids_[text][key]);
    return ids;
}

// Answers what whole hours (or the whole segment) give and leaves in `cells` what is left; true when nothing is.
bool SegmentRollup::from_directory(std::vector<Range> &cells) {
    if (!by_hour_ && cells.size() == 1 && cells[0].size() == header_.cells) {
        groups_.add(0, {}, header_.totals, {header_.hour_min, header_.hour_max});
        return true;
    }
    std::vector<Range> rest;
    auto hour = segment_.hours().begin();
    auto end = segment_.hours().end();
    for (Range range : cells) {
        hour = std::partition_point(hour, end, [&](const HourEntry &e) { return e.cells.begin < range.begin; });
        uint32_t partial = range.begin; // where cells begin that no whole hour covers
        for (; hour != end && hour->cells.end <= range.end; ++hour) {
            if (partial < hour->cells.begin)
                rest.push_back({partial, hour->cells.begin});
            groups_.add(by_hour_ ? hour->hour : 0, {}, hour->totals, {hour->hour, hour->hour});
            partial = hour->cells.end;
        }
        if (partial < range.end)
            rest.push_back({partial, range.end});
    }
    cells = std::move(rest);
    return cells.empty();
}

void SegmentRollup::prepare_key_runs() {
    auto a = key_ids_[texts_[0]], b = key_ids_[texts_[1]];
    run_of_key_.resize(header_.keys);
    for (uint32_t key = 0; key < header_.keys; ++key) {
        if (key == 0 || a[key] != a[key - 1] || b[key] != b[key - 1])
            first_key_of_run_.push_back(key);
        run_of_key_[key] = static_cast<uint32_t>(first_key_of_run_.size() - 1);
    }
}

// Which of the roll-up's ids a name of the segment has. Where many names will be needed, all are decoded, and those of
// the first segment become the roll-up's as they are; where few, each is looked up when it comes.
void SegmentRollup::prepare_names(size_t text) {
    std::vector<uint32_t> &ids = global_ids_[text];
    if (few_) {
        ids.assign(header_.names[text], no_id);
        return;
    }
    auto names = segment_.names(text);
    key_ids_[text] = segment_.key_ids(text);
    if (names_[text].size() == 0) {
        names_[text].adopt(names);
        ids.resize(names.size());
        std::iota(ids.begin(), ids.end(), 0);
    } else
        ids.assign(names.size(), no_id);
}

bool SegmentRollup::in_one_hour(const std::vector<Range> &cells) {
    if (header_.hours == 1)
        return true;
    enter_hour(cells.front().begin);
    return cells.back().end <= hours_[hour_].cells.end;
}

void SegmentRollup::prepare(const std::vector<Range> &cells) {
    uint64_t cell_count = 0;
    for (Range range : cells)
        cell_count += range.size();
    few_ = are_few_cells(cell_count, header_);
    for (size_t text : texts_)
        prepare_names(text);
    if (few_ && !texts_.empty()) {
        local_ = Local::straight;
        first_ = false;
        return;
    }
    size_t local_groups = 0;
    switch (texts_.size()) {
    case 0:
        local_ = Local::one;
        break;
    case 1:
        local_ = Local::name;
        local_groups = header_.names[texts_[0]];
        break;
    case 2:
        local_ = Local::key_run;
        first_ = false; // the same two names come in several runs
        prepare_key_runs();
        local_groups = first_key_of_run_.size();
        break;
    default: {
        const bool once = by_hour_ || in_one_hour(cells); // each group comes in one cell
        local_ = once || hour_by_hour_ ? Local::straight : Local::key;
        local_groups = local_ == Local::key ? header_.keys : 0;
    }
    }
    if (hour_by_hour_ && !by_hour_ && !in_one_hour(cells))
        first_ = false; // each hour may give the groups of those before
    if (local_ == Local::straight && first_)
        groups_.expect(cell_count);
    dense_.resize(local_groups);
}

// Finds the hour of `cell`, which only grows; a new hour ends the groups of the one before.
void SegmentRollup::enter_hour(uint32_t cell) {
    if (hours_.empty())
        hours_ = segment_.hours();
    if (cell < hours_[hour_].cells.end)
        return;
    flush();
    auto next = std::partition_point(hours_.begin() + static_cast<ptrdiff_t>(hour_), hours_.end(),
                                     [cell](const HourEntry &e) { return e.cells.end <= cell; });
    hour_ = static_cast<size_t>(next - hours_.begin());
}

void SegmentRollup::put(const Ids &ids, const Totals &totals) {
    const uint32_t hour = current_hour();
    if (first_)
        groups_.append(by_hour_ ? hour : 0, ids, totals, {hour, hour});
    else
        groups_.add(by_hour_ ? hour : 0, ids, totals, {hour, hour});
}

void SegmentRollup::accumulate_one(uint32_t first, uint32_t n) {
    for (uint32_t i = first; i < first + n; ++i)
        one_.add(columns_.totals(i));
}

void SegmentRollup::accumulate_straight(uint32_t first, uint32_t n) {
    for (uint32_t i = first; i < first + n; ++i)
        put(ids_of_key(columns_.key[i]), columns_.totals(i));
}

// Entries [first, first + n) of the window, all of one hour where hours are grouped.
void SegmentRollup::accumulate(uint32_t first, uint32_t n) {
    if (local_ == Local::one)
        return accumulate_one(first, n);
    if (local_ == Local::straight)
        return accumulate_straight(first, n);
    const uint32_t *local_of_key = local_ == Local::name      ? key_ids_[texts_[0]].data()
                                   : local_ == Local::key_run ? run_of_key_.data()
                                                              : nullptr;
    for (uint32_t i = first; i < first + n; ++i) {
        uint32_t group = local_of_key != nullptr ? local_of_key[columns_.key[i]] : columns_.key[i];
        if (dense_[group].flows == 0)
            touched_.push_back(group);
        dense_[group].add(columns_.totals(i));
    }
}

void SegmentRollup::flush() {
    if (one_.flows != 0)
        groups_.add(by_hour_ ? current_hour() : 0, {}, one_, {current_hour(), current_hour()});
    one_ = {};
    for (uint32_t group : touched_) {
        Ids ids{};
        if (local_ == Local::name)
            ids[texts_[0]] = global_id(texts_[0], group);
        else
            ids = ids_of_key(local_ == Local::key_run ? first_key_of_run_[group] : group);
        put(ids, dense_[group]);
        dense_[group] = {};
    }
    touched_.clear();
}

// Reads a window and adds its pieces.
void SegmentRollup::add_window(Range window, std::span<const Range> pieces) {
    segment_.read_cells(window, columns_);
    stats_.cells += window.size();
    poll();
    for (Range piece : pieces)
        while (piece.begin < piece.end) {
            uint32_t end = piece.end;
            if (hour_by_hour_) {
                enter_hour(piece.begin);
                end = std::min(end, hours_[hour_].cells.end);
            }
            accumulate(piece.begin - window.begin, end - piece.begin);
            piece.begin = end;
        }
}

void SegmentRollup::run(std::vector<Range> cells) {
    for (size_t text = 0; text < text_dimension_count; ++text)
        if (group_by_.has(text_dimension(text)))
            texts_.push_back(text);
    if (cells.empty() || (texts_.empty() && from_directory(cells)))
        return;
    prepare(cells);
    CellWindows windows(std::move(cells));
    windows.expect_in(segment_);
    while (windows.advance())
        add_window(windows.window(), windows.pieces());
    flush();
}

} // namespace

Rollup::Rollup(GroupBy group_by, Condition condition, bool spans) : state_(std::make_unique<State>()) {
    state_->groups = GroupTable(spans);
    state_->group_by = group_by;
    state_->condition = std::move(condition);
}
Rollup::~Rollup() = default;
Rollup::Rollup(Rollup &&) noexcept = default;
Rollup &Rollup::operator=(Rollup &&) noexcept = default;

GroupBy Rollup::group_by() const noexcept { return state_->group_by; }
std::span<const Group> Rollup::groups() const noexcept { return state_->groups.groups(); }
std::span<const HourSpan> Rollup::spans() const noexcept { return state_->groups.spans(); }
std::span<const std::string_view> Rollup::names(size_t text) const noexcept { return state_->names[text].names(); }
const RollupStats &Rollup::stats() const noexcept { return state_->stats; }

size_t Rollup::memory() const noexcept {
    size_t out = sizeof(State) + state_->groups.memory();
    for (const NameTable &names : state_->names)
        out += names.memory();
    return out;
}

void Rollup::add(SegmentReader &segment) {
    State &s = *state_;
    ++s.stats.segments;
    std::vector<Range> cells = select_cells(segment, s.condition, &s.stats.select);
    SegmentRollup(segment, s.group_by, s.stats, s.names, s.groups, s.columns).run(std::move(cells));
}

void Rollup::add(const Rollup &other) {
    State &s = *state_;
    const State &o = *other.state_;
    if (s.group_by != o.group_by || s.groups.with_spans() != o.groups.with_spans())
        throw Error(sqlstate::invalid_parameter_value, "cannot combine roll-ups of different dimensions",
                    "All roll-ups of one aggregate must be grouped by the same dimensions.");
    std::array<std::vector<uint32_t>, text_dimension_count> ids;
    for (size_t text = 0; text < text_dimension_count; ++text)
        for (std::string_view name : o.names[text].names())
            ids[text].push_back(s.names[text].add(name));
    for (size_t g = 0; g < o.groups.groups().size(); ++g) {
        const Group &group = o.groups.groups()[g];
        Ids mapped{};
        for (size_t text = 0; text < text_dimension_count; ++text)
            if (s.group_by.has(text_dimension(text)))
                mapped[text] = ids[text][group.name_ids[text]];
        const Totals totals = group.totals; // a copy: `other` may be this roll-up
        s.groups.add(group.hour, mapped, totals, o.groups.with_spans() ? o.groups.spans()[g] : HourSpan{});
        if (g % 4096 == 4095)
            poll();
    }
    s.stats.segments += o.stats.segments;
    s.stats.cells += o.stats.cells;
    s.stats.select.index_bitmaps += o.stats.select.index_bitmaps;
    s.stats.select.cells_scanned += o.stats.select.cells_scanned;
}

} // namespace fas
