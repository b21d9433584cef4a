// See workload.hh.
#include "workload.hh"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <set>
#include <stdexcept>
#include <tuple>

namespace workload {
namespace {

const char *const services[] = {
    "accounts", "ads",     "alerts",   "auth",  "basket",   "billing",   "cache",   "catalog",  "checkout",
    "chat",     "config",  "coupons",  "crm",   "delivery", "directory", "edge",    "events",   "export",
    "feed",     "fraud",   "gateway",  "geo",   "identity", "images",    "import",  "index",    "invoice",
    "kafka",    "ledger",  "loyalty",  "mail",  "metrics",  "mongo",     "notify",  "orders",   "payments",
    "postgres", "pricing", "profile",  "proxy", "ratings",  "redis",     "reports", "returns",  "rules",
    "search",   "session", "shipping", "sms",   "stock",    "storage",   "tax",     "tracking", "translate",
    "users",    "vault",   "video",    "web",   "wishlist", "worker"};

const char *const teams[] = {"apac",   "atlas",    "aurora",   "backoffice", "blue",  "canary", "core",      "data",
                             "emea",   "falcon",   "finance",  "growth",     "infra", "latam",  "logistics", "market",
                             "mobile", "partners", "platform", "retail",     "risk",  "sre",    "studio",    "web"};

const char *const regions[] = {"eu-west", "eu-north", "us-east", "us-west", "ap-south"};
const char *const stages[] = {"prod", "shared", "edge", "staging"};

constexpr double popularity_exponent = 1.14; // Zipf-like: the weight of the key of rank r is (r + 3)^-1.14
constexpr double popularity_shift = 3.0;
constexpr double young_keys = 0.03; // share of keys born after the first hour

uint64_t rotate_left(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

// Busy in the afternoon, quiet before dawn.
double volume_of_hour(uint32_t hour) {
    return 1.0 + 0.45 * std::sin(2.0 * std::numbers::pi * (static_cast<double>(hour % 24) - 9.0) / 24.0);
}

uint64_t bytes_of_log(double log_bytes) {
    double bytes = std::exp(std::min(log_bytes, 30.0));
    return bytes < 40.0 ? 40 : static_cast<uint64_t>(bytes);
}

} // namespace

Random::Random(uint64_t seed) {
    for (uint64_t &word : state_) {
        seed += 0x9e3779b97f4a7c15ULL;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        word = z ^ (z >> 31);
    }
}

uint64_t Random::next() {
    uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate_left(state_[3], 45);
    return result;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

uint32_t Random::below(uint32_t bound) {
    return static_cast<uint32_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
}

double Random::normal() {
    if (has_spare_) {
        has_spare_ = false;
        return spare_;
    }
    double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    double angle = 2.0 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
}

Workload::Workload(const Options &options) : options_(options), random_(options.seed) {
    if (options_.apps == 0)
        options_.apps = std::max(4u, options_.keys * 3 / 10);
    if (options_.keys == 0 || options_.hours == 0 || options_.vpcs == 0)
        throw std::invalid_argument("keys, hours and vpcs must be at least 1");
    if (static_cast<double>(options_.keys) > 0.25 * options_.apps * options_.apps)
        throw std::invalid_argument("so many keys need more apps");
    name_apps();
    draw_keys();
    plan_hours();
}

// service-team-index, as a company that grew would have them.
void Workload::name_apps() {
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> taken;
    for (uint32_t i = 0; i < options_.apps; ++i) {
        uint32_t service = random_.below(std::size(services));
        uint32_t team = random_.below(std::size(teams));
        uint32_t index = ++taken[{service, team}];
        std::string number = index < 10 ? "0" + std::to_string(index) : std::to_string(index);
        apps_.push_back(std::string(services[service]) + "-" + teams[team] + "-" + number);
    }
    for (uint32_t i = 0; i < options_.vpcs; ++i) {
        std::string name = std::string("vpc-") + regions[i % std::size(regions)] + "-" +
                           stages[i / std::size(regions) % std::size(stages)];
        uint32_t round = i / static_cast<uint32_t>(std::size(regions) * std::size(stages));
        vpcs_.push_back(round == 0 ? name : name + "-" + std::to_string(round + 1));
    }
}

// Who talks to whom: any app sends, a few are what everybody talks to; mostly within the sender's own VPC.
void Workload::draw_keys() {
    std::vector<uint32_t> home(options_.apps);
    for (uint32_t &vpc : home)
        vpc = static_cast<uint32_t>(options_.vpcs * std::pow(random_.uniform(), 1.5));
    std::set<std::tuple<uint32_t, uint32_t, uint32_t>> seen;
    std::vector<double> weights;
    while (keys_.size() < options_.keys) {
        uint32_t src = random_.below(options_.apps);
        uint32_t dest = static_cast<uint32_t>(options_.apps * std::pow(random_.uniform(), 2.0));
        uint32_t vpc = random_.uniform() < 0.9 ? home[src] : random_.below(options_.vpcs);
        if (src == dest || !seen.insert({src, dest, vpc}).second)
            continue;
        KeyProfile profile{};
        profile.log_tx = std::log(2500.0) + 1.2 * random_.normal();
        profile.log_rx = profile.log_tx + 0.7 + 1.2 * random_.normal();
        if (options_.hours > 1 && random_.uniform() < young_keys)
            profile.birth = 1 + random_.below(options_.hours - 1);
        weights.push_back(std::pow(static_cast<double>(keys_.size()) + popularity_shift, -popularity_exponent));
        keys_.push_back({src, dest, vpc});
        profiles_.push_back(profile);
    }
    profiles_[0].birth = 0; // so that every hour has a key to draw
    build_alias_table(weights);
}

// Walker's alias method: a draw by weight costs one random number.
void Workload::build_alias_table(const std::vector<double> &weights) {
    size_t n = weights.size();
    double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    alias_share_.assign(n, 1.0);
    alias_other_.resize(n);
    std::iota(alias_other_.begin(), alias_other_.end(), 0u);
    std::vector<double> scaled(n);
    std::vector<uint32_t> small, large;
    for (uint32_t i = 0; i < n; ++i) {
        scaled[i] = weights[i] * static_cast<double>(n) / sum;
        (scaled[i] < 1.0 ? small : large).push_back(i);
    }
    while (!small.empty() && !large.empty()) {
        uint32_t low = small.back(), high = large.back();
        small.pop_back();
        alias_share_[low] = scaled[low];
        alias_other_[low] = high;
        scaled[high] -= 1.0 - scaled[low];
        if (scaled[high] < 1.0) {
            large.pop_back();
            small.push_back(high);
        }
    }
}

void Workload::plan_hours() {
    hour_order_.resize(options_.hours);
    std::iota(hour_order_.begin(), hour_order_.end(), 0u);
    if (options_.shuffle_hours)
        for (uint32_t i = options_.hours - 1; i > 0; --i)
            std::swap(hour_order_[i], hour_order_[random_.below(i + 1)]);
    double sum = 0;
    for (uint32_t hour = 0; hour < options_.hours; ++hour)
        sum += volume_of_hour(hour);
    double reached = 0;
    uint64_t planned = 0;
    for (uint32_t hour = 0; hour < options_.hours; ++hour) {
        reached += volume_of_hour(hour);
        uint64_t upto = hour + 1 == options_.hours
                            ? options_.flows
                            : static_cast<uint64_t>(static_cast<double>(options_.flows) * reached / sum);
        hour_flows_.push_back(upto - planned);
        planned = upto;
    }
}

uint32_t Workload::draw_key(uint32_t hour) {
    for (int attempt = 0; attempt < 64; ++attempt) {
        uint32_t key = random_.below(options_.keys);
        if (random_.uniform() >= alias_share_[key])
            key = alias_other_[key];
        if (profiles_[key].birth <= hour)
            return key;
    }
    return 0;
}

bool Workload::next(Flow &flow) {
    while (position_ < hour_order_.size() && sent_in_hour_ == hour_flows_[hour_order_[position_]]) {
        ++position_;
        sent_in_hour_ = 0;
    }
    if (position_ == hour_order_.size())
        return false;
    ++sent_in_hour_;
    uint32_t hour = hour_order_[position_];
    flow.late = options_.late_hours > 0 && random_.uniform() < options_.late;
    if (flow.late) {
        uint32_t by = 1 + random_.below(options_.late_hours);
        flow.late = by <= hour;
        hour -= std::min(by, hour);
    }
    flow.hour = options_.first_hour + hour;
    flow.key = draw_key(hour);
    const KeyProfile &profile = profiles_[flow.key];
    double size = 0.9 * random_.normal();
    double own = 0.5 * random_.normal();
    if (random_.uniform() < 0.004)
        size += 3.0 + 2.0 * random_.uniform(); // an elephant: a backup, a bulk export
    flow.bytes_tx = bytes_of_log(profile.log_tx + size);
    flow.bytes_rx = random_.uniform() < 0.01 ? 0 : bytes_of_log(profile.log_rx + size + own); // 1%: no answer came
    return true;
}

} // namespace workload
