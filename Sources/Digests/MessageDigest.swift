import CCrypto

/// A number that tells contents apart and cannot be forged, of bytes that arrive one piece after another.
///
/// The work is done by the system's libcrypto. Foundation's networking loads that library into every process anyhow, so using it costs
/// neither start-up time nor a build.
public final class MessageDigest {
    /// How the digest is made.
    public enum Algorithm: Sendable {
        /// SHA-1 (FIPS 180-4), 20 bytes, which names the objects of git.
        case sha1
        /// SHA-256 (FIPS 180-4), 32 bytes.
        case sha256
        /// SHA-512 (FIPS 180-4), 64 bytes.
        case sha512
    }

    private let context: OpaquePointer

    /// The digest of nothing yet.
    public init(_ algorithm: Algorithm) {
        let method =
            switch algorithm {
            case .sha1: EVP_sha1()
            case .sha256: EVP_sha256()
            case .sha512: EVP_sha512()
            }
        guard let context = EVP_MD_CTX_new() else { fatalError("libcrypto has no memory for a digest") }
        guard EVP_DigestInit_ex(context, method, nil) == 1 else {
            fatalError("libcrypto refuses \(algorithm): the system's policy may forbid it")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Adds bytes behind those added before.
    public func update(_ bytes: UnsafeRawBufferPointer) {
        let isDone = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
        precondition(isDone, "MessageDigest was updated after it was finished")
    }

    /// Adds bytes behind those added before.
    public func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The digest of all bytes; nothing can be added afterwards.
    public func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let isDone = EVP_DigestFinal_ex(context, &digest, &count) == 1
        precondition(isDone, "MessageDigest was finished twice")
        return Array(digest.prefix(Int(count)))
    }

    /// The digest in hexadecimal digits; nothing can be added afterwards.
    public func finishHexadecimal() -> String {
        finish().map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// The digest of a whole message.
    public static func digest(_ message: [UInt8], _ algorithm: Algorithm) -> [UInt8] {
        let digest = MessageDigest(algorithm)
        digest.update(message)
        return digest.finish()
    }
}
