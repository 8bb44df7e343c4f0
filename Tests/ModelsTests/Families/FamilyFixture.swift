import Foundation
import JSONText
import Testing
import Torch

@testable import Models

/// What transformers computed for a tiny model of a family, recorded by `Tests/Families/record-families.py`.
struct FamilyFixture: Sendable, CustomTestStringConvertible {
    let name: String
    let json: JSON

    static let all: [FamilyFixture] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Families/families.json").standardizedFileURL
        guard let data = FileManager.default.contents(atPath: file.path), let list = try? JSON(parsing: [UInt8](data))
        else { return [] }
        return (list.array ?? []).compactMap { entry in
            entry["name"]?.string.map { FamilyFixture(name: $0, json: entry) }
        }
    }()

    var testDescription: String { name }

    func configuration() throws -> ModelConfiguration { try ModelConfiguration(json["config"] ?? nil, path: name) }

    var ids: [Int] { json["ids"]?.array?.compactMap(\.integer) ?? [] }

    func model(
        _ preparation: ParameterStore.Preparation = .frozen(),
        precision: DType = .float32
    ) throws -> LanguageModel {
        let configuration = try configuration()
        // A first model says which names and shapes there are.
        let store = try LanguageModel.fresh(configuration, seed: 1).parameters
        let source = RecordedWeights(zip(store.names, store.tensors.map(\.shape)), configuration)
        return try LanguageModel(configuration, ParameterStore(source, preparation), precision: precision)
    }
}

/// Numbers in [-0.5, 0.5) of a linear congruential generator in the order of the names; norms have factors around one.
struct RecordedWeights: ParameterSource {
    private var values: [String: [Float]] = [:]

    init(_ shapes: some Sequence<(String, [Int])>, _ configuration: ModelConfiguration) {
        var state: UInt64 = 1
        for (name, shape) in shapes.sorted(by: { $0.0 < $1.0 }) {
            let shift = name.contains("norm") && !configuration.family.traits.isGemma ? 1.0 : 0
            values[name] = (0..<shape.reduce(1, *)).map { _ in
                state = (state * 1_664_525 + 1_013_904_223) % (1 << 32)
                return Float(Double(state) / 0x1p32 - 0.5 + shift)
            }
        }
    }

    func tensor(_ name: String, shape: [Int], kind: ParameterKind) throws -> Tensor {
        guard let numbers = values[name] else { throw ModelError(name, "is not among the recorded weights") }
        return Tensor(numbers, shape: shape)
    }

    func finish(taken: Set<String>) {}
}
