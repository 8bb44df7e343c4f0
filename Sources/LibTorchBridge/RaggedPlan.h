// How ragged attention divides its work: who attends to whom, and in which order and portions.
#pragma once

#include <cstdint>
#include <vector>

namespace rto::ragged {

/// Lanes, that is query heads at positions, are processed in blocks of this many: they fill the same cache.
constexpr int64_t BLOCK = 64;
/// Keys are visited in tiles of this many, a multiple of MICRO_ROWS.
constexpr int64_t TILE = 48;
/// Rows of keys, packed and padded, come in multiples of this many: the height of a micro-kernel.
constexpr int64_t MICRO_ROWS = 6;

/// Stands for a window that reaches back over everything; positions are smaller.
constexpr int64_t NO_WINDOW = int64_t(1) << 30;

/// No family is cut into more slices than this.
constexpr int64_t MOST_SLICES = 8;

constexpr int64_t rounded_up(int64_t count, int64_t multiple) { return (count + multiple - 1) / multiple * multiple; }

/// A segment of the batch: its tokens, and the row of its first key where its family's keys are packed.
struct Run {
    int64_t start, length, row;
};

/// Consecutive lanes of a run, at most BLOCK: lane n is head n % group of the key-value head at position n / group.
struct Block {
    int64_t run, first, count;
};

/// A parent and its children, or a segment alone: run 0 is the parent. Nothing of a family is seen outside.
struct Family {
    std::vector<Run> runs;
    std::vector<Block> blocks;
    /// Rows of packed keys.
    int64_t rows = 0;
    /// Where its slices are among the plan's.
    int64_t first_slice = 0, slice_count = 0;
};

/// Consecutive blocks of a family: what one thread does at a time, once for each key-value head.
struct Slice {
    const Run *runs;
    int64_t run_count;
    const Block *blocks;
    int64_t block_count;
    /// Its family, rows of the family's packed keys, and query heads to a key-value head.
    int64_t family, rows, group;
    /// Scores computed.
    int64_t cost;

    /// How many keys of a run the slice's queries see.
    int64_t keys_used(int64_t run) const {
        const Block &first = blocks[0], &last = blocks[block_count - 1];
        if (run == last.run) return (last.first + last.count - 1) / group + 1;
        return (run >= first.run && run < last.run) || run == 0 ? runs[run].length : 0;
    }
};

struct Plan {
    std::vector<Family> families;
    std::vector<Slice> slices;
    /// Rows of the largest family.
    int64_t most_rows = 0;
    /// All tokens belong to a segment.
    bool covers_all;

    /// Segments are triples of start, length and parent (or -1).
    Plan(const std::vector<int64_t> &triples, int64_t tokens, int64_t group, int64_t window);
    Plan(const Plan &) = delete;
};

}  // namespace rto::ragged
