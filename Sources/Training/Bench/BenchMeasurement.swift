import Configuration
import Models
import Torch

/// What one kind of work took.
struct BenchMeasurement {
    let work: BenchWork
    /// The median of the repetitions.
    let seconds: Double
    /// Its parts: prompts and decoding for generation, one for everything else.
    let parts: [Part]
    /// The largest resident size of the process so far.
    let peakMemoryBytes: Int

    /// Work of one nature.
    struct Part {
        let name: String
        /// Tokens that were read, or sampled in decoding.
        let tokens: Int
        /// The median of the repetitions; not positive where the machine's noise is longer than the work.
        let seconds: Double
        /// Floating-point operations by ``DecoderCost``.
        let operations: Double
        /// Bytes of weights that must come from memory; zero where arithmetic is what takes the time.
        var weightBytes = 0.0

        /// An amount by the time it took; NaN where that is lost in noise.
        func rate(_ amount: Double) -> Double { seconds > 0 ? amount / seconds : .nan }
    }
}

/// Measures each kind of work on one model.
struct BenchRun {
    let settings: BenchConfiguration
    let model: BenchModel
    private let cost: DecoderCost

    init(_ settings: BenchConfiguration, model: BenchModel) {
        self.settings = settings
        self.model = model
        cost = DecoderCost(model.configuration)
    }

    func measure(_ work: BenchWork) throws -> BenchMeasurement {
        switch work {
        case .generate: try generation()
        case .score: measurement(work, try scoring())
        case .sft: measurement(work, try supervised())
        case .dpo: measurement(work, try preference())
        }
    }

    private func measurement(_ work: BenchWork, _ part: BenchMeasurement.Part) -> BenchMeasurement {
        BenchMeasurement(work: work, seconds: part.seconds, parts: [part], peakMemoryBytes: Memory.peakResidentBytes)
    }

    /// The seconds of each repetition, without one before them that warms up; the body is told how many came before.
    private func seconds<Result>(_ body: (Int) throws -> Result) throws -> [Double] {
        let times = try (0...settings.repetitions).map { run in
            try ContinuousClock().measure { _ = try body(run) }.inSeconds
        }
        return Array(times.dropFirst())
    }

    /// Prompts are what one new token takes, decoding what all new tokens take beyond that.
    private func generation() throws -> BenchMeasurement {
        let (batch, prompt, new) = (settings.batchSize, settings.promptTokens, settings.newTokens)
        let language = try model.sampling()
        var source = BenchRows(vocabularySize: model.configuration.vocabularySize)
        let prompts = source.prompts(settings, sequences: batch)
        func seconds(newTokens: Int) throws -> [Double] {
            let generator = try SequenceGenerator(
                language,
                SamplingParameters(maxNewTokens: newTokens),
                concurrency: batch,
                cacheBytes: .max
            )
            return try self.seconds { run in
                try generator.generate(prompts, samplesPerPrompt: settings.samplesPerPrompt, seed: UInt64(run))
            }
        }
        let reading = median(try seconds(newTokens: 1))
        let whole = median(try seconds(newTokens: new))
        let parts = [
            BenchMeasurement.Part(
                name: "prompts",
                tokens: prompts.count * prompt,
                seconds: reading,
                operations: cost.forward(TokenBatch(prompts).segments, headRows: batch)
            ),
            BenchMeasurement.Part(
                name: "decode",
                tokens: batch * (new - 1),
                seconds: whole - reading,
                operations: cost.decoding(sequences: batch, promptTokens: prompt, newTokens: new),
                weightBytes: Double(new - 1) * weightBytesOfStep
            ),
        ]
        let peak = Memory.peakResidentBytes
        return BenchMeasurement(work: .generate, seconds: whole, parts: parts, peakMemoryBytes: peak)
    }

    /// Bytes of the weights that a decoding step reads; of the embedding it needs a row a sequence only.
    private var weightBytesOfStep: Double {
        Double(settings.compute.precision.dtype.byteSize) * (cost.layerWeights + cost.headWeights)
    }

    private func scoring() throws -> BenchMeasurement.Part {
        let language = try model.frozen()
        var source = BenchRows(vocabularySize: model.configuration.vocabularySize)
        let rows = source.rows(settings, count: settings.batchSize)
        let batches = ResponseBatch.microBatches(rows, tokenBudget: settings.microBatchTokens)
            .map { ResponseBatch(Array(rows[$0])) }
        let seconds = try seconds { _ in
            withoutGradients { for batch in batches { _ = language.logProbabilities(batch).floats } }
        }
        let whole = ResponseBatch(rows)
        return part("score", whole, seconds, cost.scoring(whole))
    }

    private func supervised() throws -> BenchMeasurement.Part {
        var source = BenchRows(vocabularySize: model.configuration.vocabularySize)
        let rows = source.rows(settings, count: settings.batchSize * (settings.repetitions + 1))
        let stage = try SupervisedStage(
            training(.sft),
            policy: model.trainable(),
            rows: StageRows(rows) { _ in 0 },
            evaluation: .none
        )
        let seconds = try seconds(stage.step)
        let whole = ResponseBatch(Array(rows.prefix(settings.batchSize)))
        return part("step", whole, seconds, cost.training(whole))
    }

    private func preference() throws -> BenchMeasurement.Part {
        var source = BenchRows(vocabularySize: model.configuration.vocabularySize)
        let pairs = source.pairs(settings, count: settings.batchSize * (settings.repetitions + 1))
        let stage = try PreferenceStage(
            training(.dpo),
            policy: model.trainable(),
            reference: model.frozen(),
            pairs: StageRows(pairs),
            evaluation: .none
        )
        let seconds = try seconds(stage.step)
        let whole = ResponseBatch(pairs.prefix(settings.batchSize).flatMap(\.responses))
        return part("step", whole, seconds, cost.training(whole) + cost.scoring(whole))
    }

    private func part(
        _ name: String,
        _ batch: ResponseBatch,
        _ seconds: [Double],
        _ operations: Double
    ) -> BenchMeasurement.Part {
        .init(name: name, tokens: batch.batch.tokens.count, seconds: median(seconds), operations: operations)
    }

    /// The settings of a training run of this size, so that the stages themselves are measured.
    private func training(_ stage: Configuration.Stage) -> TrainConfiguration {
        var configuration = TrainConfiguration(stage: stage)
        configuration.compute = settings.compute
        configuration.data.keepsOrder = true
        configuration.loop.batchSize = settings.batchSize
        configuration.loop.microBatchTokens = settings.microBatchTokens
        return configuration
    }
}
