// OpenSSL's libcrypto, which makes digests.
#include <openssl/evp.h>
