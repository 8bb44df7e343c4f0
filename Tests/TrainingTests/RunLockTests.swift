import Configuration
import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("A run's lock")
struct RunLockTests {
    @Test("keeps a second owner out until the first is gone")
    func exclusive() throws {
        let folder = try TemporaryDirectory()
        let path = folder.url.appending(path: "run").path
        let recipe = Recipe(configuration: TrainConfiguration(stage: .sft), commandLine: ["rto"], versions: [])
        let run = try RunDirectory(new: path, recipe: recipe)
        do {
            let first = try RunLock(run)
            let error = #expect(throws: TrainingError.self) { try RunLock(run) }
            #expect(error?.description.contains("another process") == true)
            withExtendedLifetime(first) {}
        }
        _ = try RunLock(run)
    }
}
