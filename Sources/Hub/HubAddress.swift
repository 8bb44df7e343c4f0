import Foundation
import HTTP

/// A hub's address as a person gives it, parted from the name and the password that may stand in it.
struct HubAddress: Sendable {
    /// The address without them and without a slash at its end, which may be shown.
    let text: String
    /// What they become in a header field; it goes before a token, as in `huggingface_hub`.
    let login: HubToken?
    /// What is wrong with the address, nil where it can be called.
    let problem: String?

    init(_ address: String) {
        let address = String(address.reversed().drop { $0 == "/" }.reversed())
        let start = address.firstRange(of: "://")?.upperBound ?? address.startIndex
        let end = address[start...].firstIndex { "/?#".contains($0) } ?? address.endIndex
        let mark = address[start..<end].lastIndex(of: "@")
        let plain = mark.map { address[..<start] + address[address.index(after: $0)...] } ?? address[...]
        // A mark that is left belongs to a password with a slash in it, so that what looks like the server is none.
        let isAddress = !plain.contains("@") && (try? HTTPRequest.url(String(plain))) != nil
        text = isAddress ? String(plain) : HTTPRequest.shown(address)
        problem = isAddress ? nil : "HF_ENDPOINT is '\(text)', which is not an http:// or https:// address"
        login = mark.flatMap { mark in
            // What is no encoding stands for itself.
            let words = address[start..<mark].removingPercentEncoding ?? String(address[start..<mark])
            let pair = words.contains(":") ? words : words + ":"
            return HubToken(Data(pair.utf8).base64EncodedString(), source: "HF_ENDPOINT")
        }
    }
}
