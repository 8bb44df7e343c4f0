// Reads Parquet files through Apache Arrow, batch by batch. No exception and no C++ type leaves this file.
#include "ParquetReader.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

struct ParquetFile {
    std::unique_ptr<parquet::arrow::FileReader> file;
    std::unique_ptr<arrow::RecordBatchReader> batches;
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

arrow::Status open_file(ParquetFile &opened, const char *path, const std::set<std::string> &skipped, int64_t batch_bytes) {
    // The system's allocator gives memory back, and a buffered stream reads a column page by page: a row group may be larger
    // than memory.
    arrow::MemoryPool *pool = arrow::system_memory_pool();
    parquet::ReaderProperties properties(pool);
    properties.enable_buffered_stream();
    properties.set_buffer_size(1 << 20);

    ARROW_ASSIGN_OR_RAISE(auto source, arrow::io::ReadableFile::Open(path, pool));
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(source, properties));

    const auto metadata = builder.raw_reader()->metadata();
    std::vector<int> groups, columns;
    int64_t bytes = 0;
    for (int group = 0; group < metadata->num_row_groups(); group++) {
        groups.push_back(group);
        bytes += metadata->RowGroup(group)->total_byte_size();
    }
    for (int column = 0; column < metadata->num_columns(); column++) {
        if (!skipped.count(metadata->schema()->GetColumnRoot(column)->name())) columns.push_back(column);
    }

    parquet::ArrowReaderProperties settings(/*use_threads=*/false);
    settings.set_pre_buffer(false);
    const int64_t row_bytes = std::max<int64_t>(1, bytes / std::max<int64_t>(1, metadata->num_rows()));
    settings.set_batch_size(std::clamp<int64_t>(batch_bytes / row_bytes, 1, 4096));
    builder.memory_pool(pool)->properties(settings);
    ARROW_ASSIGN_OR_RAISE(opened.file, builder.Build());
    ARROW_ASSIGN_OR_RAISE(opened.batches, opened.file->GetRecordBatchReader(groups, columns));
    return arrow::Status::OK();
}

ParquetFile *open(
    const char *path, const char *const *skipped, size_t skipped_count, int64_t batch_bytes, ArrowSchema *schema, char *error,
    size_t error_capacity) {
    auto opened = std::make_unique<ParquetFile>();
    const bool is_open = succeeds(error, error_capacity, [&] {
        ARROW_RETURN_NOT_OK(open_file(*opened, path, {skipped, skipped + skipped_count}, batch_bytes));
        return arrow::ExportSchema(*opened->batches->schema(), schema);
    });
    return is_open ? opened.release() : nullptr;
}

bool next(ParquetFile *file, ArrowArray *rows, char *error, size_t error_capacity) {
    rows->release = nullptr;
    return succeeds(error, error_capacity, [&] {
        std::shared_ptr<arrow::RecordBatch> batch;
        ARROW_RETURN_NOT_OK(file->batches->ReadNext(&batch));
        if (!batch) return arrow::Status::OK();
        // Offsets within bounds and text in UTF-8: whoever reads the arrays need not ask again.
        ARROW_RETURN_NOT_OK(batch->ValidateFull());
        return arrow::ExportRecordBatch(*batch, rows);
    });
}

void close(ParquetFile *file) { delete file; }

const ParquetReaderInterface interface = {PARQUET_READER_VERSION, open, next, close};

}  // namespace

extern "C" __attribute__((visibility("default"))) const ParquetReaderInterface *parquet_reader_interface(void) {
    return &interface;
}
