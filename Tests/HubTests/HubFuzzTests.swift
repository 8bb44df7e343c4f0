import Foundation
import JSONText
import TestSupport
import Testing

@testable import Hub

/// Damaged listings, header fields and cache files: an error or another fetch, never a trap, a hang or a file elsewhere.
///
/// `RTO_TEST_HUB_FUZZ=10000` tries more of them.
@Suite struct HubFuzzTests {
    private static let count = ProcessInfo.processInfo.environment["RTO_TEST_HUB_FUZZ"].flatMap(Int.init) ?? 300

    /// SplitMix64, so that a failure can be repeated by its number.
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var bits = state
            bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
            bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
            return bits ^ (bits >> 31)
        }
    }

    private static let words = [
        "9223372036854775807", "-1", "1e308", "null", "[]", "{}", #""""#, #""../x""#, #""/""#, #""a\u0000b""#, "[[[[[[",
        "true",
        #""main""#, "\u{FF}", "W/", ",", "0x10", #""\ud800""#,
    ]

    private static func word(_ random: inout Random) -> String {
        words[Int.random(in: 0..<words.count, using: &random)]
    }

    /// A text with some bytes changed, cut out or put in, or one of its values replaced.
    private static func damaged(_ text: [UInt8], _ random: inout Random) -> [UInt8] {
        var text = text
        for _ in 0..<Int.random(in: 1...3, using: &random) where !text.isEmpty {
            let place = Int.random(in: 0..<text.count, using: &random)
            let end = min(text.count, place + Int.random(in: 0...20, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: text[place] = UInt8.random(in: 0...255, using: &random)
            case 1: text.removeSubrange(place..<end)
            case 2: text.replaceSubrange(place..<end, with: Array(word(&random).utf8))
            case 3: text.insert(contentsOf: text[place..<end], at: place)
            default:
                // A whole number becomes another value.
                guard let digit = text[place...].firstIndex(where: { (0x30...0x39).contains($0) }) else { continue }
                let rest = text[digit...].firstIndex { !(0x30...0x39).contains($0) } ?? text.count
                text.replaceSubrange(digit..<rest, with: Array(word(&random).utf8))
            }
        }
        return text
    }

    private static let listing = Array(
        """
        {"id":"org/tiny","sha":"\(HubBench.commit)","siblings":[{"rfilename":"config.json","size":21,"blobId":\
        "8a79687628fe6dd4c6c9d5a1b7a8b7f3a3f3b0a1"},{"rfilename":"a/b.safetensors","size":300,"lfs":{"sha256":\
        "\(HubServer.largeName([1]))","size":300,"pointerSize":130}}]}
        """.utf8
    )

    @Test("listings of a server and of a cache")
    func listings() throws {
        let name = try #require(RepositoryName("org/tiny", kind: .model))
        let whole = try RepositoryListing(answer: JSON(parsing: Self.listing), name)
        for number in 0..<Self.count {
            var random = Random(state: UInt64(number))
            if let answer = try? JSON(parsing: Self.damaged(Self.listing, &random)) {
                let found = try? RepositoryListing(answer: answer, name)
                #expect(found?.files.allSatisfy { $0.size.map { $0 >= 0 } ?? true } ?? true)
                #expect(found?.files.allSatisfy { !$0.path.hasPrefix("/") && !$0.path.contains("..") } ?? true)
            }
            let stored = RepositoryListing(stored: Self.damaged(whole.stored, &random), commit: HubBench.commit)
            #expect(stored?.files.allSatisfy { $0.size.map { $0 >= 0 } ?? true } ?? true)
        }
    }

    @Test("answers, header fields and cache files on the way to a snapshot")
    func fetches() async throws {
        let names = ["rto/\(HubBench.commit).json", "refs/main", "blobs/*", "snapshots/\(HubBench.commit)/config.json"]
        for number in 0..<Self.count / 10 {
            var random = Random(state: UInt64(number) &+ 1 << 40)
            var model = HubBench.model()
            model.describesFiles = number % 2 == 0
            let bench = try HubBench(model)
            let outside = try bench.directory.fileNames
            if number % 3 > 0 {
                // What lies in the cache is damaged.
                _ = try await bench.fetch("org/tiny", .tokenizer)
                let folder = bench.cache.appending(path: "models--org--tiny")
                var place = names[number % names.count]
                if place == "blobs/*" { place = "blobs/" + (try bench.files(folder.appending(path: "blobs"))[0]) }
                let file = folder.appending(path: place)
                try Data(Self.damaged(Array(try Data(contentsOf: file)), &random)).write(to: file)
                _ = await bench.failure("org/tiny", .tokenizer, ["HF_HUB_OFFLINE": "1"])
            } else {
                // What the server says is.
                let head =
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"\(HubServer.gitName([1]))\"\r\nContent-Length: 21\r\n\r\n"
                // Foundation 6.3 itself ends the process where the fields break off, or where a length rounds to 2⁶³.
                let damaged = String(decoding: Self.damaged(Array(head.utf8), &random), as: UTF8.self)
                let bytes =
                    Array(damaged.replacing("9223372036854775807", with: "9223372036854774784").utf8) + "\r\n\r\n".utf8
                bench.server.disturb { call in call.path.contains("/resolve/") ? .bytes("", bytes) : nil }
            }
            let patience = ["HF_HUB_ETAG_TIMEOUT": "2", "HF_HUB_DOWNLOAD_TIMEOUT": "2"]
            let failure = await bench.failure("org/tiny", .tokenizer, patience)
            #expect(!failure.contains("\n"), "number \(number)")
            #expect(try bench.directory.fileNames.filter { $0 != "hub" } == outside)
        }
    }
}
