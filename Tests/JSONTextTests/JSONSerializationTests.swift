import JSONText
import Testing

@Suite("JSON serialisation")
struct JSONSerializationTests {
    @Test("a compact text is one line that keeps the order of members")
    func compact() {
        let value: JSON = ["b": [1, -2.5, 1e300, nil, true], "a": "é\"\\\n\u{1}\u{1F}/", "c": [:], "d": []]
        #expect(
            value.serialized()
                == #"{"b":[1,-2.5,1e+300,null,true],"a":"é\"\\\n\u0001\u001f/","c":{},"d":[]}"#
        )
    }

    @Test("a pretty text is indented by two spaces")
    func pretty() {
        let value: JSON = ["a": [1, ["b": []]]]
        #expect(value.serialized(pretty: true) == "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ]\n}")
    }

    @Test("numbers that are not finite are written as Python writes them")
    func nonFinite() {
        #expect(
            ([.number(.nan), .number(.infinity), .number(-.infinity)] as JSON).serialized()
                == "[NaN,Infinity,-Infinity]"
        )
    }

    @Test("parsing a serialised value gives it back", arguments: [false, true])
    func roundTrip(pretty: Bool) throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let value = Self.randomValue(depth: 4, using: &generator)
            #expect(try JSON(parsing: value.serialized(pretty: pretty)) == value)
        }
    }

    private static func randomValue(depth: Int, using generator: inout some RandomNumberGenerator) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .integer(.random(in: .min ... .max, using: &generator))
        case 3: return .number(.random(in: -1...1, using: &generator))
        case 4: return .string(randomText(using: &generator))
        case 5:
            return .array(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    randomValue(depth: depth - 1, using: &generator)
                }
            )
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                object[randomText(using: &generator)] = randomValue(depth: depth - 1, using: &generator)
            }
            return .object(object)
        }
    }

    private static func randomText(using generator: inout some RandomNumberGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let bound: UInt32 = [0x20, 0x80, 0x3000, 0x11_0000].randomElement(using: &generator) ?? 0x80
            text.unicodeScalars.append(Unicode.Scalar(.random(in: 0..<bound, using: &generator)) ?? "?")
        }
        return text
    }
}
