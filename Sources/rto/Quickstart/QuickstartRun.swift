import Configuration
import Foundation
import PocketWorld
import Torch
import Training

/// Runs the whole pipeline on the pocket world: the paper in a pocket.
///
/// Models are trained and texts are sampled by the functions behind `rto train` and `rto generate`, and every step leaves its
/// files, so a quickstart that was interrupted goes on with the first step that is not done.
func runQuickstart(_ configuration: QuickstartConfiguration) throws {
    let plan = QuickstartPlan(configuration)
    try plan.work.claim(for: QuickstartPlan.options(configuration))
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
    private var progress = StepProgress(stepCount: 14)

    init(plan: QuickstartPlan) { self.plan = plan }

    private var chain: ChainPlan { plan.chain }
    private var directory: ChainDirectory { plan.chain.directory }

    mutating func makeWorld() throws {
        let title = "A world whose true reward is a known function of the text: prompts, texts, an untrained model"
        try directory.make()
        guard progress.begins(title, unless: directory.model + "/config.json") else { return }
        try chain.writeCorpus()
        try chain.writeModel()
    }

    mutating func trainPolicies() throws {
        try perform([
            PipelineStep(
                "Pretraining on true texts: how to look names and values up in the prompt",
                training: chain.pretraining
            )
        ])
        try perform([
            PipelineStep(
                "SFT on texts of mixed quality: the policy that everything after starts from",
                training: chain.fineTuning
            )
        ])
        let title = "responses of the SFT policy, judged by the gold reward with Bradley and Terry's noise"
        try perform([
            PipelineStep("Preferences: \(title)", sampling: chain.preferenceSamples, name: "preferences"),
            PipelineStep("Held-out preferences", sampling: chain.heldOutPreferenceSamples, name: "held-out"),
        ])
        if let judged = try chain.judge(.world) { progress.say(judged) }
        try perform([
            PipelineStep("Reward model: one score for a whole response", training: chain.reward),
            PipelineStep("DPO: a policy that knows which words the judges liked", training: plan.dpo),
        ])
        try perform([
            PipelineStep("PPO with the reward model's score at the end of each response", training: plan.ppo),
            PipelineStep("RTO: the same, and the DPO policy's reward at each word", training: plan.rto),
        ])
    }

    /// Takes steps that need nothing of each other, at the same time where there are processors for several.
    private mutating func perform(_ steps: [PipelineStep]) throws {
        var waiting: [PipelineStep] = []
        for step in steps
        where progress.begins(step.title, command: ["rto"] + step.words.dropFirst(), unless: step.product) {
            waiting.append(step)
        }
        let limit = ConcurrentCommands.limit(threads: chain.threads)
        guard waiting.count > 1, limit > 1 else {
            for step in waiting { try step.run() }
            return
        }
        try ConcurrentCommands(limit: limit).run(waiting.map(\.command))
    }

    mutating func compare() throws {
        try perform(
            QuickstartPolicy.allCases.map { policy in
                PipelineStep(
                    "One response of the \(policy.title) policy to each held-out prompt",
                    sampling: plan.evaluationSamples(of: policy),
                    name: policy.rawValue
                )
            }
        )
        progress.begins("Gold reward, reward model, KL and token rewards of every response")
        let report = QuickstartReport(try QuickstartEvaluation(plan), plan.work)
        try report.write()
        let text = report.text(.ofStandardOutput)
        try writeToStandardOutput(text)
        progress.say("done after \(progress.elapsed)")
    }
}
