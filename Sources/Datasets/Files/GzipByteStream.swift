import CZlib

/// The bytes that a gzip file holds, whatever number of members it is made of.
final class GzipByteStream: ByteStream {
    private static let pieceByteCount = 1 << 20
    /// Fifteen bits of window, and a gzip header rather than a zlib one.
    private static let windowBits: Int32 = 15 + 16

    private let path: String
    private let source: FileByteStream
    /// zlib keeps a pointer to its stream, which therefore must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var inputPosition = 0
    /// Whether the next byte of the file belongs to a member that has begun.
    private var isInsideMember = true
    /// Whether the last piece was filled, so that zlib may hold more although all input is taken.
    private var hasMoreOutput = false

    init(path: String) throws(DatasetError) {
        self.path = path
        source = try FileByteStream(path: path)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, Self.windowBits, ZLIB_VERSION, size) == Z_OK else {
            throw DatasetError(path: path, .unreadable(reason: "zlib could not be started"))
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    func next() throws(DatasetError) -> [UInt8]? {
        while true {
            if inputPosition == input.count && !hasMoreOutput {
                guard let piece = try source.next() else {
                    guard isInsideMember else { return nil }
                    throw DatasetError(path: path, .unreadable(reason: "its gzip data end too early"))
                }
                (input, inputPosition) = (piece, 0)
            }
            if !isInsideMember {
                inflateReset(stream)
                isInsideMember = true
            }
            let piece = try inflatePiece()
            if !piece.isEmpty { return piece }
        }
    }

    private func inflatePiece() throws(DatasetError) -> [UInt8] {
        var status = Z_OK
        let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceByteCount) { output, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress.map { $0 + inputPosition }
                stream.pointee.avail_in = uInt(input.count - inputPosition)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = uInt(output.count)
                status = inflate(stream, Z_NO_FLUSH)
                inputPosition = input.count - Int(stream.pointee.avail_in)
                count = output.count - Int(stream.pointee.avail_out)
                hasMoreOutput = stream.pointee.avail_out == 0
            }
        }
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: (isInsideMember, hasMoreOutput) = (false, false)
        default: throw DatasetError(path: path, .unreadable(reason: "its gzip data are damaged"))
        }
        return piece
    }
}
