import PocketWorld

/// Who knows the truth about responses.
enum Gold {
    /// The gold reward of the pocket world.
    case world
    /// The score of a reward model.
    case model(GoldModel)

    /// The true reward of responses to the prompts of a file, equally many to each.
    func scores(_ samples: [SampledRow], prompts: String) throws -> [Double] {
        switch self {
        case .world:
            try samples.map {
                try GoldReward().score(prompt: $0.prompt, response: $0.completion, isFinished: $0.isFinished).total
            }
        case .model(let model): try model.scores(samples, prompts: prompts)
        }
    }
}
