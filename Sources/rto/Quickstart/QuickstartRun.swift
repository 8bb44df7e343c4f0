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
        try train("Pretraining on true texts: how to look names and values up in the prompt", plan.pretraining)
        try train("SFT on texts of mixed quality: the policy that everything after starts from", plan.fineTuning)
        let title = "responses of the SFT policy, judged by the gold reward with Bradley and Terry's noise"
        try samplePairs("Preferences: \(title)", plan.preferenceSamples, to: directory.preferences)
        try samplePairs("Held-out preferences", plan.heldOutPreferenceSamples, to: directory.heldOutPreferences)
        try train("Reward model: one score for a whole response", plan.reward)
        try train("DPO: a policy that knows which words the judges liked", plan.preference)
        try train("PPO with the reward model's score at the end of each response", plan.ppo)
        try train("RTO: the same, and the DPO policy's reward at each word", plan.rto)
    }

    private mutating func train(_ title: String, _ configuration: TrainConfiguration) throws {
        let words = CommandLineText.words(configuration)
        let run = configuration.loop.output
        guard progress.begins(title, command: words, unless: run + "/config.json") else { return }
        try configuration.check()
        try configuration.checkInputs()
        // Training stops at a signal when it has written a checkpoint; all else is whole or absent whenever it is stopped.
        defer { for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) } }
        do {
            if FileManager.default.fileExists(atPath: run + "/recipe.yaml") {
                try Training.resume(run: run)
            } else {
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

    private mutating func samplePairs(_ title: String, _ samples: GenerateConfiguration, to pairs: String) throws {
        try sample(title, samples)
        guard !FileManager.default.fileExists(atPath: pairs) else { return }
        let responses = try SampledRow.read(samples.output ?? "")
        let judged = try judgePairs(responses, seed: seed, purpose: URL(filePath: pairs).lastPathComponent)
        try WorldCorpus.write(judged, to: URL(filePath: pairs))
        let agreeing = judged.count { $0.agreesWithGold }
        progress.say(
            "\(judged.count) pairs in \(pairs); the judge agrees with gold on \(percent(agreeing, judged.count))"
        )
    }

    private mutating func sample(_ title: String, _ configuration: GenerateConfiguration) throws {
        let words = CommandLineText.words(configuration)
        guard progress.begins(title, command: words, unless: configuration.output) else { return }
        try configuration.check()
        try configuration.checkInputs()
        try Training.generate(configuration)
    }

    // Comparing.

    mutating func compare() throws {
        for policy in QuickstartPolicy.allCases {
            let title = "One response of the \(policy.title) policy to each held-out prompt"
            try sample(title, plan.evaluationSamples(of: policy.rawValue))
        }
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
