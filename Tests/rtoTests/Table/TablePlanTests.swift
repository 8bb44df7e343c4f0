import Configuration
import Foundation
import JSONText
import TestSupport
import Testing
import Training

@testable import Hub
@testable import rto

@Suite struct TablePlanTests {
    private func plan(_ change: (inout TableConfiguration) -> Void = { _ in }) throws -> TablePlan {
        var configuration = TableConfiguration()
        change(&configuration)
        return try TablePlan(configuration)
    }

    @Test("Every run is one that rto train accepts, under a name of its own") func runs() throws {
        for plan in [try plan(), try plan { $0.tunes = true }] {
            let chain = try #require(plan.chains.first)
            for entry in plan.entries {
                let run = chain.training(entry.method, entry.settings, prompts: entry.prompts, as: entry.name)
                try run.check()
                #expect(run.loop.output.hasSuffix("/runs/" + entry.name))
            }
            #expect(Set(plan.entries.map(\.name)).count == plan.entries.count)
        }
    }

    @Test("Models of a hub are recorded and handed on by name and commit, and not as folders of the cache") func names()
        throws
    {
        let commit = String(repeating: "c0ffee00", count: 5)
        let name = try #require(RepositoryName("org/policy@" + commit, kind: .model))
        let snapshot = Snapshot(name: name, folder: URL(filePath: "/somewhere/models--org--policy/snapshots/" + commit))
        LocatedRepositories.remember(snapshot, as: name)
        let plan = try plan { $0.model = snapshot.folder.path }
        #expect(plan.options["model"]?.string == "org/policy@" + commit)
        let chain = try #require(plan.chains.first)
        let entry = try #require(plan.entries.first)
        let training = chain.training(entry.method, entry.settings, prompts: entry.prompts, as: entry.name)
        let words = PipelineStep("one", training: training).words
        #expect(words.contains("org/policy@" + commit) && !words.contains { $0.hasPrefix("/somewhere") })
        #expect(shortName(snapshot.folder.path) == "policy" && reportedName("/else/where") == "/else/where")
    }

    @Test("Methods differ in what they are, and in nothing else") func fairness() throws {
        let plan = try plan()
        let chain = try #require(plan.chains.first)
        func run(_ method: TableMethod) -> TrainConfiguration {
            chain.training(method, MethodSettings(learningRate: 1e-3, coefficient: 0.1), as: "same")
        }
        let rto = run(.rto)
        for (method, placement) in [
            (TableMethod.semiRTO, TokenRewardPlacement.sentence), (.ddpo, .end), (.rsPPO, .shaping),
        ] {
            var expected = rto
            expected.tokenReward.placement = placement
            #expect(run(method) == expected)
        }
        let ppo = run(.ppo)
        #expect(ppo.reinforcement == rto.reinforcement && ppo.data == rto.data && ppo.optimizer == rto.optimizer)
        var undiscounted = ppo
        undiscounted.reinforcement.lambda = 1
        #expect(run(.ppoUndiscounted) == undiscounted)
        #expect(run(.reinforce).reinforcement.advantage == .reinforce)
        #expect(run(.rtoReinforce).tokenReward == rto.tokenReward)
    }

    @Test("A method that borrows from DPO brings DPO along, and the curve halves the prompts") func entries() throws {
        let names = try plan { $0.methods = [.rto] }.entries.map(\.name)
        #expect(names == ["dpo", "rto", "rto-256", "rto-512", "rto-1024", "rto-2048"])
        #expect(try plan { ($0.methods, $0.leavesOutCurve) = ([.ppo], true) }.entries.map(\.name) == ["dpo", "ppo"])
    }

    @Test("Every method is tried at as many points, on chains of other seeds") func tuning() throws {
        let tuning = try plan { $0.tunes = true }
        for method in TableMethod.allCases {
            #expect(tuning.entries.count { $0.method == method && $0.name != method.rawValue } == 6)
        }
        #expect(Set(tuning.seeds).isDisjoint(with: try plan { $0.chains = 100 }.seeds))
    }

    @Test("Prompts are dealt out without overlap, alike for the same seed") func shares() throws {
        let place = try TemporaryDirectory()
        let rows = (0..<200).map { #"{"prompt":"p\#($0)"}"# + "\n" }.joined()
        let path = try place.write("prompts.jsonl", rows)
        let shares = try PromptShares(path)
        let sizes = try shares.fitting(ChainScale.table.sizes)
        let directory = ChainDirectory(place.url.path, policy: "p")
        try directory.make()
        func deal(_ seed: UInt64) throws -> [String] {
            try shares.write(sizes, to: directory, seed: seed)
            return try [.preferencePrompts, .heldOutPreferencePrompts, .reinforcementPrompts, .evaluationPrompts]
                .flatMap {
                    try String(contentsOfFile: directory.world($0), encoding: .utf8).split(separator: "\n").map(
                        String.init
                    )
                }
        }
        let dealt = try deal(1)
        #expect(Set(dealt).count == dealt.count && dealt.count > 190)
        #expect(try deal(1) == dealt)
        #expect(try deal(2) != dealt)
        let few = try place.write("few.jsonl", #"{"prompt":"p"}"# + "\n")
        #expect(throws: PipelineError.self) { try PromptShares(few).fitting(ChainScale.table.sizes) }
        #expect(throws: PipelineError.self) { try PromptShares("prompts.txt") }
    }
}
