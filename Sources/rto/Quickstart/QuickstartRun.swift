import Configuration
import Foundation
import JSONText
import Models
import PocketWorld
import Torch
import Training

/// Runs the whole pipeline on the pocket world: the paper in a pocket.
///
/// Models are trained and texts are sampled by the functions behind `rto train` and `rto generate`, and every step leaves its
/// files, so a quickstart that was interrupted goes on with the first step that is not done.
func runQuickstart(_ configuration: QuickstartConfiguration) throws {
    let plan = QuickstartPlan(configuration)
    try plan.directory.claim(for: configuration)
    try LibTorch.open()
    LibTorch.threads = configuration.threads
    var run = QuickstartRun(plan: plan)
    try run.makeWorld()
    try run.trainPolicies()
    try run.compare()
}

/// The steps of a quickstart, each passed over where its files exist.
private struct QuickstartRun {
    let plan: QuickstartPlan
    private var progress = QuickstartProgress(stepCount: 14)

    init(plan: QuickstartPlan) { self.plan = plan }

    private var directory: QuickstartDirectory { plan.directory }
    private var seed: UInt64 { UInt64(plan.seed) }

    // The world.

    mutating func makeWorld() throws {
        let title = "A world whose true reward is a known function of the text: prompts, texts, an untrained model"
        let model = URL(filePath: directory.model)
        guard progress.begins(title, unless: directory.model + "/config.json") else { return }
        let corpus = WorldCorpus(seed: seed)
        try corpus.write(to: model.deletingLastPathComponent())
        try WorldTokenizer().write(to: model)
        let shape = try ModelConfiguration(JSON(parsing: TinyLlama.policy.configurationText()), path: "config.json")
        // Its config.json comes last.
        try LanguageModel.fresh(shape, seed: seed).save(to: model, dtype: .float32)
    }

    // Training.

    mutating func trainPolicies() throws {
        try train([
            TrainingStep("Pretraining on true texts: how to look names and values up in the prompt", plan.pretraining)
        ])
        try train([
            TrainingStep("SFT on texts of mixed quality: the policy that everything after starts from", plan.fineTuning)
        ])
        let title = "responses of the SFT policy, judged by the gold reward with Bradley and Terry's noise"
        try sample([
            SamplingStep("Preferences: \(title)", plan.preferenceSamples, name: "preferences"),
            SamplingStep("Held-out preferences", plan.heldOutPreferenceSamples, name: "held-out"),
        ])
        try judge(plan.preferenceSamples, to: directory.preferences)
        try judge(plan.heldOutPreferenceSamples, to: directory.heldOutPreferences)
        try train([
            TrainingStep("Reward model: one score for a whole response", plan.reward),
            TrainingStep("DPO: a policy that knows which words the judges liked", plan.preference),
        ])
        try train([
            TrainingStep("PPO with the reward model's score at the end of each response", plan.ppo),
            TrainingStep("RTO: the same, and the DPO policy's reward at each word", plan.rto),
        ])
    }

    /// Trains stages that need nothing of each other, at the same time where there are processors for all.
    private mutating func train(_ stages: [TrainingStep]) throws {
        var waiting: [TrainingStep] = []
        for stage in stages {
            let model = stage.configuration.loop.output + "/config.json"
            if progress.begins(stage.title, command: ["rto"] + stage.words, unless: model) { waiting.append(stage) }
        }
        guard runsTogether(waiting) else {
            for stage in waiting { try train(stage.configuration) }
            return
        }
        try ConcurrentCommands(
            commands: waiting.map { stage in
                let run = stage.configuration.loop.output
                return .init(name: stage.configuration.stage.rawValue, words: begunRun(run) ?? stage.words)
            }
        ).run()
    }

    /// How to go on with a run that was begun, or nil where there is none.
    private func begunRun(_ run: String) -> [String]? {
        FileManager.default.fileExists(atPath: run + "/recipe.yaml") ? ["resume", run] : nil
    }

    private func runsTogether(_ steps: [some Any]) -> Bool {
        steps.count > 1 && ConcurrentCommands.limit(threads: plan.threads) > 1
    }

    private func train(_ configuration: TrainConfiguration) throws {
        try configuration.check()
        try configuration.checkInputs()
        // Training stops at a signal when it has written a checkpoint; all else is whole or absent whenever it is stopped.
        defer { for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) } }
        do {
            let run = configuration.loop.output
            if begunRun(run) != nil {
                try Training.resume(run: run)
            } else {
                let words = CommandLineText.words(configuration)
                let versions = [Recipe.Version("rto", programVersion)]
                try Training.train(
                    configuration,
                    recipe: Recipe(configuration: configuration, commandLine: words, versions: versions)
                )
            }
        } catch let error as TrainingError where error.exitStatus.rawValue > 128 {
            throw QuickstartError("interrupted; give the same command again to go on", error.exitStatus)
        }
    }

    // Sampling.

    /// Writes completions of independent commands, at the same time where there are processors for several.
    private mutating func sample(_ samplings: [SamplingStep]) throws {
        var waiting: [SamplingStep] = []
        for sampling in samplings {
            let words = ["rto"] + sampling.words
            if progress.begins(sampling.title, command: words, unless: sampling.configuration.output) {
                waiting.append(sampling)
            }
        }
        guard runsTogether(waiting) else {
            for sampling in waiting {
                try sampling.configuration.check()
                try sampling.configuration.checkInputs()
                try Training.generate(sampling.configuration)
            }
            return
        }
        let limit = ConcurrentCommands.limit(threads: plan.threads)
        for start in stride(from: 0, to: waiting.count, by: limit) {
            let commands = waiting[start..<min(start + limit, waiting.count)]
            try ConcurrentCommands(commands: commands.map { .init(name: $0.name, words: $0.words) }).run()
        }
    }

    /// Makes preference pairs of samples.
    private func judge(_ samples: GenerateConfiguration, to pairs: String) throws {
        guard !FileManager.default.fileExists(atPath: pairs) else { return }
        let responses = try SampledRow.read(samples.output ?? "")
        let judged = try judgePairs(responses, seed: seed, purpose: URL(filePath: pairs).lastPathComponent)
        try WorldCorpus.write(judged, to: URL(filePath: pairs))
        let agreeing = judged.count { $0.agreesWithGold }
        progress.say(
            "\(judged.count) pairs in \(pairs); the judge agrees with gold on \(percent(agreeing, judged.count))"
        )
    }

    // Comparing.

    mutating func compare() throws {
        try sample(
            QuickstartPolicy.allCases.map { policy in
                let title = "One response of the \(policy.title) policy to each held-out prompt"
                return SamplingStep(title, plan.evaluationSamples(of: policy.rawValue), name: policy.rawValue)
            }
        )
        progress.begins("Gold reward, reward model, KL and token rewards of every response")
        let evaluation = try QuickstartEvaluation(plan)
        let report = QuickstartReport(evaluation, directory)
        try report.write()
        let text = report.text(.ofStandardOutput)
        try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        progress.say("done after \(progress.elapsed)")
    }

    private func percent(_ part: Int, _ whole: Int) -> String {
        String(format: "%.0f %%", 100 * Double(part) / Double(max(1, whole)))
    }
}

/// A stage to train, under the heading that announces it.
private struct TrainingStep {
    let title: String
    let configuration: TrainConfiguration

    init(_ title: String, _ configuration: TrainConfiguration) {
        self.title = title
        self.configuration = configuration
    }

    /// What a person would type after the program's name.
    var words: [String] { Array(CommandLineText.words(configuration).dropFirst()) }
}

/// Completions to sample, under the heading that announces them.
private struct SamplingStep {
    let title: String
    let configuration: GenerateConfiguration
    /// What stands before its lines where several are sampled at once.
    let name: String

    init(_ title: String, _ configuration: GenerateConfiguration, name: String) {
        self.title = title
        self.configuration = configuration
        self.name = name
    }

    /// What a person would type after the program's name.
    var words: [String] { Array(CommandLineText.words(configuration).dropFirst()) }
}
