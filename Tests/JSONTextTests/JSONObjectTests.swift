import JSONText
import Testing

@Suite("JSON objects")
struct JSONObjectTests {
    @Test("small and large objects find, replace, append and remove alike", arguments: [1, 8, 9, 10, 100, 5000])
    func editing(count: Int) {
        var object = JSONObject()
        for number in 0..<count { object["key \(number)"] = .integer(number) }
        #expect(object.members.map(\.key) == (0..<count).map { "key \($0)" })
        #expect((0..<count).allSatisfy { object["key \($0)"] == .integer($0) })
        #expect(object["key \(count)"] == nil)

        object["key 0"] = "new"
        #expect(object.count == count)
        #expect(object["key 0"] == "new")

        object["key \(count - 1)"] = nil
        object["no such key"] = nil
        #expect(object.count == count - 1)
        #expect(object["key \(count - 1)"] == nil)
        object["another"] = true
        #expect(object.members.last?.key == "another")
    }

    @Test("equality ignores the order of members but not their bytes")
    func equality() {
        #expect(["a": 1, "b": 2] as JSON == ["b": 2, "a": 1])
        #expect(["a": 1] as JSON != ["a": 1, "b": 2])
        #expect(["\u{E9}": 1] as JSON != ["e\u{301}": 1])
        #expect("\u{E9}" as JSON != "e\u{301}")
        #expect(1 as JSON != 1.0)
    }
}
