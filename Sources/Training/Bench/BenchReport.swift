import Configuration
import Foundation
import JSONText
import Torch

/// What a benchmark found, as one JSON object and as lines for a person.
struct BenchReport {
    let settings: BenchConfiguration
    let model: BenchModel
    let measurements: [BenchMeasurement]
    let ceilings: Ceilings

    /// The whole report.
    var json: JSON {
        var object = JSONObject()
        object["rto"] = .string(programVersion)
        object["libtorch"] = .string(LibTorch.version)
        object["processor_capability"] = .string(LibTorch.processorCapability)
        object["threads"] = .integer(LibTorch.threads)
        object["model"] = .string(model.name)
        object["parameters"] = .integer(model.parameterCount)
        object["precision"] = .string(settings.compute.precision.rawValue)
        object["batch"] = .integer(settings.batchSize)
        object["samples_per_prompt"] = .integer(settings.samplesPerPrompt)
        object["prompt_tokens"] = .integer(settings.promptTokens)
        object["new_tokens"] = .integer(settings.newTokens)
        object["repetitions"] = .integer(settings.repetitions)
        object["ceilings"] = [
            "gflops": .number(ceilings.matrixOperations / 1e9),
            "libtorch_gflops": .number(ceilings.libTorchOperations / 1e9),
            "gb_per_second": .number(ceilings.memoryBytes / 1e9),
        ]
        for measurement in measurements { object[measurement.work.rawValue] = json(measurement) }
        return .object(object)
    }

    private func json(_ measurement: BenchMeasurement) -> JSON {
        var object = JSONObject()
        if measurement.work == .generate {
            object["seconds"] = .number(measurement.seconds)
            object["tokens_per_second"] = .number(completionTokensPerSecond(measurement))
            for part in measurement.parts { object[part.name] = .object(members(part)) }
        } else if let part = measurement.parts.first {
            object = members(part)
        }
        object["peak_memory_bytes"] = .integer(measurement.peakMemoryBytes)
        return .object(object)
    }

    private func members(_ part: BenchMeasurement.Part) -> JSONObject {
        var object = JSONObject()
        object["tokens"] = .integer(part.tokens)
        object["seconds"] = .number(part.seconds)
        object["tokens_per_second"] = number(part.rate(Double(part.tokens)))
        object["gflops"] = number(part.rate(part.operations) / 1e9)
        object["share_of_matrix_ceiling"] = number(matrixShare(part))
        if part.weightBytes > 0 {
            object["weight_gb_per_second"] = number(part.rate(part.weightBytes) / 1e9)
            object["share_of_memory_ceiling"] = number(memoryShare(part))
        }
        return object
    }

    private func number(_ value: Double) -> JSON { value.isFinite ? .number(value) : .null }

    /// Sampled tokens by the time of prompts and decoding together, what somebody who waits for completions sees.
    private func completionTokensPerSecond(_ measurement: BenchMeasurement) -> Double {
        Double(settings.batchSize * settings.newTokens) / measurement.seconds
    }

    private func matrixShare(_ part: BenchMeasurement.Part) -> Double {
        part.rate(part.operations) / ceilings.matrixOperations
    }

    private func memoryShare(_ part: BenchMeasurement.Part) -> Double {
        part.rate(part.weightBytes) / ceilings.memoryBytes
    }

    /// The lines for a person.
    var text: String {
        let parameters = Double(model.parameterCount) / 1e6
        var lines = [
            "\(model.name), \(rounded(parameters)) million parameters, \(settings.compute.precision.rawValue), "
                + "\(LibTorch.threads) threads (\(LibTorch.processorCapability))",
            "batch \(settings.batchSize), \(settings.samplesPerPrompt) for each prompt, \(settings.promptTokens) prompt "
                + "tokens, \(settings.newTokens) new tokens, median of \(settings.repetitions)",
            "ceilings here: matrix product \(rounded(ceilings.matrixOperations / 1e9)) GFLOP/s (LibTorch's "
                + "\(rounded(ceilings.libTorchOperations / 1e9))), memory \(rounded(ceilings.memoryBytes / 1e9)) GB/s",
        ]
        for measurement in measurements {
            lines += measurement.parts.map { line($0, of: measurement.work) }
            if measurement.work == .generate {
                let rate = rounded(completionTokensPerSecond(measurement))
                lines.append(column("generate together") + "\(rate) new tokens/s")
            }
            lines.append(column("") + "peak memory \(gigabytes(Double(measurement.peakMemoryBytes)))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ part: BenchMeasurement.Part, of work: BenchWork) -> String {
        let name = column(part.name == work.rawValue ? part.name : "\(work.rawValue) \(part.name)")
        guard part.seconds > 0 else { return name + "too short to tell from noise; more --new-tokens may help" }
        var text = name + "\(rounded(part.rate(Double(part.tokens)))) tokens/s, \(rounded(part.seconds)) s, "
        text += "\(rounded(part.rate(part.operations) / 1e9)) GFLOP/s (\(percent(matrixShare(part))))"
        if part.weightBytes > 0 {
            let rate = rounded(part.rate(part.weightBytes) / 1e9)
            text += ", \(rate) GB/s of weights (\(percent(memoryShare(part))))"
        }
        return text
    }

    private func column(_ text: String) -> String { text.padding(toLength: 20, withPad: " ", startingAt: 0) }

    private func percent(_ share: Double) -> String { rounded(100 * share) + " %" }
}

/// Bytes as gigabytes: "1.25 GB".
func gigabytes(_ bytes: Double) -> String { rounded(bytes / 1e9) + " GB" }

/// Three digits, and all of those before the point: "0.0123", "1.23", "1234".
private func rounded(_ value: Double) -> String {
    let digits = value == 0 ? 2 : max(0, 2 - Int(log10(abs(value)).rounded(.down)))
    return String(format: "%.*f", min(digits, 9), value)
}
