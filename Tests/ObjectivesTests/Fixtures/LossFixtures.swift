import Foundation
import TestSupport
import Testing

/// Where the recorded losses lie, if there are any.
let lossFixtures: URL? = SharedFixtures.directory?.appending(path: "fixtures/losses")

extension Trait where Self == ConditionTrait {
    /// Skips where the recorded fixtures are absent.
    static var needsSharedFixtures: Self {
        .enabled("\(SharedFixtures.reason)") { SharedFixtures.contains("fixtures/losses") }
    }
}
