// The one place that names the dimensions and metrics of a flow.
//
// Everything else in src/core and src/pg loops over these arrays, so that a further dimension or metric is a small
// change here, in the SQL script, and in the segment's format version.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fas {

using uint128 = unsigned __int128;

// `hour` is a number; the others are texts and form, in this order, the flow key.
enum class Dimension : uint8_t { hour = 0, src_app = 1, dest_app = 2, vpc_id = 3 };

inline constexpr size_t dimension_count = 4;
inline constexpr size_t text_dimension_count = 3;
inline constexpr size_t metric_count = 2;

inline constexpr std::array<std::string_view, dimension_count> dimension_names = {"hour", "src_app", "dest_app",
                                                                                  "vpc_id"};
inline constexpr std::array<std::string_view, metric_count> metric_names = {"bytes_tx", "bytes_rx"};

inline constexpr uint32_t max_hour = 0x7fffffff;              // 2^31 - 1: SQL's integer
inline constexpr uint64_t max_metric = 0x7fffffffffffffffULL; // 2^63 - 1: SQL's bigint

// Index of a text dimension in arrays of text_dimension_count: src_app 0, dest_app 1, vpc_id 2.
constexpr size_t text_index(Dimension d) { return static_cast<size_t>(d) - 1; }
constexpr Dimension text_dimension(size_t i) { return static_cast<Dimension>(i + 1); }

std::optional<Dimension> dimension_of_name(std::string_view name) noexcept;

// One flow as it arrives; the names point into the caller's memory.
struct FlowView {
    uint32_t hour = 0;
    std::array<std::string_view, text_dimension_count> names;
    std::array<uint64_t, metric_count> metrics{};
};

// What takes flows one by one: the segment builder, a digest. The views live during the call only.
class FlowSink {
  public:
    virtual ~FlowSink() = default;
    virtual void add(const FlowView &flow) = 0;
};

// The one aggregation: exact sums and the count. 2^64 flows of 2^63-1 bytes stay below 2^127: no overflow.
struct Totals {
    std::array<uint128, metric_count> sums{};
    uint64_t flows = 0;

    void add(const Totals &other) noexcept {
        for (size_t m = 0; m < metric_count; ++m)
            sums[m] += other.sums[m];
        flows += other.flows;
    }
    bool operator==(const Totals &) const = default;
};

} // namespace fas
