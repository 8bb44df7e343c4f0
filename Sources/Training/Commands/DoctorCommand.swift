import Datasets
import Foundation
import Hub
import JSONText
import Torch

/// Reports versions, devices and threads, and whatever is wrong with its remedy.
///
/// - Parameter asJSON: one JSON object instead of lines.
public func doctor(asJSON: Bool, programVersion: String) throws {
    var object = JSONObject()
    var problems: [String] = []
    object["rto"] = .string(programVersion)
    object["processors"] = .integer(ProcessInfo.processInfo.activeProcessorCount)
    object["memory_bytes"] = .integer(Int(ProcessInfo.processInfo.physicalMemory))
    do {
        try LibTorch.open()
        object["libtorch"] = .string(LibTorch.version)
        object["threads"] = .integer(LibTorch.threads)
        do {
            object["cuda_devices"] = .integer(try LibTorch.openCUDA())
        } catch {
            object["cuda_devices"] = .integer(0)
            object["cuda"] = .string(error.reason)
        }
        // Later: LibTorch asks there what its CUDA library was built of, and would go on without one that comes after.
        object["processor_capability"] = .string(LibTorch.processorCapability)
    } catch {
        problems.append(
            "LibTorch could not be loaded (\(error.reason)): delete .libtorch and run ./rto again, "
                + "or set LIBTORCH to another build"
        )
    }
    let hub = HubSettings()
    object["hub_cache"] = .string(hub.cache.path)
    object["hub_endpoint"] = .string(hub.endpoint)
    object["hub_offline"] = .bool(hub.isOffline)
    object["hub_token"] = .string(hub.token.map { "yes (\($0.source))" } ?? "no")
    problems += hub.problems
    let parquet = ParquetSupport.status
    object["parquet"] = .string(parquet.text)
    if let problem = parquet.problem { problems.append(problem) }
    object["problems"] = .array(problems.map { .string($0) })
    if asJSON {
        try writeToStandardOutput(JSON.object(object).serialized() + "\n")
    } else {
        for (key, value) in object.members where key != "problems" {
            try writeToStandardOutput("\(key): \(value.string ?? value.serialized())\n")
        }
        try writeToStandardOutput(
            problems.isEmpty ? "no problems found\n" : problems.map { "problem: \($0)\n" }.joined()
        )
    }
    if !problems.isEmpty { throw TrainingError("something is wrong, see above") }
}

extension LibTorch {
    /// The vector instructions LibTorch uses, from its own account.
    static var processorCapability: String {
        let mark = "CPU capability usage: "
        guard let line = buildConfiguration.split(separator: "\n").first(where: { $0.contains(mark) }),
            let range = line.range(of: mark)
        else { return "unknown" }
        return String(line[range.upperBound...])
    }
}
