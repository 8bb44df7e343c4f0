// PCRE2 is compiled for one width of code unit at a time; text here is UTF-8.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
