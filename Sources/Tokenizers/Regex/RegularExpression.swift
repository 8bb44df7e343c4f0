import CPCRE2

/// Why a pattern is not a usable regular expression, as part of a sentence.
struct RegularExpressionError: Error, CustomStringConvertible {
    let description: String
}

/// A compiled regular expression over UTF-8.
///
/// PCRE2 compiles it to machine code where the processor and the system allow that.
final class RegularExpression: Sendable {
    /// Written once, in `init`: PCRE2 allows any number of threads to match with one compiled pattern.
    private nonisolated(unsafe) let code: OpaquePointer

    /// Compiles a pattern in the syntax of `tokenizer.json`, which is Oniguruma's.
    convenience init(oniguruma pattern: String) throws(RegularExpressionError) {
        try self.init(pcre2: OnigurumaPattern(pattern).translated())
    }

    /// Compiles a pattern in the syntax of PCRE2.
    init(pcre2 pattern: String) throws(RegularExpressionError) {
        let options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C
        var status: Int32 = 0
        var offset = 0
        let bytes = Array(pattern.utf8)
        guard let code = pcre2_compile_8(bytes, bytes.count, options, &status, &offset, nil) else {
            throw RegularExpressionError(description: "\(Self.message(status)), at position \(offset)")
        }
        // A failure only means that this system has no just-in-time compiler: matching then interprets.
        _ = pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE)
        self.code = code
    }

    deinit { pcre2_code_free_8(code) }

    /// Calls `body` with every match, from left to right and without overlaps.
    ///
    /// Where PCRE2 gives up, after ten million steps on one match, what follows counts as not matched.
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        if let substituted = StandIns.substituted(in: text) {
            substituted.withUnsafeBufferPointer { forEachMatch(inSubstituted: $0, body) }
        } else {
            forEachMatch(inSubstituted: text, body)
        }
    }

    /// Calls `body` with every match of a pattern that has a group for each of its alternatives, and the group's number, from 1.
    ///
    /// Characters are taken for what the system's PCRE2 takes them for.
    func forEachGroup(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>, Int) -> Void) {
        guard let start = text.baseAddress, let match = pcre2_match_data_create_from_pattern_8(code, nil) else {
            return
        }
        defer { pcre2_match_data_free_8(match) }
        var position = 0
        while position < text.count {
            let status = pcre2_match_8(code, start, text.count, position, PCRE2_NO_UTF_CHECK, match, nil)
            guard status > 0, let ends = pcre2_get_ovector_pointer_8(match) else { return }
            let range = Int(ends[0])..<Int(ends[1])
            // The highest group that has matched is the only one.
            body(range, Int(status) - 1)
            position = max(range.upperBound, position + 1)
        }
    }

    private func forEachMatch(inSubstituted text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        guard let start = text.baseAddress, let match = pcre2_match_data_create_8(1, nil) else { return }
        defer { pcre2_match_data_free_8(match) }
        let ends = pcre2_get_ovector_pointer_8(match)
        var position = 0
        var previousEnd: Int?
        while position <= text.count, matches(start, text.count, from: position, match) {
            guard let range = ends.map({ Int($0[0])..<Int($0[1]) }) else { return }
            // An empty match right behind the last one is none.
            if !range.isEmpty || range.lowerBound != previousEnd { body(range) }
            previousEnd = range.upperBound
            position = range.upperBound
            if range.isEmpty {
                position += position < text.count ? UTF8Text.lengthOfCharacter(startingWith: text[position]) : 1
            }
        }
    }

    private func matches(_ text: UnsafePointer<UInt8>, _ count: Int, from start: Int, _ match: OpaquePointer) -> Bool {
        let status = pcre2_match_8(code, text, count, start, PCRE2_NO_UTF_CHECK, match, nil)
        guard status == PCRE2_ERROR_JIT_STACKLIMIT else { return status >= 0 }
        // Machine code has a small stack, for repeated groups over long texts; the interpreter takes what memory there
        // is.
        return pcre2_match_8(code, text, count, start, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, match, nil) >= 0
    }

    private static func message(_ status: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = pcre2_get_error_message_8(status, &buffer, buffer.count)
        return length > 0 ? String(decoding: buffer.prefix(Int(length)), as: UTF8.self) : "error \(status)"
    }
}
