import Configuration
import Foundation
import Models
import Torch

extension StageBuilder {
    /// What adapts a model that is trained: the adapter that its directory holds, or a new one as the settings say.
    ///
    /// - Throws: `TrainingError` where the settings ask for a new adapter and every trained model is one already, or name layers
    ///   that no decoder here has.
    func adapterStart(seed: UInt64) throws -> AdapterStart {
        let settings = configuration.lora
        guard settings.rank > 0 else { return AdapterStart(seed: seed) }
        if try trainedDirectories.allSatisfy({ try ModelPlace(URL(filePath: $0)).isAdapter }) {
            throw TrainingError(
                "\(configuration.model.model): is an adapter, which is trained as it is; leave out --lora-rank, or make a "
                    + "whole model of it first with `rto merge`",
                .usage
            )
        }
        let names = AdapterSettings.layers + AdapterSettings.fusedLayers
        let unknown = settings.targets.first { target in
            target != LoRASettings.allLinear && !names.contains { $0 == target || target.hasSuffix("." + $0) }
        }
        if let unknown {
            throw TrainingError(
                "--lora-targets \(unknown): the linear layers are \(names.joined(separator: ", ")), and "
                    + "\(LoRASettings.allLinear) is all of them",
                .usage
            )
        }
        return AdapterStart(settings.adapter, seed: seed)
    }

    /// The directory of the weights below the adapter of a trained model, as its starting point says it.
    ///
    /// A checkpoint names it too, but a run may have been moved together with its models.
    func base(of start: String) throws -> URL { try ModelPlace(URL(filePath: start)).base }

    /// The directories of the models that are trained.
    var trainedDirectories: [String] {
        let hasCritic = configuration.stage.isReinforcement && configuration.reinforcement.advantage.needsCritic
        return [configuration.model.model] + (hasCritic ? [configuration.criticDirectory] : [])
    }

    /// The adapter that a model which starts from a directory is trained with, nil where all weights are.
    func trainedAdapter(_ directory: String) -> AdapterSettings? {
        (try? ModelPlace(URL(filePath: directory)))?.settings
            ?? (configuration.lora.rank > 0 ? configuration.lora.adapter : nil)
    }
}

extension LoRASettings {
    /// The adapter's shape.
    fileprivate var adapter: AdapterSettings {
        AdapterSettings(
            rank: rank,
            alpha: alpha,
            dropout: dropout,
            targets: targets == [Self.allLinear] ? nil : targets,
            isRankStabilized: isRankStabilized
        )
    }
}
