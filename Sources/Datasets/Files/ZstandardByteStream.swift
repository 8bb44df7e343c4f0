import CZstd

/// The bytes that a Zstandard file holds, whatever number of frames it is made of.
final class ZstandardByteStream: ByteStream {
    private static let pieceByteCount = 1 << 20

    private let path: String
    private let source: FileByteStream
    private let stream: OpaquePointer
    private var input: [UInt8] = []
    private var inputPosition = 0
    /// Whether the next byte of the file belongs to a frame that has begun; an empty file holds no frame, which is an error.
    private var isInsideFrame = true
    /// Whether the last piece was filled, so that the library may hold more although all input is taken.
    private var hasMoreOutput = false

    init(path: String) throws(DatasetError) {
        self.path = path
        source = try FileByteStream(path: path)
        guard let stream = ZSTD_createDStream() else {
            throw DatasetError(path: path, .unreadable(reason: "libzstd could not be started"))
        }
        self.stream = stream
        // Some files are compressed with windows of up to 2 GiB, and say so at their beginning: only these take so much memory.
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 31)
    }

    deinit { ZSTD_freeDStream(stream) }

    func next() throws(DatasetError) -> [UInt8]? {
        while true {
            if inputPosition == input.count && !hasMoreOutput {
                guard let piece = try source.next() else {
                    guard isInsideFrame else { return nil }
                    throw DatasetError(path: path, .unreadable(reason: "its Zstandard data end too early"))
                }
                (input, inputPosition) = (piece, 0)
            }
            let piece = try decompressPiece()
            if !piece.isEmpty { return piece }
        }
    }

    private func decompressPiece() throws(DatasetError) -> [UInt8] {
        var status = 0
        let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceByteCount) { output, count in
            input.withUnsafeBufferPointer { input in
                var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: inputPosition)
                var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
                status = ZSTD_decompressStream(stream, &to, &from)
                inputPosition = from.pos
                count = to.pos
                hasMoreOutput = to.pos == to.size
            }
        }
        if ZSTD_isError(status) != 0 {
            let reason = ZSTD_getErrorName(status).map { String(cString: $0) } ?? "unknown"
            throw DatasetError(path: path, .unreadable(reason: "its Zstandard data are damaged (\(reason))"))
        }
        // Nothing is left of a frame where the library expects no more of it.
        isInsideFrame = status != 0
        if status == 0 { hasMoreOutput = false }
        return piece
    }
}
