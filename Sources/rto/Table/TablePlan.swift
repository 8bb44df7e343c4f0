import Configuration
import JSONText
import PocketWorld
import Training

/// Which chains and which policies a table is made of.
struct TablePlan {
    let configuration: TableConfiguration
    let work: WorkDirectory
    let scale: ChainScale
    /// The policies of every chain, DPO first, since others borrow from it.
    let entries: [TableEntry]

    /// Tuning has chains of its own, whose seeds lie this far above those of the table.
    static let tuningOffset = 1000
    /// The shares of the prompts on the curve, each half of the next one; the whole is the method's row.
    private static let shares = [16, 8, 4, 2]

    init(_ configuration: TableConfiguration) throws {
        self.configuration = configuration
        work = WorkDirectory(configuration.output, noun: "table")
        var scale: ChainScale = configuration.isMiniature ? .miniature : .table
        scale.learningRateScale = configuration.learningRateScale
        if !configuration.isMiniature { scale.maxNewTokens = configuration.maxNewTokens }
        if configuration.model != nil { scale.device = .auto }
        if let prompts = configuration.prompts { scale.sizes = try PromptShares(prompts).fitting(scale.sizes) }
        self.scale = scale
        entries = Self.entries(configuration, prompts: scale.sizes.reinforcement)
    }

    private static func entries(_ configuration: TableConfiguration, prompts: Int) -> [TableEntry] {
        let methods = [.dpo] + TableMethod.allCases.filter { $0 != .dpo && configuration.methods.contains($0) }
        if configuration.tunes {
            // Many runs, so each sees half of the prompts.
            let tried = methods.filter(configuration.methods.contains).flatMap { method in
                MethodSettings.grid(for: method).map { TableEntry(method, trying: $0, prompts: prompts / 2) }
            }
            return [TableEntry(.dpo)] + tried
        }
        let curve = configuration.leavesOutCurve ? [] : [TableMethod.ppo, .rto].filter(methods.contains)
        return methods.map { TableEntry($0) }
            + shares.flatMap { share in curve.map { TableEntry($0, prompts: prompts / share) } }
    }

    /// How many prompts the runs of the curve take, whether or not it is asked for: a table may be given it later.
    var promptShares: [Int] { Self.shares.map { scale.sizes.reinforcement / $0 }.sorted() }

    /// The seeds of the chains.
    var seeds: [Int] {
        let first = configuration.firstSeed + (configuration.tunes ? Self.tuningOffset : 0)
        return (0..<configuration.chains).map { first + $0 }
    }

    /// The chains, each with data of its own; only the pretrained model is the same for all.
    var chains: [ChainPlan] { seeds.map { chain($0) } }

    private func chain(_ seed: Int) -> ChainPlan {
        let path = work.path + "/chains/\(seed)"
        let directory =
            configuration.model.map { ChainDirectory(path, policy: $0) }
            ?? ChainDirectory(path, pretrained: base.directory.pretrained)
        var chainScale = scale
        chainScale.sizes.pretraining = 0
        return ChainPlan(directory: directory, seed: seed, threads: configuration.threads, scale: chainScale)
    }

    /// The world's pretrained model, which all chains share as the paper's methods share one base model.
    var base: ChainPlan {
        var baseScale = scale
        baseScale.sizes = WorldCorpus.Sizes(pretrainingOnly: scale.sizes.pretraining)
        let directory = ChainDirectory(work.path + "/base")
        return ChainPlan(directory: directory, seed: seeds[0], threads: configuration.threads, scale: baseScale)
    }

    /// What was measured of a policy's responses.
    func measured(_ name: String, of chain: ChainPlan) -> String {
        chain.directory.path + "/measured/" + name + ".json"
    }

    /// The options that decide what a chain and a policy come to; how many of them there are may change.
    var options: JSONObject {
        // A folder of the cache says nothing to whoever reads this, and is another one elsewhere.
        let configuration = namingInputs(configuration)
        var options = JSONObject()
        options["pretraining_seed"] = .integer(base.seed)
        options["quick"] = .bool(configuration.isMiniature)
        options["model"] = configuration.model.map(JSON.string) ?? .null
        options["prompts"] = configuration.prompts.map(JSON.string) ?? .null
        options["gold"] = configuration.gold.map(JSON.string) ?? .null
        options["learning_rate_scale"] = .number(configuration.learningRateScale)
        options["max_new_tokens"] = .integer(scale.maxNewTokens)
        options["threads"] = .integer(configuration.threads)
        return options
    }
}
