// What products with packed weights are made of, for functions that do more in one go than multiply: see MatrixProduct.cpp.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>

#include "Parallel.h"

namespace rto {

/// Rows of A as the kernels read them: element (row, k) is at data[k · step + row], in blocks of so many rows as fill a tile.
struct PackedRows {
    const float *data;
    int64_t step;

    PackedRows from(int64_t row, int64_t depth) const { return {data + row * depth, step}; }
    PackedRows deeper(int64_t k) const { return {data + k * step, step}; }
};

/// The sizes of a tile: rows that are packed together, and columns of a panel.
struct TileSizes {
    int64_t rows, columns;
};

/// Those of the processor at hand.
TileSizes tile_sizes();

/// The panels of a packed weight of `depth` inputs, float32 or bfloat16, whatever its elements are.
struct PackedPanels {
    const void *data;
    at::ScalarType type;
    int64_t depth;

    /// Packs `count` rows of the weight's type, `row_stride` elements apart, in the calling thread's memory.
    PackedRows rows(const void *first, int64_t row_stride, int64_t count) const;

    /// C[count, width] = or += rows · columns [column, column + width) on the calling thread, in the weight's type; C's rows are
    /// `row_stride` elements apart. The first column begins a panel.
    void multiply(
        PackedRows rows, int64_t count, int64_t column, int64_t width, void *c, int64_t row_stride, bool accumulates) const;
};

/// How a product is shared among threads: blocks of rows and groups of whole panels of columns, claimed by whichever thread is
/// free. Who computes an element does not change it.
class PanelTasks {
    int64_t rows, columns, threads, height, blocks, width, groups;

   public:
    /// `depth` is how many multiplications an element of a task takes.
    PanelTasks(int64_t rows, int64_t columns, int64_t depth);

    /// Calls `pack(row, count)` for each block that a thread takes part in, and `work(packed, row, count, column, width)` for
    /// each of its tasks.
    template <typename Pack, typename Work>
    void run(const Pack &pack, const Work &work) const {
        std::atomic<int64_t> next{0};
        in_parallel(std::min(threads, blocks * groups), [&](int64_t) {
            PackedRows packed{};
            int64_t packed_block = -1;
            for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < blocks * groups;) {
                int64_t block = task / groups, row = block * height, count = std::min(height, rows - row);
                int64_t column = task % groups * width;
                if (block != packed_block) packed = pack(row, count);
                packed_block = block;
                work(packed, row, count, column, std::min(width, columns - column));
            }
        });
    }
};

}  // namespace rto
