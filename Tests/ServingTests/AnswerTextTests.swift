import Serving
import TestSupport
import Testing
import Tokenizers

@Suite("Texts while they come")
struct AnswerTextTests {
    private static func filtered(_ pieces: [String], _ stops: [String]) -> (sent: [String], isStopped: Bool) {
        var filter = StopFilter(stops)
        var sent = pieces.map { String(decoding: filter.take($0.utf8), as: UTF8.self) }
        let isStopped = filter.isStopped
        sent.append(String(decoding: filter.finish(), as: UTF8.self))
        return (sent, isStopped)
    }

    @Test("a stop that spans pieces never leaks, and what only looked like one comes in the end")
    func straddling() {
        #expect(Self.filtered(["ab", "cS", "TO", "Px"], ["STOP"]) == (["ab", "c", "", "", ""], true))
        #expect(Self.filtered(["ab", "cS", "TO", "ps"], ["STOP"]) == (["ab", "c", "", "STOps", ""], false))
        #expect(Self.filtered(["aS", "ST"], ["STOP"]) == (["a", "S", "ST"], false))
        #expect(Self.filtered(["x\n", "\ny"], ["\n\n"]) == (["x", "", ""], true))
        #expect(Self.filtered(["abcab", "d"], ["abd", "zz"]) == (["abc", "", ""], true))
        #expect(Self.filtered(["all"], []) == (["all", ""], false))
        #expect(Self.filtered(["é", "è"], ["è"]) == (["é", "", ""], true))
    }

    @Test("every cut of a text is cut at the same place", arguments: ["STOP", "aa", "ab", "\u{1F600}"])
    func everyCut(stop: String) {
        let text = "aabaSTOaabSTOPaa\u{1F600}z"
        let whole = text.components(separatedBy: stop)[0]
        let characters = text.map(String.init)
        for size in 1...characters.count {
            let pieces = stride(from: 0, to: characters.count, by: size).map {
                characters[$0..<min($0 + size, characters.count)].joined()
            }
            #expect(Self.filtered(pieces, [stop]).sent.joined() == whole)
        }
    }

    private static func choice(_ stops: [String] = [], behind prompt: [Int] = [TinyTokenizer.begin]) throws
        -> ChoiceText
    {
        let directory = try TemporaryDirectory()
        let tokenizer = try TinyTokenizer.make(in: directory)
        return ChoiceText(tokenizer, behind: prompt, stops: stops, stopTokens: [TinyTokenizer.end])
    }

    @Test("no character is cut, and what stays incomplete is replaced at the end")
    func characters() throws {
        var choice = try Self.choice()
        let bytes = Array("é€".utf8)
        #expect(bytes.map { choice.take(SampledToken(id: Int($0))).text } == ["", "é", "", "", "€"])
        #expect(choice.take(SampledToken(id: 0xE2)).text.isEmpty)
        #expect(choice.end(isStop: false).text == "\u{FFFD}" && choice.finish == .length && choice.tokenCount == 6)
    }

    @Test("a stop token ends the answer without being part of it")
    func stopToken() throws {
        var choice = try Self.choice()
        #expect(choice.take(SampledToken(id: 97)).text == "a")
        let last = choice.take(SampledToken(id: TinyTokenizer.end))
        #expect(last.text.isEmpty && last.tokens.isEmpty && choice.finish == nil)
        #expect(choice.end(isStop: true).text.isEmpty && choice.finish == .stop && choice.tokenCount == 2)
    }

    @Test("a stop token is among the tokens where that is asked for, behind all others")
    func scoredStopToken() throws {
        let directory = try TemporaryDirectory()
        let tokenizer = try TinyTokenizer.make(in: directory)
        func ids(_ tokens: [Int], stops: [String]) -> [Int] {
            let stop: Set = [TinyTokenizer.end]
            var choice = ChoiceText(tokenizer, behind: [97], stops: stops, stopTokens: stop, scoresStopToken: true)
            let pieces = tokens.map { choice.take(SampledToken(id: $0)) } + [choice.end(isStop: true)]
            return pieces.flatMap(\.tokens).map(\.token.id)
        }
        #expect(ids([97, 0xE2, TinyTokenizer.end], stops: []) == [97, 0xE2, TinyTokenizer.end])
        #expect(ids([97, 98, TinyTokenizer.end], stops: ["bc"]) == [97, 98, TinyTokenizer.end])
        // A stop text that came first leaves nothing behind it.
        #expect(ids([97, 98, 99, TinyTokenizer.end], stops: ["bc"]) == [97])
    }

    @Test("tokens go out with their text, those of a stop text not at all")
    func tokens() throws {
        var choice = try Self.choice(["cd"])
        var ids: [[Int]] = []
        for byte in "abcxcdef".utf8 {
            let piece = choice.take(SampledToken(id: Int(byte)))
            ids.append(piece.tokens.map(\.token.id))
        }
        #expect(
            ids == [[97], [98], [], [99, 120], [], [], [], []] && choice.finish == .stop && choice.tokenCount == 6
        )
    }

    @Test("places count characters")
    func places() throws {
        var choice = try Self.choice()
        var offsets: [Int] = []
        for byte in "aé€b".utf8 { offsets += choice.take(SampledToken(id: Int(byte))).tokens.map(\.offset) }
        offsets += choice.end(isStop: false).tokens.map(\.offset)
        #expect(offsets == [0, 1, 1, 2, 2, 2, 3])
    }
}
