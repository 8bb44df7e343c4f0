import JSONText
import Testing

@Suite("JSON parsing")
struct JSONParsingTests {
    @Test("every kind of value is read")
    func kinds() throws {
        let value = try JSON(parsing: #" {"a": [null, true, false, -7, 1.5e2, "x"], "b": {}} "#)
        #expect(value == ["a": [nil, true, false, -7, 150.0, "x"], "b": [:]])
        #expect(value["a"]?[3]?.integer == -7)
        #expect(value["a"]?[3]?.number == -7)
        #expect(value["a"]?[4]?.integer == nil)
        #expect(value["a"]?[9] == nil)
        #expect(value["c"] == nil)
    }

    @Test("integers keep all 64 bits, larger ones become numbers")
    func integers() throws {
        let value = try JSON(parsing: "[9223372036854775807, -9223372036854775808, 9223372036854775808, -0]")
        #expect(value == [.integer(.max), .integer(.min), .number(9_223_372_036_854_775_808), 0])
    }

    @Test(
        "escapes become the characters they stand for",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0000\u00e9\u20AC""#, "\0é€"),
            (#""\ud83d\ude00""#, "😀"),
            (#""\ud83d""#, "\u{FFFD}"),
            (#""\ud83dx""#, "\u{FFFD}x"),
            (#""\ud83d\n""#, "\u{FFFD}\n"),
            (#""\ude00\ud83d\ud83d\ude00""#, "\u{FFFD}\u{FFFD}😀"),
        ]
    )
    func escapes(text: String, expected: String) throws {
        #expect(try JSON(parsing: text) == .string(expected))
    }

    @Test("canonically equivalent keys are different keys")
    func byteExactKeys() throws {
        let object = try #require(JSON(parsing: #"{"\u00e9": 1, "e\u0301": 2}"#).object)
        #expect(object.count == 2)
        #expect(object["\u{E9}"] == 1)
        #expect(object["e\u{301}"] == 2)
    }

    @Test("of a repeated key the last value counts, at the first one's place")
    func duplicateKeys() throws {
        let object = try #require(JSON(parsing: #"{"a": 1, "b": 2, "a": 3}"#).object)
        #expect(object.members.map(\.key) == ["a", "b"])
        #expect(object["a"] == 3)
    }

    @Test("a leading byte-order mark is ignored")
    func byteOrderMark() throws {
        #expect(try JSON(parsing: [0xEF, 0xBB, 0xBF, UInt8(ascii: "1")]) == 1)
    }

    @Test("a collection without contiguous storage parses too")
    func lazyCollection() throws {
        #expect(try JSON(parsing: [UInt8]("]2,1[".utf8).reversed()) == [1, 2])
    }

    @Test(
        "what is not JSON is refused with its place",
        arguments: [
            ("", "line 1, column 1: the text ends too early"),
            ("[1,\n 2", "line 2, column 3: the text ends too early"),
            ("[1,\n é]", "line 2, column 2: expected a value"),
            ("[\"é\", x]", "line 1, column 7: expected a value"),
            ("[1,]", "line 1, column 4: expected a value"),
            ("{\"a\" 1}", "line 1, column 6: expected ':' after a key"),
            ("{\"a\": 1,}", "line 1, column 9: expected a key in double quotes"),
            ("{a: 1}", "line 1, column 2: expected a key in double quotes"),
            ("1 2", "line 1, column 3: the JSON text ends here, but more follows"),
            ("[01]", "line 1, column 2: a number must not begin with 0"),
            ("[1.]", "line 1, column 4: expected a digit"),
            ("[+1]", "line 1, column 2: expected a value"),
            ("[-]", "line 1, column 3: expected a digit"),
            ("[1e999]", "line 1, column 2: the number 1e999 is too large"),
            ("[tru]", "line 1, column 2: expected 'true'"),
            ("[NaN]", "line 1, column 2: NaN and Infinity are not JSON"),
            ("[-Infinity]", "line 1, column 3: expected a digit"),
            ("\"a\tb\"", "line 1, column 3: a control character in a string must be written as an escape"),
            ("\"\\x\"", "line 1, column 3: this escape does not exist in JSON"),
            ("\"\\u12g4\"", "line 1, column 6: expected four hexadecimal digits after \\u"),
            ("\"abc", "line 1, column 5: the text ends too early"),
            ("\"abc\\", "line 1, column 6: the text ends too early"),
            ("\u{0}", "line 1, column 1: expected a value"),
        ]
    )
    func faults(text: String, message: String) {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
        #expect(error?.description == message)
    }

    @Test(
        "bytes that are not UTF-8 are refused",
        arguments: [
            [0x80], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3],
            [0xE2, 0x82],
            [0xF0, 0x9F, 0x98],
        ] as [[UInt8]]
    )
    func invalidUTF8(sequence: [UInt8]) {
        let bytes = [UInt8]("[\"ab".utf8) + sequence + [UInt8]("\"]".utf8)
        let error = #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
        #expect(error?.description == "line 1, column 5: this byte is not valid UTF-8")
    }

    @Test("every prefix of a text is refused without a trap")
    func prefixes() {
        let bytes = [UInt8](#"{"a":[-1.5e+3,"\ud83d\ude00é",true,null],"b":{"c":"d"}}"#.utf8)
        for length in bytes.indices {
            #expect(throws: JSONError.self) { try JSON(parsing: bytes.prefix(length)) }
        }
    }

    @Test("nesting beyond the limit is refused")
    func depth() throws {
        let deepest = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
        _ = try JSON(parsing: deepest)
        let error = #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 100_000)) }
        #expect(error?.description == "line 1, column 513: more than 512 arrays and objects are nested")
    }

    @Test("the options accept Python's numbers and refuse repeated keys")
    func options() throws {
        let python = JSONParsingOptions(allowsNonFiniteNumbers: true)
        let values = try JSON(parsing: "[NaN, Infinity, -Infinity]", options: python)
        #expect(values[0]?.number?.isNaN == true)
        #expect(values[1] == .number(.infinity))
        #expect(values[2] == .number(-.infinity))

        let strict = JSONParsingOptions(refusesDuplicateKeys: true)
        let error = #expect(throws: JSONError.self) {
            try JSON(parsing: #"{"a": 1, "\u0061": 2}"#, options: strict)
        }
        #expect(error?.description == "line 1, column 10: the key \"a\" occurs twice in one object")
    }
}
