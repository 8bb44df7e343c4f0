// What crosses the C boundary: tensors as opaque handles, and LibTorch's exceptions as a status and a sentence.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace rto::handles {

inline thread_local std::string last_error_message;

/// Keeps the first line of LibTorch's message: the rest is a C++ back-trace.
inline void remember(const char *message) {
    last_error_message = message;
    last_error_message = last_error_message.substr(0, last_error_message.find("\nException raised from"));
}

template <typename Result, typename Body>
Result guarded(Result failure, Body &&body) {
    try {
        return body();
    } catch (const c10::Error &error) {
        remember(error.what_without_backtrace());
    } catch (const std::exception &error) {
        remember(error.what());
    }
    return failure;
}

// A tensor's handle is the intrusive pointer's raw pointer: one reference owned by whoever holds the handle.
inline const void *give(at::Tensor tensor) { return tensor.unsafeReleaseTensorImpl(); }

inline c10::TensorImpl *implementation(const void *handle) {
    return static_cast<c10::TensorImpl *>(const_cast<void *>(handle));
}

inline at::Tensor borrow(const void *handle) {
    return at::Tensor(c10::intrusive_ptr<c10::TensorImpl>::unsafe_reclaim_from_nonowning(implementation(handle)));
}

}  // namespace rto::handles
