// What the Parquet reader and the program say to each other. The reader, ParquetReader.cpp, is compiled against Apache Arrow's
// libraries by scripts/parquet-reader when the first Parquet file is opened; the program opens it at run time and never links it.
#ifndef PARQUET_READER_H
#define PARQUET_READER_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The Arrow C data interface, as its specification defines it (https://arrow.apache.org/docs/format/CDataInterface.html).
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

// Raised with every change of the table below, so that a reader of another build is compiled again.
#define PARQUET_READER_VERSION 2

typedef struct ParquetFile ParquetFile;

// Where a function fails, the reason is in `error`.
typedef struct ParquetReaderInterface {
    int32_t version;
    // Opens a file and describes all its columns. NULL where that fails.
    ParquetFile *(*open)(const char *path, struct ArrowSchema *schema, char *error, size_t error_capacity);
    // Chooses the columns that rows are read of, by their numbers in ascending order, and describes them as `next` hands them out.
    // Called once, before `next`. False where that fails.
    bool (*choose)(
        ParquetFile *file, const int32_t *columns, size_t count, struct ArrowSchema *schema, char *error, size_t error_capacity);
    // The next rows, which take about batch_bytes of memory as far as the rows before tell, and what they take indeed; an array without
    // `release` behind the last ones. False where that fails.
    bool (*next)(
        ParquetFile *file, int64_t batch_bytes, struct ArrowArray *rows, int64_t *byte_count, char *error, size_t error_capacity);
    void (*close)(ParquetFile *file);
} ParquetReaderInterface;

// The one symbol of the reader.
const ParquetReaderInterface *parquet_reader_interface(void);

#ifdef __cplusplus
}
#endif

#endif
