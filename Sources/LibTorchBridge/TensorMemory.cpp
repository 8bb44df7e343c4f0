#include "TensorMemory.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>

namespace {

/// Whole pages, kept when they are freed and given out again in blocks of other sizes.
///
/// A training step frees and asks for gigabytes, in sizes that change with its tokens. The C library hands such memory back to
/// the system, which clears every page that comes again, or keeps blocks that nothing fits into. Here pages are never more, used
/// and spare, than have been in use at once.
class Pages {
  public:
    static constexpr size_t unit = 4096;

    /// A block of a multiple of the unit; null if the system has no more.
    void *take(size_t size) {
        std::lock_guard lock(mutex);
        void *start = reused(size);
        if (start == nullptr) start = mapped(size);
        if (start == nullptr) {
            keep_spare(0);
            start = mapped(size);
        }
        if (start == nullptr) return nullptr;
        used[start] = size;
        used_bytes += size;
        most_used = std::max(most_used, used_bytes);
        keep_spare(most_used - used_bytes);
        return start;
    }

    /// Whether the block was one of these.
    bool give_back(void *start) {
        std::lock_guard lock(mutex);
        auto found = used.find(start);
        if (found == used.end()) return false;
        used_bytes -= found->second;
        add_spare(start, found->second);
        used.erase(found);
        return true;
    }

    size_t bytes_in_use() {
        std::lock_guard lock(mutex);
        return used_bytes;
    }

    void return_spare() {
        std::lock_guard lock(mutex);
        keep_spare(0);
    }

  private:
    using Spare = std::multimap<size_t, void *>;

    std::mutex mutex;
    std::unordered_map<void *, size_t> used;
    Spare spare;
    size_t used_bytes = 0, spare_bytes = 0, most_used = 0;

    static void *after(void *start, size_t distance) { return static_cast<char *>(start) + distance; }

    static void *mapped(size_t size) {
        void *start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return start == MAP_FAILED ? nullptr : start;
    }

    void add_spare(void *start, size_t size) {
        spare.emplace(size, start);
        spare_bytes += size;
    }

    void remove_spare(Spare::iterator block) {
        spare_bytes -= block->first;
        spare.erase(block);
    }

    /// The smallest spare block that is large enough, of which the rest stays spare, or the largest one, which is made longer.
    void *reused(size_t size) {
        if (spare.empty()) return nullptr;
        auto block = spare.lower_bound(size);
        bool fits = block != spare.end();
        if (!fits) block = std::prev(block);
        auto [length, start] = *block;
        if (!fits) {
#ifdef __linux__
            void *longer = mremap(start, length, size, MREMAP_MAYMOVE);
            if (longer == MAP_FAILED) return nullptr;
            remove_spare(block);
            return longer;
#else
            return nullptr;
#endif
        }
        remove_spare(block);
        if (length > size) add_spare(after(start, size), length - size);
        return start;
    }

    /// Gives spare pages back to the system until there are at most so many bytes of them, the shortest blocks first.
    void keep_spare(size_t limit) {
        while (spare_bytes > limit) {
            auto block = spare.begin();
            auto [length, start] = *block;
            size_t excess = std::min(length, spare_bytes - limit);
            remove_spare(block);
            if (length > excess) add_spare(start, length - excess);
            munmap(after(start, length - excess), excess);
        }
    }
};

/// Lives as long as the process: tensors may outlive everything else.
Pages &pages() {
    static auto *shared = new Pages;
    return *shared;
}

/// Pages for large tensors, LibTorch's own allocator for small ones.
class TensorMemory : public c10::Allocator {
  public:
    explicit TensorMemory(c10::Allocator *others) : others(others) { others_deleter = others->raw_deleter(); }

    c10::DataPtr allocate(size_t size) override {
        if (size >= least_size) {
            void *start = pages().take((size + Pages::unit - 1) / Pages::unit * Pages::unit);
            if (start != nullptr) return {start, start, &give_back, c10::Device(c10::DeviceType::CPU)};
        }
        return others->allocate(size);  // which says why where there is no memory
    }

    c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

    void copy_data(void *target, const void *source, size_t size) const override { std::memcpy(target, source, size); }

  private:
    static constexpr size_t least_size = size_t(1) << 18;

    c10::Allocator *others;
    static inline c10::DeleterFnPtr others_deleter = nullptr;

    static void give_back(void *start) {
        if (!pages().give_back(start)) others_deleter(start);
    }
};

}  // namespace

void rto::install_tensor_memory() {
    static const bool once = [] { return c10::SetCPUAllocator(new TensorMemory(c10::GetCPUAllocator())), true; }();
    (void)once;
}

int64_t rto::used_memory() { return static_cast<int64_t>(pages().bytes_in_use()); }

void rto::return_spare_memory() { pages().return_spare(); }
