// The system's zlib, which opens `.gz` files.
#include <zlib.h>
