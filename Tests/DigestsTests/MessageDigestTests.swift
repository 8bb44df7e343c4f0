import Testing

@testable import Digests

/// The examples of FIPS 180-4 and of git.
@Suite struct MessageDigestTests {
    private func hexadecimal(_ text: String, _ algorithm: MessageDigest.Algorithm) -> String {
        let digest = MessageDigest(algorithm)
        digest.update(Array(text.utf8))
        return digest.finishHexadecimal()
    }

    @Test("the standard's examples")
    func examples() {
        #expect(hexadecimal("abc", .sha1) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            hexadecimal("abc", .sha256) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        #expect(
            hexadecimal("abc", .sha512)
                == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        )
        #expect(hexadecimal("", .sha256) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("SHA-512 around the lengths at which the padding needs another block")
    func padding() {
        let first = [111, 112, 127, 128].map { MessageDigest.digest([UInt8](repeating: 97, count: $0), .sha512)[0] }
        #expect(first == [250, 192, 130, 183])
    }

    @Test("pieces make the digest of the whole")
    func pieces() {
        let message = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let digest = MessageDigest(.sha1)
        for start in stride(from: 0, to: message.count, by: 777) {
            digest.update(Array(message[start..<min(start + 777, message.count)]))
        }
        #expect(digest.finish() == MessageDigest.digest(message, .sha1))
    }

    @Test("git's name of a file is the digest of its kind, size and content")
    func gitBlob() {
        // echo hello | git hash-object --stdin
        #expect(hexadecimal("blob 6\0hello\n", .sha1) == "ce013625030ba8dba906f756967f9e9ca394464a")
    }
}
