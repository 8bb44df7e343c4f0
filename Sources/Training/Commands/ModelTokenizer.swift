import Foundation
import Models
import Tokenizers

/// The tokenizer of a model directory, or of the base of an adapter there.
///
/// - Throws: `TokenizerError` where there is none, or none that can be used; `ModelError` for an adapter without its base.
public func modelTokenizer(_ directory: String) throws -> Tokenizer {
    let place = try ModelPlace(URL(filePath: directory))
    return try Tokenizer(directory: place.tokenizerDirectory ?? place.directory)
}

extension ModelPlace {
    /// The directory whose tokenizer goes with the model: its own, or its base's; nil where neither has one.
    var tokenizerDirectory: URL? { [directory, base].first { Tokenizer.exists(in: $0) } }
}
