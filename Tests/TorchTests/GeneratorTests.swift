import Testing

@testable import Torch

@Suite("Generator")
struct GeneratorTests {
    private func numbers(_ generator: Generator) -> [Float] {
        // Seventeen numbers: normal ones come in pairs, of which the second must be part of the state.
        let tensor = Tensor.empty([17])
        tensor.fillNormal(deviation: 1, generator)
        return tensor.floats
    }

    @Test("a seed decides the numbers")
    func seeds() {
        #expect(numbers(Generator(seed: 5)) == numbers(Generator(seed: 5)))
        #expect(numbers(Generator(seed: 5)) != numbers(Generator(seed: 6)))
        #expect(numbers(Generator(seed: .max)) == numbers(Generator(seed: .max)))
    }

    @Test("a saved state goes on exactly, in another generator too")
    func state() {
        let generator = Generator(seed: 7)
        _ = numbers(generator)
        let state = generator.state
        let expected = [numbers(generator), numbers(generator)]
        generator.state = state
        #expect([numbers(generator), numbers(generator)] == expected)
        let other = Generator(seed: 1)
        other.state = state
        #expect([numbers(other), numbers(other)] == expected)
        #expect(state.dtype == .uint8)
    }
}
