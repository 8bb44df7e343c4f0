import Foundation
import JSONText

/// Files of text that appear whole or not at all.
enum TextFile {
    static func write(_ text: String, to url: URL) throws(PocketWorldError) {
        do {
            try Data(text.utf8).write(to: url, options: .atomic)
        } catch {
            throw .cannotWrite(path: url.path, reason: error.localizedDescription)
        }
    }

    /// Writes one JSON object per line.
    static func write(rows: [JSON], to url: URL) throws(PocketWorldError) {
        try write(rows.map { $0.serialized() + "\n" }.joined(), to: url)
    }
}
