// A sequence of launches on an NVIDIA device that is recorded once and then started as a whole.
#pragma once

#include <cstdint>

namespace rto::cuda {

class Graph;

/// Calls `body` while the device's launches are recorded and not run. It has run before, so that everything it needs once is
/// there, and it must copy nothing to or from the processor; tensors that it makes keep their memory while the graph lives. Throws
/// where the build of LibTorch records no graphs.
Graph *record(int32_t device, void (*body)(void *), void *context);

/// Starts the recorded launches on the device's current stream.
void replay(Graph *graph);

void destroy(Graph *graph);

}  // namespace rto::cuda
