// The canonical form of flows: the bytes themselves, whatever the pieces.
#include <gtest/gtest.h>

#include "core/digest.hh"
#include "sample.hh"

using namespace fas;

namespace {

void append(void *state, const uint8_t *bytes, size_t size) noexcept {
    auto *out = static_cast<std::vector<std::string> *>(state);
    out->emplace_back(reinterpret_cast<const char *>(bytes), size);
}

std::vector<std::string> pieces_of(const std::vector<sample::Flow> &flows) {
    std::vector<std::string> pieces;
    FlowDigest digest(append, &pieces);
    for (const sample::Flow &flow : flows)
        digest.add(flow.view());
    digest.finish();
    return pieces;
}

std::string bytes_of(const std::vector<sample::Flow> &flows) {
    std::string out;
    for (const std::string &piece : pieces_of(flows))
        out += piece;
    return out;
}

} // namespace

TEST(Digest, BytesAreTheDocumentedOnes) {
    std::string expected("\2\0\0\0ab\1\0\0\0c\3\0\0\0v,v\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0", 38);
    EXPECT_EQ(bytes_of({{3, {"ab", "c", "v,v"}, {1, 2}}}), expected);
    EXPECT_TRUE(pieces_of({}).empty());
}

TEST(Digest, DifferentFlowsHaveDifferentBytes) {
    sample::Flow flow{3, {"ab", "c", "v"}, {1, 2}};
    const std::string bytes = bytes_of({flow, flow});
    sample::Flow other = flow;
    other.names = {"a", "bc", "v"};
    EXPECT_NE(bytes_of({other, flow}), bytes);
    EXPECT_NE(bytes_of({flow, other}), bytes_of({other, flow})); // the order counts
    EXPECT_NE(bytes_of({flow}), bytes);
    other = flow;
    other.metrics = {2, 1};
    EXPECT_NE(bytes_of({other, flow}), bytes);
    other = flow;
    other.hour = 4;
    EXPECT_NE(bytes_of({other, flow}), bytes);
}

TEST(Digest, PiecesAreOfKilobytes) {
    sample::Random random(1);
    std::vector<sample::Flow> flows = sample::flows(random, 5000);
    flows[100].names[1] = std::string(100000, 'x'); // longer than any piece
    std::vector<std::string> pieces = pieces_of(flows);
    std::string expected;
    for (const sample::Flow &flow : flows)
        expected += bytes_of({flow});
    EXPECT_EQ(bytes_of(flows), expected);
    EXPECT_LT(pieces.size(), expected.size() / 4000);
}

TEST(Digest, TeeFeedsBoth) {
    std::vector<std::string> first, second;
    FlowDigest a(append, &first), b(append, &second);
    TeeSink tee(a, b);
    tee.add({3, {"x", "y", "z"}, {1, 2}});
    a.finish();
    b.finish();
    EXPECT_FALSE(first.empty());
    EXPECT_EQ(first, second);
}
