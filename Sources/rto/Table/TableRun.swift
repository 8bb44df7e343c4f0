import Configuration
import Foundation
import PocketWorld
import Torch
import Training

/// Makes the table: trains every policy on every chain, measures their responses and reports.
///
/// Each step leaves its file, so a table that was interrupted goes on with what is not done, and a run with its checkpoint; a
/// finished table can be given more chains and methods.
func runTable(_ configuration: TableConfiguration) throws {
    let plan = try TablePlan(configuration)
    let gold = try configuration.gold.map { Gold.model(try GoldModel($0)) } ?? .world
    try plan.work.claim(for: plan.options, canGrow: true)
    try LibTorch.open()
    LibTorch.threads = configuration.threads
    let run = TableRun(plan: plan, gold: gold)
    try run.perform()
    try run.report()
}

/// The jobs of a table.
private struct TableRun {
    let plan: TablePlan
    let gold: Gold
    private let start = ContinuousClock.now

    init(plan: TablePlan, gold: Gold) { (self.plan, self.gold) = (plan, gold) }

    func perform() throws {
        var jobs = plan.configuration.model == nil ? pretraining : []
        for chain in plan.chains { jobs += try self.jobs(of: chain) }
        var commands = ConcurrentCommands(limit: ConcurrentCommands.limit(threads: plan.configuration.threads))
        // What models and prompts of a hub stand for has been found, and they are here: a chain must not find another commit.
        commands.environment["HF_HUB_OFFLINE"] = "1"
        var queue = TableQueue(jobs, commands, say: say)
        try queue.run()
    }

    /// Reads what was measured and writes the results.
    func report() throws {
        let results = TableResults(plan)
        let text = plan.configuration.tunes ? TuningReport(results).text : TableReport(results).text
        try results.write(report: text)
        try writeToStandardOutput(text)
        say("done")
    }

    private func say(_ text: String) {
        let seconds = Int((ContinuousClock.now - start).components.seconds)
        let time = String(format: "%d:%02d", seconds / 60, seconds % 60)
        // Nobody is told where nobody listens.
        try? FileHandle.standardError.write(contentsOf: Data("\(time)  \(text)\n".utf8))
    }

    // Jobs.

    private var pretraining: [TableJob] {
        let base = plan.base
        let model = base.directory.model + "/config.json"
        return [
            TableJob("world", needs: [], product: model) {
                try base.directory.make()
                try base.writeCorpus()
                try base.writeModel()
            },
            TableJob(PipelineStep("Pretraining", training: base.pretraining, name: "pretraining"), needs: [model]),
        ]
    }

    private func jobs(of chain: ChainPlan) throws -> [TableJob] {
        let place = chain.directory
        let name = { (work: String) in "\(chain.seed)/\(work)" }
        let policy = place.policy + "/config.json"
        let prompts = place.prompts(chain.scale.sizes.reinforcement)
        var jobs = [
            // The shares of the prompts are written last, the whole after all others.
            TableJob(name("data"), needs: [], product: prompts) { try writeData(of: chain) }
        ]
        if plan.configuration.model == nil {
            let step = PipelineStep("Chain \(chain.seed): SFT", training: chain.fineTuning, name: name("sft"))
            jobs.append(TableJob(step, needs: [place.pretrained + "/config.json", prompts]))
        }
        for (sampling, work) in [
            (chain.preferenceSamples, "preferences"), (chain.heldOutPreferenceSamples, "held-out"),
        ] {
            let step = PipelineStep("Chain \(chain.seed): \(work)", sampling: sampling, name: name(work))
            jobs.append(TableJob(step, needs: [policy, prompts]))
        }
        let samples = [chain.preferenceSamples, chain.heldOutPreferenceSamples].map { $0.output ?? "" }
        jobs.append(
            TableJob(name("judge"), needs: samples, product: place.heldOutPreferences) {
                if let judged = try chain.judge(gold) { say(judged) }
            }
        )
        return jobs + trainingJobs(of: chain)
    }

    /// The reward model and every policy, and for each one response to every evaluation prompt and its measure.
    private func trainingJobs(of chain: ChainPlan) -> [TableJob] {
        let place = chain.directory
        let name = { (work: String) in "\(chain.seed)/\(work)" }
        let reward = PipelineStep("Chain \(chain.seed): reward model", training: chain.reward, name: name("reward"))
        var jobs = [TableJob(reward, needs: [place.heldOutPreferences])]
        let dpo = place.run("dpo") + "/config.json"
        let models = [place.policy + "/config.json", reward.product]
        jobs += measurement(of: chain, TableResults.start, model: place.policy, needs: models)
        for entry in plan.entries {
            let training = chain.training(entry.method, entry.settings, prompts: entry.prompts, as: entry.name)
            let step = PipelineStep("Chain \(chain.seed): \(entry.name)", training: training, name: name(entry.name))
            var needs = [place.heldOutPreferences]
            if entry.method.preferenceLoss == nil { needs.append(reward.product) }
            if entry.method.tokenRewardPlacement != nil { needs.append(dpo) }
            jobs.append(TableJob(step, needs: needs))
            let run = place.run(entry.name)
            jobs += measurement(of: chain, entry.name, model: run, needs: models + [run + "/config.json"])
        }
        return jobs
    }

    private func measurement(of chain: ChainPlan, _ name: String, model: String, needs: [String]) -> [TableJob] {
        let sampling = chain.evaluationSamples(of: model, as: name)
        let samples = sampling.output ?? ""
        let step = PipelineStep(
            "Chain \(chain.seed): responses of \(name)",
            sampling: sampling,
            name: "\(chain.seed)/\(name)/responses"
        )
        let product = plan.measured(name, of: chain)
        return [
            TableJob(step, needs: needs),
            TableJob(
                "measure",
                needs: [samples] + needs,
                after: [chain.directory.run("dpo") + "/config.json"],
                product: product
            ) {
                try measure(chain, model: model, samples: samples).write(to: product)
            },
        ]
    }

    // Work of this process.

    private func writeData(of chain: ChainPlan) throws {
        try chain.directory.make()
        try makeFolder(chain.directory.path + "/measured")
        if let prompts = plan.configuration.prompts {
            try PromptShares(prompts).write(chain.scale.sizes, to: chain.directory, seed: UInt64(chain.seed))
        } else {
            try chain.writeCorpus()
        }
        try chain.writePromptShares(plan.promptShares)
    }

    private func measure(_ chain: ChainPlan, model: String, samples: String) throws -> MeasuredPolicy {
        let rto = chain.training(.rto, TableMethod.rto.tunedSettings, as: TableMethod.rto.rawValue)
        let prompts = chain.directory.world(.evaluationPrompts)
        let rows = try SampledRow.read(samples)
        let responses = try ResponseScorer(rto, prompts: prompts).measure(rows, of: model)
        var measured = MeasuredPolicy(responses, gold: try gold.scores(rows, prompts: prompts))
        if case .world = gold {
            let evaluated = try responses.map(EvaluatedResponse.init)
            measured.count(evaluated.map(\.gold))
            measured.separation = CreditSummary(evaluated).separation
        }
        return measured
    }
}
