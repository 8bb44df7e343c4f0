/// The words of a text: runs of anything but white space, where ".", "," and ":" are always words of their own.
enum Words {
    static func of(_ text: String) -> [String] {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        func finish() {
            if !word.isEmpty { words.append(String(word)) }
            word = String.UnicodeScalarView()
        }
        for scalar in text.unicodeScalars {
            if scalar.properties.isWhitespace {
                finish()
            } else if scalar == "." || scalar == "," || scalar == ":" {
                finish()
                words.append(String(scalar))
            } else {
                word.append(scalar)
            }
        }
        finish()
        return words
    }
}
