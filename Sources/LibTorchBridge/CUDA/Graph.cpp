#include "Graph.h"

#include <ATen/ATen.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace {

// LibTorch's own class, whose memory pool keeps what a graph uses apart from everything else. Its header asks for CUDA's, so its
// functions are looked up by the names that the compiler gives them; they are the same in LibTorch 2.11 to 2.13.
struct Functions {
    void (*construct)(void *graph, bool keeps_source);
    void (*destruct)(void *graph);
    void (*begin)(void *graph, std::pair<unsigned long long, unsigned long long> pool, int mode);
    void (*end)(void *graph);
    void (*replay)(void *graph);

    template <typename Pointer>
    static void find(Pointer &pointer, const char *name) {
        pointer = reinterpret_cast<Pointer>(dlsym(RTLD_DEFAULT, name));
        TORCH_CHECK(pointer, "this build of LibTorch records no CUDA graphs (it has no ", name, ")");
    }

    Functions() {
        find(construct, "_ZN2at4cuda9CUDAGraphC1Eb");
        find(destruct, "_ZN2at4cuda9CUDAGraphD1Ev");
        find(begin, "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");
        find(end, "_ZN2at4cuda9CUDAGraph11capture_endEv");
        find(replay, "_ZN2at4cuda9CUDAGraph6replayEv");
    }
};

const Functions &functions() {
    static const Functions found;
    return found;
}

/// Streams on which graphs were recorded that are gone. Each live graph has one of its own, since LibTorch gives the memory that
/// products use to a stream, and takes it back with a graph that was recorded there.
std::mutex idle_mutex;
std::vector<c10::Stream> idle_streams;

c10::Stream take_stream(const c10::impl::VirtualGuardImpl &streams, c10::Device device) {
    std::lock_guard<std::mutex> lock(idle_mutex);
    for (size_t i = 0; i < idle_streams.size(); i++)
        if (idle_streams[i].device() == device) {
            auto found = idle_streams[i];
            idle_streams.erase(idle_streams.begin() + static_cast<std::ptrdiff_t>(i));
            return found;
        }
    return streams.getStreamFromGlobalPool(device);
}

/// Other threads may go on using the device while this one records.
constexpr int THREAD_LOCAL_CAPTURE = 1;

}  // namespace

class rto::cuda::Graph {
    /// Several times what the class takes.
    alignas(64) unsigned char storage[4096];

public:
    const c10::Device device;
    const c10::Stream stream;

    explicit Graph(c10::Stream stream) : device(stream.device()), stream(stream) { functions().construct(storage, false); }
    ~Graph() {
        c10::DeviceGuard guard(device);
        functions().destruct(storage);
        std::lock_guard<std::mutex> lock(idle_mutex);
        idle_streams.push_back(stream);
    }
    Graph(const Graph &) = delete;

    void begin() { functions().begin(storage, {0, 0}, THREAD_LOCAL_CAPTURE); }
    void end() { functions().end(storage); }
    void replay() {
        c10::DeviceGuard guard(device);
        functions().replay(storage);
    }
};

rto::cuda::Graph *rto::cuda::record(int32_t index, void (*body)(void *), void *context) {
    c10::Device device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
    c10::DeviceGuard guard(device);
    c10::impl::VirtualGuardImpl streams(device.type());
    // The default stream records nothing.
    auto graph = std::make_unique<Graph>(take_stream(streams, device));
    struct StreamScope {
        const c10::impl::VirtualGuardImpl &streams;
        c10::Stream outer;
        ~StreamScope() { streams.exchangeStream(outer); }
    };
    streams.synchronizeDevice(device.index());
    StreamScope scope{streams, streams.exchangeStream(graph->stream)};
    graph->begin();
    body(context);
    graph->end();
    return graph.release();
}

void rto::cuda::replay(Graph *graph) { graph->replay(); }

void rto::cuda::destroy(Graph *graph) { delete graph; }
