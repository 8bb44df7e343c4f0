import Configuration
import JSONText

/// The settings of every command that a quickstart runs: one chain of the table's world, with fewer data.
///
/// They were found on this world by `rto bench table --tune`, on other seeds. PPO and RTO share all of theirs but the token
/// reward and what was tuned.
struct QuickstartPlan {
    let work: WorkDirectory
    let chain: ChainPlan

    init(_ configuration: QuickstartConfiguration) {
        work = WorkDirectory(configuration.output, noun: "quickstart")
        chain = ChainPlan(
            directory: ChainDirectory(work.path),
            seed: configuration.seed,
            threads: configuration.threads,
            scale: .quickstart
        )
    }

    /// The options that decide what comes out.
    static func options(_ configuration: QuickstartConfiguration) -> JSONObject {
        var options = JSONObject()
        options["seed"] = .integer(configuration.seed)
        options["threads"] = .integer(configuration.threads)
        return options
    }

    var dpo: TrainConfiguration { training(.dpo) }
    var ppo: TrainConfiguration { training(.ppo) }
    /// PPO with one more reward.
    var rto: TrainConfiguration { training(.rto) }

    private func training(_ method: TableMethod) -> TrainConfiguration {
        chain.training(method, method.tunedSettings, as: method.rawValue)
    }

    /// One response of a policy to each evaluation prompt.
    func evaluationSamples(of policy: QuickstartPolicy) -> GenerateConfiguration {
        chain.evaluationSamples(of: chain.directory.run(policy.rawValue), as: policy.rawValue)
    }
}
