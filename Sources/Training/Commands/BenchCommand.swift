import Configuration
import Foundation
import Torch

/// Measures generation, scoring and training on one model, and what this machine can do at most.
public func bench(_ settings: BenchConfiguration) throws {
    let device = try chosenDevice(settings.compute)
    let model = try BenchModel(settings, device: device)
    // Each kind once, in the order in which memory grows, since the peak is that of the process so far.
    let work = BenchWork.allCases.filter(settings.work.contains)
    try model.checkMemory(
        of: work,
        sequences: settings.batchSize,
        length: settings.promptTokens + settings.newTokens
    )
    let run = BenchRun(settings, model: model)
    var measurements: [BenchMeasurement] = []
    for kind in work {
        note("measuring \(kind.rawValue)")
        measurements.append(try run.measure(kind))
    }
    note("measuring this machine")
    // Last: its large tensors are not the model's memory.
    let ceilings = Ceilings(dtype: settings.compute.precision.dtype, device: device)
    let report = BenchReport(settings: settings, model: model, measurements: measurements, ceilings: ceilings)
    try writeToStandardOutput(settings.printsJSON ? report.json.serialized() + "\n" : report.text)
}
