// The system's libzstd, which opens `.zst` files.
#include <zstd.h>
