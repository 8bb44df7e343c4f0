/// In which order AlpacaEval shows a judge the two answers to an instruction.
public enum OutputOrder {
    /// Whether the model's answer is shown first: the second of two equally likely choices by Python's generator, seeded with
    /// the instruction and the annotator's seed.
    public static func isSwitched(_ instruction: String, seed: Int = 0) -> Bool {
        var random = MersenneTwister(pythonSeed: "is_switched_outputs" + instruction + String(seed))
        return random.uniform() >= 0.5
    }
}
