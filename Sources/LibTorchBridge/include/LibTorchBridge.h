// Implements the table of CLibTorch.h. The library exports this one function.
#ifndef LIBTORCHBRIDGE_H
#define LIBTORCHBRIDGE_H

struct LibTorchInterface;

#ifdef __cplusplus
extern "C"
#endif
const struct LibTorchInterface *libtorch_interface(void);

#endif
