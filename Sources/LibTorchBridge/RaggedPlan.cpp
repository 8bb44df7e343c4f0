#include "RaggedPlan.h"

#include <algorithm>

namespace {

using namespace rto::ragged;

/// A family is cut into slices of about this many scores, but into few, since each of several slices has sums of its own for
/// the gradients of keys and values. That does not depend on the number of threads: nor do results.
constexpr int64_t SLICE_COST = 1 << 18;

/// Scores computed for a block: for every lane those that any lane sees, its last lane being at position `last`.
int64_t cost(const Family &family, const Block &block, int64_t group, int64_t window) {
    int64_t last = (block.first + block.count - 1) / group, first = block.first / group;
    int64_t seen = last + 1 + (block.run > 0 ? family.runs[0].length : 0);
    return rounded_up(block.count, 8) * std::min(seen, window + last - first);
}

void append_run(Family &family, int64_t start, int64_t length, int64_t group) {
    auto run = static_cast<int64_t>(family.runs.size());
    family.runs.push_back({start, length, family.rows});
    family.rows += rounded_up(length, MICRO_ROWS);
    for (int64_t first = 0; first < length * group; first += BLOCK)
        family.blocks.push_back({run, first, std::min(BLOCK, length * group - first)});
}

void append_slices(Family &family, int64_t index, int64_t group, int64_t window, std::vector<Slice> &slices) {
    family.first_slice = static_cast<int64_t>(slices.size());
    int64_t total = 0, done = 0;
    for (const auto &block : family.blocks) total += cost(family, block, group, window);
    int64_t count = std::clamp<int64_t>(total / SLICE_COST, 1, MOST_SLICES), made = 0;
    for (size_t begin = 0, end = 0; begin < family.blocks.size(); begin = end) {
        int64_t before = done;
        // Up to the next of `count` equal shares of the cost.
        while (end < family.blocks.size() && (end == begin || done < total * (made + 1) / count))
            done += cost(family, family.blocks[end++], group, window);
        made = std::max(made + 1, done * count / total);
        slices.push_back(
            {family.runs.data(), static_cast<int64_t>(family.runs.size()), family.blocks.data() + begin,
             static_cast<int64_t>(end - begin), index, family.rows, group, done - before});
    }
    family.slice_count = static_cast<int64_t>(slices.size()) - family.first_slice;
}

}  // namespace

rto::ragged::Plan::Plan(const std::vector<int64_t> &triples, int64_t tokens, int64_t group, int64_t window) {
    auto count = static_cast<int64_t>(triples.size()) / 3;
    std::vector<int64_t> place(count, -1);
    int64_t covered = 0;
    auto append = [&](int64_t i, bool children) {
        int64_t start = triples[3 * i], length = triples[3 * i + 1], parent = triples[3 * i + 2];
        if ((parent >= 0) != children) return;
        covered += length;
        if (!children) {
            place[i] = static_cast<int64_t>(families.size());
            families.push_back({});
        }
        append_run(families[place[children ? parent : i]], start, length, group);
    };
    for (int64_t i = 0; i < count; i++) append(i, false);
    for (int64_t i = 0; i < count; i++) append(i, true);
    covers_all = covered == tokens;
    for (size_t i = 0; i < families.size(); i++) {
        append_slices(families[i], static_cast<int64_t>(i), group, window, slices);
        most_rows = std::max(most_rows, families[i].rows);
    }
}
