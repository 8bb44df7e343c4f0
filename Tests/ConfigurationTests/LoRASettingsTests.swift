import Testing

@testable import Configuration

@Suite("Settings of adapters")
struct LoRASettingsTests {
    private func read(_ words: String...) throws(ConfigurationError) -> LoRASettings? {
        let needed = ["--model", "m", "--data", "d", "--output", "o"]
        guard
            case .run(let configuration) = try SettingReader(defaults: TrainConfiguration(stage: .sft)).read(
                needed + words
            )
        else { return nil }
        return configuration.lora
    }

    @Test("defaults are the reference's: no adapter, α of 16, all linear layers")
    func defaults() throws {
        let settings = try read()
        #expect(settings == LoRASettings() && settings?.rank == 0 && settings?.alpha == 16)
        #expect(settings?.targets == ["all-linear"] && settings?.dropout == 0 && settings?.isRankStabilized == false)
    }

    @Test("flags set them, also under the names of other programs")
    func flags() throws {
        let settings = try read(
            "--lora_r",
            "8",
            "--lora-alpha",
            "2.5",
            "--lora-dropout",
            "0.1",
            "--target_modules",
            "q_proj",
            "--lora-targets",
            "v_proj",
            "--use_rslora"
        )
        #expect(settings?.rank == 8 && settings?.alpha == 2.5 && settings?.dropout == 0.1)
        #expect(settings?.targets == ["q_proj", "v_proj"] && settings?.isRankStabilized == true)
    }

    @Test("what has no effect or contradicts itself is refused")
    func refusals() {
        #expect(throws: ConfigurationError.self) { try read("--lora-alpha", "8") }
        #expect(throws: ConfigurationError.self) { try read("--lora-rank", "-1") }
        #expect(throws: ConfigurationError.self) { try read("--lora-rank", "2", "--lora-dropout", "1") }
        #expect(throws: ConfigurationError.self) {
            try read("--lora-rank", "2", "--lora-targets", "all-linear", "--lora-targets", "q_proj")
        }
        let joined = #expect(throws: ConfigurationError.self) {
            try read("--lora-rank", "2", "--lora-targets", "q_proj,v_proj")
        }
        #expect(joined?.description.contains("given once for each") == true)
    }
}
