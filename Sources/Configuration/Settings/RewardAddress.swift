/// The address of an endpoint that scores responses, or several with commas between them as OpenRLHF writes them.
public struct RewardAddress: Equatable, Sendable {
    /// The addresses.
    public let addresses: [String]

    /// Takes addresses as they are.
    public init(_ addresses: [String]) { self.addresses = addresses }
}

extension RewardAddress: SettingConvertible {
    /// Reads addresses that begin with `http://` or `https://`.
    public init(settingText text: String) throws(ValueProblem) {
        let addresses = text.split(separator: ",").map { String($0.drop { $0 == " " }) }
        let isAddress = addresses.allSatisfy { $0.hasPrefix("http://") || $0.hasPrefix("https://") }
        guard isAddress, !addresses.isEmpty else { throw .wrong(expected: Self.noun) }
        self.init(addresses)
    }

    /// The addresses with commas between them.
    public var settingText: String { addresses.joined(separator: ",") }
    /// What an error says is wanted.
    public static var noun: String { "an http:// or https:// address" }
    /// What help shows in the place of a value.
    public static var placeholder: String { "url" }
}
