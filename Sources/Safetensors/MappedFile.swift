import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file's bytes, mapped into memory for reading and unmapped with the object.
///
/// The pages are brought in as they are touched. A file that another program shortens while it is mapped ends this program, so a
/// checkpoint must be replaced by renaming, as `AtomicFile` does, and never in place.
///
/// It is `Sendable` although the compiler cannot see it: nothing of it changes between `init` and `deinit`.
final class MappedFile: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer

    init(path: String) throws(SafetensorsError) {
        // Without O_NONBLOCK, opening a pipe would wait for a writer that may never come.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw .lastSystemError(path: path, "opened") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .lastSystemError(path: path, "opened") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SafetensorsError(path: path, .notAFile) }
        let count = Int(status.st_size)
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw .lastSystemError(path: path, "read")
        }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    /// Lets go of the pages that lie wholly in a range: they are brought in again if they are read again.
    ///
    /// A checkpoint is read once, tensor by tensor; its pages would else count as this program's until all are read.
    func release(_ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let (first, end) = ((range.lowerBound + page - 1) / page * page, range.upperBound / page * page)
        guard first < end, let start = bytes.baseAddress else { return }
        // That it cannot be done costs memory alone.
        _ = madvise(UnsafeMutableRawPointer(mutating: start + first), end - first, MADV_DONTNEED)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }
}
