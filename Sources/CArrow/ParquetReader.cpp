// Reads Parquet files through Apache Arrow, batch by batch. No exception and no C++ type leaves this file.
#include "ParquetReader.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

struct ParquetFile {
    std::unique_ptr<parquet::arrow::FileReader> file;
    std::unique_ptr<arrow::RecordBatchReader> batches;
    // How many rows the next batch has.
    int64_t batch_rows = 1;
};

namespace {

// Runs code that may fail in either of Arrow's ways; its reason goes to `error`.
template <typename Body>
bool succeeds(char *error, size_t capacity, Body body) {
    try {
        arrow::Status status = body();
        if (status.ok()) return true;
        std::snprintf(error, capacity, "%s", status.message().c_str());
    } catch (const std::exception &exception) {
        std::snprintf(error, capacity, "%s", exception.what());
    } catch (...) {
        std::snprintf(error, capacity, "an unknown failure");
    }
    return false;
}

arrow::Status open_file(ParquetFile &opened, const char *path) {
    // The system's allocator gives memory back, and a buffered stream reads a column page by page: a row group may be larger
    // than memory.
    arrow::MemoryPool *pool = arrow::system_memory_pool();
    parquet::ReaderProperties properties(pool);
    properties.enable_buffered_stream();
    properties.set_buffer_size(1 << 20);

    ARROW_ASSIGN_OR_RAISE(auto source, arrow::io::ReadableFile::Open(path, pool));
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(source, properties));
    parquet::ArrowReaderProperties settings(/*use_threads=*/false);
    settings.set_pre_buffer(false);
    builder.memory_pool(pool)->properties(settings);
    return builder.Build().Value(&opened.file);
}

ParquetFile *open(const char *path, ArrowSchema *schema, char *error, size_t error_capacity) {
    auto opened = std::make_unique<ParquetFile>();
    const bool is_open = succeeds(error, error_capacity, [&] {
        ARROW_RETURN_NOT_OK(open_file(*opened, path));
        std::shared_ptr<arrow::Schema> described;
        ARROW_RETURN_NOT_OK(opened->file->GetSchema(&described));
        return arrow::ExportSchema(*described, schema);
    });
    return is_open ? opened.release() : nullptr;
}

// Rows of a batch: enough that what each batch costs beside them does not show.
constexpr int64_t most_rows = 256;

bool choose(
    ParquetFile *file, const int32_t *chosen, size_t count, ArrowSchema *schema, char *error, size_t error_capacity) {
    return succeeds(error, error_capacity, [&] {
        const auto metadata = file->file->parquet_reader()->metadata();
        const auto *root = metadata->schema()->group_node();
        std::vector<int> groups(metadata->num_row_groups()), columns;
        std::iota(groups.begin(), groups.end(), 0);
        // What a user calls a column may be many in the file, one for each part of it.
        for (int column = 0; column < metadata->num_columns(); column++) {
            if (std::binary_search(chosen, chosen + count, root->FieldIndex(*metadata->schema()->GetColumnRoot(column)))) {
                columns.push_back(column);
            }
        }
        // Batches without columns are all made at once, and take no memory that counts.
        file->batch_rows = columns.empty() ? most_rows : 1;
        file->file->set_batch_size(file->batch_rows);
        ARROW_ASSIGN_OR_RAISE(file->batches, file->file->GetRecordBatchReader(groups, columns));
        return arrow::ExportSchema(*file->batches->schema(), schema);
    });
}

// The memory of the dictionaries of an array: a batch has them whole, however few its rows are.
int64_t dictionary_bytes(const arrow::ArrayData &data) {
    int64_t bytes = data.dictionary ? arrow::util::TotalBufferSize(*data.dictionary) : 0;
    for (const auto &child : data.child_data) bytes += dictionary_bytes(*child);
    return bytes;
}

// How many rows come next. What rows take in the file says little of what they take in memory, where a text that is repeated is there
// each time: the last rows tell, and the numbers grow step by step from one row on.
int64_t next_rows(const arrow::RecordBatch &last, int64_t bytes, int64_t last_rows, int64_t batch_bytes) {
    for (const auto &column : last.column_data()) bytes -= dictionary_bytes(*column);
    const int64_t row_bytes = std::max<int64_t>(1, bytes / std::max<int64_t>(1, last.num_rows()));
    return std::clamp<int64_t>(batch_bytes / row_bytes, 1, std::min(most_rows, 4 * last_rows));
}

bool next(
    ParquetFile *file, int64_t batch_bytes, ArrowArray *rows, int64_t *byte_count, char *error, size_t error_capacity) {
    rows->release = nullptr;
    return succeeds(error, error_capacity, [&] {
        std::shared_ptr<arrow::RecordBatch> batch;
        file->file->set_batch_size(file->batch_rows);
        ARROW_RETURN_NOT_OK(file->batches->ReadNext(&batch));
        if (!batch) return arrow::Status::OK();
        // Offsets within bounds and text in UTF-8: whoever reads the arrays need not ask again.
        ARROW_RETURN_NOT_OK(batch->ValidateFull());
        *byte_count = arrow::util::TotalBufferSize(*batch);
        file->batch_rows = next_rows(*batch, *byte_count, file->batch_rows, batch_bytes);
        return arrow::ExportRecordBatch(*batch, rows);
    });
}

void close(ParquetFile *file) { delete file; }

const ParquetReaderInterface interface = {PARQUET_READER_VERSION, open, choose, next, close};

}  // namespace

extern "C" __attribute__((visibility("default"))) const ParquetReaderInterface *parquet_reader_interface(void) {
    return &interface;
}
