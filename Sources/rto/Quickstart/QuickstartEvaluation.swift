import PocketWorld

/// The responses of every policy to the held-out prompts, measured by the models of the quickstart.
struct QuickstartEvaluation {
    /// Each policy's responses, in the order of the prompts.
    let responses: [QuickstartPolicy: [EvaluatedResponse]]

    /// Scores the sampled completions of all policies.
    init(_ plan: QuickstartPlan) throws {
        let chain = plan.chain
        let scorer = try ResponseScorer(plan.rto, prompts: chain.directory.world(.evaluationPrompts))
        var responses: [QuickstartPolicy: [EvaluatedResponse]] = [:]
        for policy in QuickstartPolicy.allCases {
            let samples = try SampledRow.read(plan.evaluationSamples(of: policy).output ?? "")
            let scored = try scorer.measure(samples, of: chain.directory.run(policy.rawValue))
            responses[policy] = try scored.map(EvaluatedResponse.init)
        }
        self.responses = responses
    }

    init(responses: [QuickstartPolicy: [EvaluatedResponse]]) { self.responses = responses }
}
