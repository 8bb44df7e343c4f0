import Configuration
import Training

/// What every command calls.
let engine: any CommandEngine = Engine()

/// Hands the commands over to the rooms that compute.
private struct Engine: CommandEngine {
    func train(_ configuration: TrainConfiguration, recipe: Recipe) throws {
        try Training.train(configuration, recipe: recipe)
    }

    func resume(run: String) throws { try Training.resume(run: run) }

    func generate(_ configuration: GenerateConfiguration) throws { try Training.generate(configuration) }

    func chat(_ configuration: ChatConfiguration) throws { try Training.chat(configuration) }

    func serve(_ configuration: ServeConfiguration) throws { try Training.serve(configuration) }

    func score(_ configuration: ScoreConfiguration) throws { try Training.score(configuration) }

    func pairs(_ configuration: PairsConfiguration) throws { try Training.pairs(configuration) }
    func inspect(_ configuration: InspectConfiguration) throws { try showInspection(configuration) }
    func merge(_ configuration: MergeConfiguration) throws { try Training.merge(configuration) }

    func bench(_ configuration: BenchConfiguration) throws { try Training.bench(configuration) }

    func table(_ configuration: TableConfiguration) throws { try runTable(configuration) }

    func quickstart(_ configuration: QuickstartConfiguration) throws { try runQuickstart(configuration) }

    func doctor(asJSON: Bool) throws { try Training.doctor(asJSON: asJSON, programVersion: programVersion) }
}
