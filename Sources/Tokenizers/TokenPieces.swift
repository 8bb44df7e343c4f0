extension Tokenizer {
    /// What each of the ids adds to the text that they spell together, in bytes.
    ///
    /// Put together they are the bytes of the text, where its repair has nothing to do; the parts of a character that several
    /// tokens share are no text by themselves. An id that no token has adds nothing.
    public func pieces(of ids: [Int]) -> [[UInt8]] {
        let isByteLevel = decoderStages.contains { $0 is ByteLevelDecoder }
        let fallsBack = decoderStages.contains { $0 is ByteFallbackDecoder }
        var decoder = makeStreamingDecoder()
        var pieces: [[UInt8]] = []
        /// The bytes of tokens such as `<0xE2>` whose text comes with the token behind them.
        var run: [UInt8] = []
        for id in ids {
            var text: [UInt8] = []
            decoder.append(id, to: &text)
            let token = bytes(of: id).map(Array.init) ?? []
            if isByteLevel {
                var spelled: [UInt8] = []
                // A token with other characters stands for itself.
                pieces.append(ByteAlphabet.appendBytes(spelledBy: token, to: &spelled) ? spelled : token)
            } else if fallsBack, let byte = ByteFallbackDecoder.byte(token) {
                run.append(byte)
                pieces.append([byte])
            } else {
                pieces.append(Array(text.dropFirst(Self.length(ofText: run))))
                run = []
            }
        }
        var rest: [UInt8] = []
        decoder.finish(to: &rest)
        if !isByteLevel, !pieces.isEmpty { pieces[pieces.count - 1] += rest.dropFirst(Self.length(ofText: run)) }
        return pieces
    }

    /// The number of bytes of the text that a run of bytes becomes.
    private static func length(ofText run: [UInt8]) -> Int {
        String(validating: run, as: UTF8.self) == nil ? 3 * run.count : run.count
    }
}
