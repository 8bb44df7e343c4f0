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
#define PARQUET_READER_VERSION 1

typedef struct ParquetFile ParquetFile;

typedef struct ParquetReaderInterface {
    int32_t version;
    // Opens a file and describes its rows, without the skipped columns; batches hold about batch_bytes. NULL, with the reason in
    // `error`, where that fails.
    ParquetFile *(*open)(
        const char *path, const char *const *skipped, size_t skipped_count, int64_t batch_bytes, struct ArrowSchema *schema,
        char *error, size_t error_capacity);
    // The next rows; an array without `release` behind the last ones. False, with the reason in `error`, where that fails.
    bool (*next)(ParquetFile *file, struct ArrowArray *rows, char *error, size_t error_capacity);
    void (*close)(ParquetFile *file);
} ParquetReaderInterface;

// The one symbol of the reader.
const ParquetReaderInterface *parquet_reader_interface(void);

#ifdef __cplusplus
}
#endif

#endif
