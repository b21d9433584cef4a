// See feed.hh.
#include "feed.hh"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <stdexcept>

namespace bench::flat {
namespace {

constexpr uint32_t first_hour = 480'000; // a multiple of 24: any later hour has six digits too, for 59 years
constexpr size_t hour_digits = 6;

void put_hour(char *at, uint32_t hour) { std::to_chars(at, at + hour_digits, hour); }

} // namespace

Feed::Feed(const FeedOptions &options) : options_(options) {
    // The second of two days, so that its stragglers find an earlier day and most keys are born.
    workload::Options drawn;
    drawn.seed = options.seed;
    drawn.flows = 2 * options.day_flows;
    drawn.hours = 48;
    drawn.first_hour = first_hour - 24;
    drawn.keys = options.keys;
    workload::Workload source(drawn);
    std::array<std::vector<workload::Flow>, 24> flows;
    workload::Flow flow{};
    uint32_t now = 0; // the hour in which flows arrive
    while (source.next(flow)) {
        now = std::max(now, flow.hour);
        if (now >= first_hour)
            flows[now - first_hour].push_back(flow);
    }
    for (uint32_t hour = 0; hour < 24; ++hour) {
        make_batches(source, hour, flows[hour]);
        batches_before_[hour + 1] = batches_before_[hour] + batches_[hour].size();
    }
    if (options.shuffled_days == 0)
        return;
    order_.resize(options.shuffled_days * 24);
    std::iota(order_.begin(), order_.end(), 0u);
    workload::Random random(options.seed + 1);
    for (uint32_t i = static_cast<uint32_t>(order_.size()) - 1; i > 0; --i)
        std::swap(order_[i], order_[random.below(i + 1)]);
    shuffled_before_.push_back(0);
    for (uint32_t hour : order_)
        shuffled_before_.push_back(shuffled_before_.back() + batches_[hour % 24].size());
}

void Feed::make_batches(const workload::Workload &names, uint32_t hour, const std::vector<workload::Flow> &flows) {
    for (size_t begin = 0; begin < flows.size(); begin += options_.batch) {
        Template made{"[", {}};
        for (size_t i = begin; i < std::min(flows.size(), begin + options_.batch); ++i) {
            const workload::FlowKey &key = names.keys()[flows[i].key];
            made.json += std::string(i == begin ? "" : ",") + "{\"src_app\":\"" + names.apps()[key.src_app] +
                         "\",\"dest_app\":\"" + names.apps()[key.dest_app] + "\",\"vpc_id\":\"" +
                         names.vpcs()[key.vpc_id] + "\",\"bytes_tx\":" + std::to_string(flows[i].bytes_tx) +
                         ",\"bytes_rx\":" + std::to_string(flows[i].bytes_rx) + ",\"hour\":";
            made.hours_at.push_back(static_cast<uint32_t>(made.json.size()));
            made.json += std::to_string(flows[i].hour) + "}";
        }
        made.json += ']';
        batches_[hour].push_back(std::move(made));
    }
}

Feed::Place Feed::place_of(uint64_t number) const {
    if (order_.empty()) {
        uint64_t day = number / batches_before_[24], rest = number % batches_before_[24];
        auto hour = std::upper_bound(batches_before_.begin(), batches_before_.end(), rest) - 1;
        return {static_cast<uint32_t>(24 * day) + static_cast<uint32_t>(hour - batches_before_.begin()), rest - *hour};
    }
    if (number >= shuffled_before_.back())
        throw std::out_of_range("the shuffled hours are used up");
    auto slot = std::upper_bound(shuffled_before_.begin(), shuffled_before_.end(), number) - 1;
    return {static_cast<uint32_t>(slot - shuffled_before_.begin()), number - *slot};
}

size_t Feed::write(uint64_t number, std::string &json) const {
    Place place = place_of(number);
    uint32_t hour = hour_of(place.slot), later = hour - hour % 24;
    const Template &from = batches_[hour % 24][place.batch];
    json = from.json;
    for (uint32_t at : from.hours_at) {
        uint32_t drawn = 0;
        std::from_chars(json.data() + at, json.data() + at + hour_digits, drawn);
        put_hour(json.data() + at, drawn + later);
    }
    return from.hours_at.size();
}

std::string Feed::csv(uint64_t number) const {
    std::string json, text;
    write(number, json);
    // {"src_app":"…","dest_app":"…","vpc_id":"…","bytes_tx":…,"bytes_rx":…,"hour":…}: the values, in the order of names
    for (size_t at = 0; (at = json.find("\":", at)) != std::string::npos;) {
        at += 2;
        bool quoted = json[at] == '"';
        size_t end = quoted ? json.find('"', at + 1) : json.find_first_of(",}", at);
        text.append(json, at + (quoted ? 1 : 0), end - at - (quoted ? 1 : 0));
        text += json[end] == '}' ? '\n' : ',';
    }
    return text;
}

uint64_t Feed::batches_of(uint64_t flows) const { return flows * batches_before_[24] / options_.day_flows; }

std::vector<uint32_t> Feed::hours_before(uint64_t number) const {
    std::vector<uint32_t> hours;
    for (uint32_t slot = 0; slot < place_of(number).slot; ++slot)
        hours.push_back(first_hour + hour_of(slot));
    return hours;
}

} // namespace bench::flat
