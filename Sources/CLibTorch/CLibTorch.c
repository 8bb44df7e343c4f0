#include "CLibTorch.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

const LibTorchInterface *libtorch_open(const char *path, char *error, size_t error_capacity) {
    // OpenMP reads this when it is loaded. By default its threads spin for milliseconds at every barrier, which on a machine
    // with other work costs more than twenty times the work itself (measured: 286 s against 18 s); soon asleep, they lose
    // nothing that a quiet machine would notice.
    setenv("GOMP_SPINCOUNT", "1000", 0);
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!library) {
        const char *reason = dlerror();
        snprintf(error, error_capacity, "%s", reason ? reason : "the library could not be opened");
        return NULL;
    }
    const LibTorchInterface *(*table)(void) = (const LibTorchInterface *(*)(void))dlsym(library, "libtorch_interface");
    if (!table) {
        snprintf(error, error_capacity, "%s holds no libtorch_interface", path);
        return NULL;
    }
    const LibTorchInterface *interface = table();
    if (interface->version != LIBTORCH_INTERFACE_VERSION) {
        snprintf(error, error_capacity, "%s is of another build: rebuild with ./rto", path);
        return NULL;
    }
    return interface;
}
