// See select.hh. A Selector belongs to one call; nothing is shared.
//
// The condition is compiled against the segment first: texts become sets of dictionary ids, what the segment's hour
// range or dictionaries decide is folded away. What is left is answered in one of three ways:
//
//   order  names of src_app that follow each other, in a segment of one hour: keys ascend by src_app first, and cells
//          by key, so a search in the key table finds where their cells begin and end;
//   index  every leaf becomes a bitmap of cells (a text leaf from the inverted index, an hour leaf from the hour
//          directory), and the tree is AND, OR and ANDNOT over them;
//   scan   for each hour, the hour's leaves are decided and the rest of the tree is decided once for every key of the
//          segment; then the hour's part of the cells' key column is looked up in that.
#include "select.hh"

#include <algorithm>
#include <memory>
#include <optional>

#include "interrupt.hh"

namespace fas {

namespace {

// Costs, in cells scanned (a cell is about 2 ns): reading a bitmap is a fetch, a check and a copy, about 1 us; a key
// is decided at about a quarter of a cell for each text leaf.
constexpr uint64_t bitmap_cost = 512;
constexpr uint64_t keys_per_cell_cost = 4;

constexpr uint32_t scan_chunk = 1 << 16; // cells whose keys are decoded at once
constexpr size_t decisions_kept = 8;

void append(std::vector<Range> &ranges, Range range) {
    if (range.begin == range.end)
        return;
    if (!ranges.empty() && ranges.back().end == range.begin)
        ranges.back().end = range.end;
    else
        ranges.push_back(range);
}

struct HourLeaf {
    Comparison comparison;
    std::vector<int64_t> hours; // sorted

    bool matches(int64_t hour) const {
        switch (comparison) {
        case Comparison::in:
            return std::binary_search(hours.begin(), hours.end(), hour);
        case Comparison::not_in:
            return !std::binary_search(hours.begin(), hours.end(), hour);
        case Comparison::less:
            return !hours.empty() && hour < hours[0];
        case Comparison::less_equal:
            return !hours.empty() && hour <= hours[0];
        case Comparison::greater:
            return !hours.empty() && hour > hours[0];
        case Comparison::greater_equal:
            return !hours.empty() && hour >= hours[0];
        default:
            return false;
        }
    }

    // The same answer for all hours of [first, last], if it is known to be the same.
    std::optional<bool> decided(int64_t first, int64_t last) const {
        bool at_first = matches(first);
        bool list = comparison == Comparison::in || comparison == Comparison::not_in;
        auto next = std::lower_bound(hours.begin(), hours.end(), first);
        bool same = first == last || (list ? next == hours.end() || *next > last : at_first == matches(last));
        return same ? std::optional(at_first) : std::nullopt;
    }
};

struct TextLeaf {
    size_t text;
    std::vector<Range> ids; // sorted, disjoint
    uint32_t names;         // of the dictionary
    uint32_t chosen() const noexcept {
        uint32_t n = 0;
        for (Range r : ids)
            n += r.size();
        return n;
    }
    bool fewer_outside() const noexcept { return chosen() > names / 2; }
    uint32_t bitmaps() const noexcept { return std::min(chosen(), names - chosen()); }
};

// The compiled tree. Children are never all or none, and a conjunction or disjunction has at least two of them.
struct Node {
    enum class Kind : uint8_t { all, none, conjunction, disjunction, hour, text };
    Kind kind;
    size_t leaf = 0; // index of hour_leaves_ or text_leaves_
    std::vector<Node> children;
};

// A set of cells, or all cells but these.
struct CellSet {
    Bitmap cells;
    bool complement = false;
};

// What a condition says about each key of the segment, the hour being given.
struct Decision {
    std::vector<bool> hour_truths; // of each hour leaf: what this decision is good for
    Node::Kind kind;               // all, none, or anything else: see `keys`
    std::vector<uint8_t> keys;
};

class Selector {
  public:
    Selector(SegmentReader &segment, SelectStats &stats)
        : segment_(segment), header_(segment.header()), stats_(stats) {}
    std::vector<Range> select(const Condition &condition, SelectWay way);

  private:
    Node compile(const Condition &condition);
    Node compile_group(const Condition &condition);
    Node compile_hour(const Condition &leaf);
    Node compile_text(const Condition &leaf);
    bool is_ordered(const Node &root) const;
    bool index_is_cheaper(const Condition &condition);

    std::vector<Range> by_index(const Node &root);
    CellSet cells_of(const Node &node);
    Bitmap cells_of_hours(const HourLeaf &leaf);
    CellSet cells_of_names(const TextLeaf &leaf);

    std::vector<Range> by_scan(const Node &root);
    std::shared_ptr<Decision> decide(const Node &root, std::vector<bool> hour_truths);
    Node::Kind decide_keys(const Node &node, const std::vector<bool> &hour_truths, std::vector<uint8_t> &keys);
    void decide_names(const TextLeaf &leaf, std::vector<uint8_t> &keys);
    void flush(std::vector<Range> &out);

    SegmentReader &segment_;
    const SegmentHeader &header_;
    SelectStats &stats_;
    std::vector<HourLeaf> hour_leaves_;
    std::vector<TextLeaf> text_leaves_;

    // The scan's state: decisions made lately, and hours without a gap between them that wait to be scanned.
    std::vector<std::shared_ptr<Decision>> decisions_;
    size_t next_decision_ = 0;
    std::vector<std::pair<Range, std::shared_ptr<Decision>>> pending_;
    size_t pending_changes_ = 0; // of the decision, from one pending hour to the next
    std::vector<uint32_t> chunk_;
};

Node constant(bool value) { return {value ? Node::Kind::all : Node::Kind::none, 0, {}}; }

Node Selector::compile(const Condition &condition) {
    switch (condition.kind) {
    case Condition::Kind::all:
        return constant(true);
    case Condition::Kind::none:
        return constant(false);
    case Condition::Kind::leaf:
        return condition.dimension == Dimension::hour ? compile_hour(condition) : compile_text(condition);
    default:
        return compile_group(condition);
    }
}

Node Selector::compile_group(const Condition &condition) {
    bool is_and = condition.kind == Condition::Kind::conjunction;
    Node::Kind neutral = is_and ? Node::Kind::all : Node::Kind::none;
    Node out{is_and ? Node::Kind::conjunction : Node::Kind::disjunction, 0, {}};
    for (const Condition &child : condition.children) {
        Node node = compile(child);
        if (node.kind == neutral)
            continue;
        if (node.kind == Node::Kind::all || node.kind == Node::Kind::none)
            return node;
        out.children.push_back(std::move(node));
    }
    if (out.children.empty())
        return constant(is_and);
    if (out.children.size() == 1) {
        Node only = std::move(out.children[0]);
        return only;
    }
    return out;
}

Node Selector::compile_hour(const Condition &leaf) {
    HourLeaf out{leaf.comparison, leaf.hours};
    std::sort(out.hours.begin(), out.hours.end());
    if (auto decided = out.decided(header_.hour_min, header_.hour_max))
        return constant(*decided);
    hour_leaves_.push_back(std::move(out));
    return {Node::Kind::hour, hour_leaves_.size() - 1, {}};
}

// The ids that a comparison leaves, out of [0, n), when `found` are those that it names.
std::vector<Range> outside(const std::vector<Range> &found, uint32_t n) {
    std::vector<Range> out;
    uint32_t begin = 0;
    for (Range range : found) {
        append(out, {begin, range.begin});
        begin = range.end;
    }
    append(out, {begin, n});
    return out;
}

Node Selector::compile_text(const Condition &leaf) {
    size_t text = text_index(leaf.dimension);
    uint32_t n = header_.names[text];
    Comparison comparison = leaf.comparison;
    TextLeaf out{text, {}, n};
    if (comparison == Comparison::in || comparison == Comparison::not_in) {
        std::vector<Range> found;
        for (const std::string &name : leaf.names)
            if (Range id = segment_.find_name(text, name); id.size() != 0)
                found.push_back(id);
        std::sort(found.begin(), found.end(), [](Range a, Range b) { return a.begin < b.begin; });
        found.erase(std::unique(found.begin(), found.end()), found.end());
        for (Range id : found)
            append(out.ids, id);
    } else if (leaf.names.empty()) {
        return constant(false);
    } else if (comparison == Comparison::prefix || comparison == Comparison::not_prefix) {
        append(out.ids, segment_.find_prefix(text, leaf.names[0]));
    } else {
        auto names = segment_.names(text);
        std::string_view bound = leaf.names[0];
        bool upper = comparison == Comparison::less_equal || comparison == Comparison::greater;
        auto at = upper ? std::upper_bound(names.begin(), names.end(), bound)
                        : std::lower_bound(names.begin(), names.end(), bound);
        append(out.ids, {0, static_cast<uint32_t>(at - names.begin())});
    }
    if (comparison == Comparison::not_in || comparison == Comparison::not_prefix || comparison == Comparison::greater ||
        comparison == Comparison::greater_equal)
        out.ids = outside(out.ids, n);
    if (out.ids.empty())
        return constant(false);
    if (out.chosen() == n)
        return constant(true);
    text_leaves_.push_back(std::move(out));
    return {Node::Kind::text, text_leaves_.size() - 1, {}};
}

// In one hour every key has one cell, so cell and key are the same number.
bool Selector::is_ordered(const Node &root) const {
    return root.kind == Node::Kind::text && text_leaves_[root.leaf].text == 0 &&
           text_leaves_[root.leaf].ids.size() == 1 && header_.hours == 1 && header_.cells == header_.keys;
}

bool Selector::index_is_cheaper(const Condition &condition) {
    if (!header_.has_index)
        return false;
    HourRange bounds = hour_bounds(condition);
    uint64_t cells = 0;
    if (bounds.first <= header_.hour_min && bounds.last >= header_.hour_max)
        cells = header_.cells;
    else
        for (const HourEntry &hour : segment_.hours())
            if (hour.hour >= bounds.first && hour.hour <= bounds.last)
                cells += hour.cells.size();
    uint64_t bitmaps = 0;
    for (const TextLeaf &leaf : text_leaves_)
        bitmaps += leaf.bitmaps();
    return bitmaps * bitmap_cost < cells + text_leaves_.size() * (header_.keys / keys_per_cell_cost);
}

std::vector<Range> Selector::select(const Condition &condition, SelectWay way) {
    Node root = compile(condition);
    if (root.kind == Node::Kind::none)
        return {};
    if (root.kind == Node::Kind::all)
        return {{0, header_.cells}};
    if ((way == SelectWay::by_cost || way == SelectWay::order) && is_ordered(root)) {
        std::vector<Range> out;
        append(out, segment_.keys_of_src_apps(text_leaves_[root.leaf].ids[0]));
        return out;
    }
    bool index = way == SelectWay::index
                     ? header_.has_index
                     : way == SelectWay::by_cost && !text_leaves_.empty() && index_is_cheaper(condition);
    return index ? by_index(root) : by_scan(root);
}

// ------------------------------------------------------------------------------------------------ index

Bitmap Selector::cells_of_hours(const HourLeaf &leaf) {
    std::vector<Range> ranges;
    for (const HourEntry &hour : segment_.hours())
        if (leaf.matches(hour.hour))
            append(ranges, hour.cells);
    Bitmap out;
    for (Range range : ranges)
        out.add_range(range.begin, range.end);
    return out;
}

CellSet Selector::cells_of_names(const TextLeaf &leaf) {
    CellSet out;
    out.complement = leaf.fewer_outside();
    for (Range ids : out.complement ? outside(leaf.ids, leaf.names) : leaf.ids)
        for (uint32_t id = ids.begin; id < ids.end; ++id) {
            Bitmap cells = segment_.name_cells(leaf.text, id);
            if (!cells.empty() && cells.maximum() >= header_.cells)
                throw_corrupted("The inverted index names a cell that the segment has not.");
            out.cells |= cells;
            if (++stats_.index_bitmaps % 256 == 0)
                poll();
        }
    return out;
}

CellSet Selector::cells_of(const Node &node) {
    if (node.kind == Node::Kind::hour)
        return {cells_of_hours(hour_leaves_[node.leaf]), false};
    if (node.kind == Node::Kind::text)
        return cells_of_names(text_leaves_[node.leaf]);
    // By De Morgan, a disjunction is the complement of a conjunction of complements: one loop serves both.
    bool is_or = node.kind == Node::Kind::disjunction;
    CellSet out{Bitmap(), true}; // all cells
    for (const Node &child : node.children) {
        CellSet next = cells_of(child);
        next.complement ^= is_or;
        if (out.complement && next.complement)
            out.cells |= next.cells;
        else if (out.complement)
            out = {next.cells - out.cells, false};
        else
            out.cells = next.complement ? out.cells - next.cells : out.cells & next.cells;
        if (!out.complement && out.cells.empty())
            break;
    }
    out.complement ^= is_or;
    return out;
}

std::vector<Range> Selector::by_index(const Node &root) {
    CellSet set = cells_of(root);
    std::vector<Range> out;
    roaring_uint32_iterator_t at;
    roaring_iterator_init(set.cells.get(), &at);
    std::array<uint32_t, 4096> values;
    for (;;) {
        uint32_t n = roaring_uint32_iterator_read(&at, values.data(), values.size());
        for (uint32_t i = 0; i < n; ++i)
            append(out, {values[i], values[i] + 1});
        if (n < values.size())
            break;
        poll();
    }
    return set.complement ? outside(out, header_.cells) : out;
}

// ------------------------------------------------------------------------------------------------ scan

void Selector::decide_names(const TextLeaf &leaf, std::vector<uint8_t> &keys) {
    std::vector<uint8_t> chosen(leaf.names);
    for (Range range : leaf.ids)
        std::fill(chosen.begin() + range.begin, chosen.begin() + range.end, 1);
    auto ids = segment_.key_ids(leaf.text);
    keys.resize(ids.size());
    for (size_t k = 0; k < ids.size(); ++k)
        keys[k] = chosen[ids[k]];
}

// All, none, or kind `text` with an answer for each key.
Node::Kind Selector::decide_keys(const Node &node, const std::vector<bool> &hour_truths, std::vector<uint8_t> &keys) {
    if (node.kind == Node::Kind::hour)
        return hour_truths[node.leaf] ? Node::Kind::all : Node::Kind::none;
    if (node.kind == Node::Kind::text) {
        decide_names(text_leaves_[node.leaf], keys);
        return Node::Kind::text;
    }
    bool is_and = node.kind == Node::Kind::conjunction;
    Node::Kind neutral = is_and ? Node::Kind::all : Node::Kind::none;
    bool any = false;
    std::vector<uint8_t> child_keys;
    // Hours first: they may spare the keys.
    for (bool hours : {true, false})
        for (const Node &child : node.children) {
            if ((child.kind == Node::Kind::hour) != hours)
                continue;
            Node::Kind kind = decide_keys(child, hour_truths, any ? child_keys : keys);
            if (kind == neutral)
                continue;
            if (kind != Node::Kind::text)
                return kind;
            for (size_t k = 0; any && k < keys.size(); ++k)
                keys[k] = is_and ? keys[k] & child_keys[k] : keys[k] | child_keys[k];
            any = true;
        }
    return any ? Node::Kind::text : neutral;
}

std::shared_ptr<Decision> Selector::decide(const Node &root, std::vector<bool> hour_truths) {
    for (const auto &decision : decisions_)
        if (decision->hour_truths == hour_truths)
            return decision;
    auto out = std::make_shared<Decision>();
    out->kind = decide_keys(root, hour_truths, out->keys);
    out->hour_truths = std::move(hour_truths);
    if (decisions_.size() < decisions_kept)
        decisions_.push_back(out);
    else
        decisions_[next_decision_++ % decisions_kept] = out;
    return out;
}

void Selector::flush(std::vector<Range> &out) {
    if (pending_.empty())
        return;
    uint32_t end = pending_.back().first.end;
    Range window{pending_[0].first.begin, pending_[0].first.begin};
    for (const auto &[cells, decision] : pending_)
        for (uint32_t cell = cells.begin; cell < cells.end; ++cell) {
            if (cell == window.end) {
                window = {cell, cell + std::min(scan_chunk, end - cell)};
                segment_.read_cell_keys(window, chunk_);
                stats_.cells_scanned += window.size();
                poll();
            }
            if (decision->keys[chunk_[cell - window.begin]])
                append(out, {cell, cell + 1});
        }
    pending_.clear();
    pending_changes_ = 0;
}

std::vector<Range> Selector::by_scan(const Node &root) {
    std::vector<Range> out;
    std::vector<bool> truths(hour_leaves_.size());
    auto add = [&](Range cells) {
        auto decision = decide(root, truths);
        bool some = decision->kind == Node::Kind::text;
        // What is pending is scanned at once: it must not have gaps, nor hold decisions without end.
        bool gap = !pending_.empty() && pending_.back().first.end != cells.begin;
        pending_changes_ += !pending_.empty() && pending_.back().second != decision;
        if (!some || gap || pending_changes_ >= decisions_kept || pending_.size() >= scan_chunk)
            flush(out);
        if (some)
            pending_.push_back({cells, std::move(decision)});
        else if (decision->kind == Node::Kind::all)
            append(out, cells);
    };
    if (hour_leaves_.empty()) {
        add({0, header_.cells});
    } else {
        uint32_t seen = 0;
        for (const HourEntry &hour : segment_.hours()) {
            for (size_t i = 0; i < hour_leaves_.size(); ++i)
                truths[i] = hour_leaves_[i].matches(hour.hour);
            add(hour.cells);
            if (++seen % 1024 == 0)
                poll();
        }
    }
    flush(out);
    return out;
}

} // namespace

std::vector<Range> select_cells(SegmentReader &segment, const Condition &condition, SelectStats *stats, SelectWay way) {
    SelectStats local;
    return Selector(segment, stats != nullptr ? *stats : local).select(condition, way);
}

} // namespace fas
