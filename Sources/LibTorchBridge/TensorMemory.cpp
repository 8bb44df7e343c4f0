#include "TensorMemory.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

namespace {

/// Whole pages, kept when they are freed and given out again in blocks of other sizes.
///
/// A training step frees and asks for gigabytes, in sizes that change with its tokens. The C library hands such memory back to
/// the system, which clears every page that comes again, or keeps blocks that nothing fits into. Here pages are never more, used
/// and spare, than have been in use at once and `slack`: without it small models spend their time giving pages back and forth.
class Pages {
  public:
    static constexpr size_t slack = size_t(64) << 20, huge_unit = size_t(2) << 20;

    explicit Pages(bool is_huge) : is_huge(is_huge) {}

    /// The bytes of a page.
    static size_t unit() {
        static const size_t size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        return size;
    }

    /// A block of a multiple of the unit; null if the system has no more.
    void *take(size_t size) {
        std::lock_guard lock(mutex);
        void *start = reused(size);
        // A longer block is moved, and its new pages are cleared as those of a new block are: only where pages run out.
        if (start == nullptr && used_bytes + spare_bytes + size > most_used + slack && !is_huge) start = lengthened(size);
        if (start == nullptr) start = mapped(size);
        if (start == nullptr) {
            keep_spare(0);
            start = mapped(size);
        }
        if (start == nullptr) return nullptr;
        used[start] = size;
        used_bytes += size;
        most_used = std::max(most_used, used_bytes);
        if (!is_huge) keep_spare(most_used - used_bytes + slack);
        return start;
    }

    /// Whether the block was one of these.
    bool give_back(void *start) {
        std::lock_guard lock(mutex);
        auto found = used.find(start);
        if (found == used.end()) return false;
        used_bytes -= found->second;
        add_spare(static_cast<char *>(start), found->second);
        used.erase(found);
        // What is read at every token goes when sampling ends, and training has the memory.
        if (is_huge) keep_spare(slack);
        return true;
    }

    size_t bytes_in_use() {
        std::lock_guard lock(mutex);
        return used_bytes;
    }

    void return_spare() {
        std::lock_guard lock(mutex);
        keep_spare(0);
        most_used = used_bytes;
    }

  private:
    using Block = std::pair<size_t, char *>;

    const bool is_huge;

    std::mutex mutex;
    std::unordered_map<void *, size_t> used;
    /// Spare blocks by length and by place; two never touch.
    std::set<Block> by_length;
    std::map<char *, size_t> by_place;
    size_t used_bytes = 0, spare_bytes = 0, most_used = 0;

    static void *pages_of_system(size_t size) {
        void *start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return start == MAP_FAILED ? nullptr : start;
    }

    /// New pages; of huge ones as many as the size begins, of which the rest is spare.
    void *mapped(size_t size) {
        if (!is_huge) return pages_of_system(size);
        if (size > SIZE_MAX - 2 * huge_unit) return nullptr;
        size_t length = (size + huge_unit - 1) / huge_unit * huge_unit;
        auto *place = static_cast<char *>(pages_of_system(length + huge_unit));
        if (place == nullptr) return nullptr;
        size_t before = (huge_unit - reinterpret_cast<uintptr_t>(place) % huge_unit) % huge_unit;
        auto *start = place + before;
        if (before > 0) munmap(place, before);
        munmap(start + length, huge_unit - before);
#ifdef MADV_HUGEPAGE
        madvise(start, length, MADV_HUGEPAGE);
#endif
        if (length > size) add_spare(start + size, length - size);
        return start;
    }

    /// Adds a spare block, as one with those that it touches.
    void add_spare(char *start, size_t length) {
        auto next = by_place.lower_bound(start);
        if (next != by_place.end() && next->first == start + length) {
            length += next->second;
            remove_spare(*next++);
        }
        if (next != by_place.begin()) {
            auto [before, size] = *std::prev(next);
            if (before + size == start) {
                remove_spare({before, size});
                start = before;
                length += size;
            }
        }
        by_length.emplace(length, start);
        by_place.emplace(start, length);
        spare_bytes += length;
    }

    void remove_spare(std::pair<char *, size_t> block) {
        by_length.erase({block.second, block.first});
        by_place.erase(block.first);
        spare_bytes -= block.second;
    }

    /// The smallest spare block that is large enough, of which the rest stays spare; null where there is none.
    void *reused(size_t size) {
        auto block = by_length.lower_bound({size, nullptr});
        if (block == by_length.end()) return nullptr;
        auto [length, start] = *block;
        remove_spare({start, length});
        if (length > size) add_spare(start + size, length - size);
        return start;
    }

    /// The longest spare block made longer; null where that cannot be.
    void *lengthened(size_t size) {
#ifdef __linux__
        if (by_length.empty()) return nullptr;
        auto [length, start] = *by_length.rbegin();
        void *longer = mremap(start, length, size, MREMAP_MAYMOVE);
        // Blocks that touch need not be one mapping.
        if (longer == MAP_FAILED) return nullptr;
        remove_spare({start, length});
        return longer;
#else
        return nullptr;
#endif
    }

    /// Gives spare pages back to the system until there are at most so many bytes of them, the shortest blocks first.
    void keep_spare(size_t limit) {
        while (spare_bytes > limit) {
            auto [length, start] = *by_length.begin();
            size_t excess = std::min(length, spare_bytes - limit);
            // A process has so many mappings at most: what cannot be cut off stays spare.
            if (munmap(start + length - excess, excess) != 0) return;
            remove_spare({start, length});
            if (length > excess) add_spare(start, length - excess);
        }
    }
};

/// Those of most tensors. They live as long as the process: tensors may outlive everything else.
Pages &pages() {
    static auto *shared = new Pages(false);
    return *shared;
}

/// Those of tensors that are read at every token: the processor finds what lies in few large pages sooner. Elsewhere they would not
/// pay: the system takes longer to find and to clear them.
Pages &huge_pages() {
    static auto *shared = new Pages(true);
    return *shared;
}

thread_local bool prefers_huge = false;

/// Pages for large tensors, LibTorch's own allocator for small ones.
class TensorMemory : public c10::Allocator {
  public:
    explicit TensorMemory(c10::Allocator *others) : others(others) { others_deleter = others->raw_deleter(); }

    c10::DataPtr allocate(size_t size) override {
        if (size >= least_size && size <= SIZE_MAX - Pages::unit()) {
            void *start = (prefers_huge ? huge_pages() : pages()).take((size + Pages::unit() - 1) / Pages::unit() * Pages::unit());
            if (start != nullptr) return {start, start, &give_back, c10::Device(c10::DeviceType::CPU)};
        }
        return others->allocate(size);  // which says why where there is no memory
    }

    /// Frees small blocks too, whose own deleter is another: who takes memory raw gives it back raw.
    c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

    void copy_data(void *target, const void *source, size_t size) const override { std::memcpy(target, source, size); }

  private:
    static constexpr size_t least_size = size_t(1) << 18;

    c10::Allocator *others;
    static inline c10::DeleterFnPtr others_deleter = nullptr;

    static void give_back(void *start) {
        if (!pages().give_back(start) && !huge_pages().give_back(start)) others_deleter(start);
    }
};

}  // namespace

void rto::install_tensor_memory() {
    static std::once_flag once;
    std::call_once(once, [] { c10::SetCPUAllocator(new TensorMemory(c10::GetCPUAllocator())); });
}

int64_t rto::used_memory() { return static_cast<int64_t>(pages().bytes_in_use() + huge_pages().bytes_in_use()); }

void rto::return_spare_memory() {
    pages().return_spare();
    huge_pages().return_spare();
}

bool rto::set_huge_pages(bool are_wanted) { return std::exchange(prefers_huge, are_wanted); }
