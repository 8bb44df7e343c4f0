import Safetensors

extension SafetensorsCheckpoint {
    /// Why the weights cannot be read, where names of tensors show that they are quantised: GPTQ's and AWQ's `qweight`,
    /// bitsandbytes' `absmax` and `SCB`.
    var quantisation: ModelError? {
        let marks = [".qweight", ".qzeros", ".absmax", ".quant_map", ".SCB"]
        let found = entries.map(\.name).first { name in marks.contains { name.hasSuffix($0) } }
        return found.map {
            ModelError(
                directory.path,
                "the checkpoint is quantised (\"\($0)\"), which is not supported; use the original weights"
            )
        }
    }
}
