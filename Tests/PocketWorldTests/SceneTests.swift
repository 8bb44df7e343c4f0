import PocketWorld
import Testing

@Suite("Scenes and their prompts")
struct SceneTests {
    @Test("a prompt can be read back", arguments: [1...1, 3...5, 10...10])
    func roundTrip(attributeCount: ClosedRange<Int>) throws {
        var random = WorldRandom(state: 1)
        for _ in 0..<200 {
            let scene = Scene(attributeCount: attributeCount, using: &random)
            #expect(attributeCount.contains(scene.attributes.count))
            #expect(Set(scene.attributes.map(\.kind)).count == scene.attributes.count)
            #expect(try Scene(prompt: scene.prompt) == scene)
        }
    }

    @Test("a prompt tells who asks, about what, and what it is like")
    func reading() throws {
        let scene = try Scene(prompt: " i am ann .\ndescribe the ring: tall, rome. ")
        #expect(scene.asker == "ann")
        #expect(scene.thing == "ring")
        #expect(scene.attributes.map(\.kind) == ["size", "place"])
        #expect(scene.value(ofKind: "place") == "rome")
        #expect(scene.value(ofKind: "colour") == nil)
        #expect(scene.prompt == "i am ann . describe the ring : tall , rome .")
    }

    @Test(
        "any other text is refused in one sentence",
        arguments: [
            "", "hello", "i am ann . describe the ring :", "i am ann . describe the ring : .",
            "i am ann . describe the ring : tall , .", "i am ann . describe the ring : tall , small .",
            "i am ann . describe the ring : tall , tall .", "i am bob . describe the ring : tall .",
            "i am ann . describe the moon : tall .", "i am ann . describe the ring : big .",
            "i am ann . describe the ring : tall ; rome .", "i am ann , describe the ring : tall .",
            "you am ann . describe the ring : tall .", "i am ann . describe the ring : tall . .",
            String(repeating: "tall , ", count: 500),
        ]
    )
    func refusal(text: String) {
        #expect(throws: PocketWorldError.notAPrompt(text)) { try Scene(prompt: text) }
        #expect(PocketWorldError.notAPrompt(text).description.count < 220)
    }
}
