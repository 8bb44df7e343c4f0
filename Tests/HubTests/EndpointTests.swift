import Foundation
import HTTP
import TestSupport
import Testing

@testable import Hub

/// Addresses in `HF_ENDPOINT` that lead elsewhere or hold a password.
@Suite struct EndpointTests {
    @Test("an address that sends elsewhere is told with where, and the cache serves", arguments: [301, 302, 307, 308])
    func redirects(status: Int) async throws {
        let bench = try HubBench(HubBench.model())
        let folder = try await bench.fetch("org/tiny")
        let other = try HubBench(HubBench.model("org/other"))
        let place = other.server.address
        bench.server.disturb { call in
            .answer(status: status, headers: ["Location": place + call.path + "&key=hidden"], body: "")
        }
        let failure = await bench.failure("org/other")
        #expect(
            failure
                == "org/other: HF_ENDPOINT is \(bench.server.address), which sends on to \(place); set HF_ENDPOINT to that "
                + "address, or unset it"
        )
        #expect(try await bench.fetch("org/tiny") == folder)
        #expect(bench.lines.text.contains("which sends on to \(place)") && !bench.lines.text.contains("hidden"))
        // What the sentence says helps.
        _ = try await bench.fetch("org/other", .model, ["HF_ENDPOINT": place])
    }

    @Test("a page where a hub should be leaves what is in the cache")
    func portal() async throws {
        let bench = try HubBench(HubBench.model())
        let folder = try await bench.fetch("org/tiny")
        bench.server.disturb { _ in .answer(body: "<html>Welcome to the hotel</html>") }
        #expect(try await bench.fetch("org/tiny") == folder)
        #expect(
            bench.lines.text.contains("answers with no JSON") && bench.lines.text.contains("using the cached snapshot")
        )
    }

    @Test("a name and a password in the address are sent to the hub and shown to nobody")
    func password() async throws {
        let bench = try HubBench(HubBench.model())
        let address = bench.server.address.replacingOccurrences(of: "http://", with: "http://me:s%40cret@")
        let environment = ["HF_ENDPOINT": address, "HF_TOKEN": "hf_secret"]
        _ = try await bench.fetch("org/tiny", .model, environment)
        // As Python's library does: what the address holds goes before a token.
        let basic = "Basic " + Data("me:s@cret".utf8).base64EncodedString()
        #expect(!bench.server.calls.isEmpty && bench.server.calls.allSatisfy { $0.headers["authorization"] == basic })
        #expect(
            bench.server.storeCalls.count == 2
                && bench.server.storeCalls.allSatisfy { $0.headers["authorization"] == nil }
        )

        var said = bench.lines.text
        said += await bench.failure("org/none", .model, environment)
        bench.server.disturb { _ in .answer(status: 500, body: "") }
        said += await bench.failure("org/none", .model, environment)
        bench.server.disturb { call in
            .answer(status: 302, headers: ["Location": "http://me:s%40cret@127.0.0.1:9/x"], body: "")
        }
        said += await bench.failure("org/none", .model, environment)
        said += await bench.failure("org/none", .model, ["HF_ENDPOINT": "http://me:s%40cret@127.0.0.1:9"])
        let settings = bench.settings(environment)
        said += settings.endpoint + "\(settings)" + String(reflecting: settings)
        dump(settings, to: &said)
        #expect(!said.contains("cret") && said.contains(bench.server.address))
        #expect(!said.contains(basic.dropFirst(6)))
    }

    @Test(
        "addresses that are none do not give their password away",
        arguments: [
            "https://me:s/cret@host", "ftp://me:scret@host", "me:scret@host", "https://me:scret@",
            "https://me:scret@ho st",
            "https://me:12/cret@host", "//me:cret@host", "https://cret@ho[st", "https://zqx?cret@host",
            "https://zqx#cret@host",
        ]
    )
    func malformed(address: String) async throws {
        let bench = try HubBench(HubBench.model())
        let settings = bench.settings(["HF_ENDPOINT": address])
        var said = settings.endpoint + settings.problems.joined() + "\(settings)"
        said += await bench.failure("org/tiny", .model, ["HF_ENDPOINT": address, "HF_HUB_ETAG_TIMEOUT": "1"])
        #expect(said.contains("HF_ENDPOINT is") && !said.contains("cret") && !said.contains("zqx"))
    }
}
