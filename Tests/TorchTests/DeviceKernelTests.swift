import Testing

@testable import Torch

/// An NVIDIA device, where there is one.
enum TestDevice {
    static let device: Device? = ((try? LibTorch.openCUDA()) ?? 0) > 0 ? .cuda(0) : nil
    static let reason: Comment = "there is no CUDA device"
}

/// The same operators on the processor are the oracle, which tests of their own compare with plain forms.
@Suite("Kernels on a CUDA device", .serialized, .enabled(if: TestDevice.device != nil, TestDevice.reason))
struct DeviceKernelTests {
    private func random(_ shape: [Int], seed: UInt64, deviation: Double = 1) -> Tensor {
        let tensor = Tensor.empty(shape, .float64)
        tensor.fillNormal(deviation: deviation, Generator(seed: seed))
        return tensor
    }

    /// Values and gradients of a function of some leaves on a device, the gradients under one fixed upstream gradient an output.
    private func outcome(_ leaves: [Tensor], _ device: Device, _ body: ([Tensor]) -> [Tensor]) -> [Tensor] {
        let copies = leaves.map { $0.clone().to(device).detached() }
        for copy in copies where copy.dtype.isFloatingPoint { copy.requiresGradient = true }
        let outputs = body(copies)
        let losses = outputs.enumerated().map { index, output in
            (output.to(.float32) * random(output.shape, seed: 90 + UInt64(index)).to(.float32).to(device)).sum()
        }
        losses.dropFirst().reduce(losses[0]) { $0 + $1 }.backward()
        let gradients = copies.filter { $0.dtype.isFloatingPoint }.map { $0.gradient ?? $0.zerosLike() }
        return (outputs.map { $0.detached() } + gradients).map { $0.to(.cpu) }
    }

    /// Compares device and processor; the error is relative to the largest element of each tensor.
    private func compare(_ leaves: [Tensor], _ tolerance: Double, _ body: ([Tensor]) -> [Tensor]) throws {
        let device = try #require(TestDevice.device)
        let (found, expected) = (outcome(leaves, device, body), outcome(leaves, .cpu, body))
        for (index, (mine, right)) in zip(found, expected).enumerated() where right.count > 0 {
            #expect(mine.shape == right.shape && mine.dtype == right.dtype)
            let error = (mine.to(.float64) - right.to(.float64)).magnitude().max().scalar
            let size = max(1e-30, right.to(.float64).magnitude().max().scalar)
            #expect(error <= tolerance * size, "tensor \(index) of \(right.dtype) is off by \(error / size)")
        }
    }

    static let types: [(DType, Double)] = [(.float32, 1e-5), (.bfloat16, 2e-2)]
    static let shapes = [[1, 2], [3, 7], [5, 100], [40, 256], [130, 576], [700, 4096]]

    @Test("norms", arguments: types, shapes)
    func norms(type: (DType, Double), shape: [Int]) throws {
        let leaves = [random(shape, seed: 1), random(shape, seed: 2)].map { $0.to(type.0) }
        for weightType in [type.0, .float32] {
            let weight = random([shape[1]], seed: 3).to(weightType)
            for addsOne in [false, true] {
                try compare(leaves + [weight], type.1) {
                    let (sum, normalized) = $0[0].adding($0[1], normalizedBy: $0[2], epsilon: 1e-5, addsOne: addsOne)
                    return [sum, normalized, $0[0].rootMeanSquareNorm($0[2], epsilon: 1e-5, addsOne: addsOne)]
                }
            }
        }
    }

    @Test("turned heads", arguments: types, [(1, 2), (3, 8), (4, 64), (5, 10), (32, 128)] as [(Int, Int)])
    func rotary(type: (DType, Double), heads: (Int, Int)) throws {
        let (cosine, sine) = (
            random([9, 1, heads.1 / 2], seed: 2).to(type.0), random([9, 1, heads.1 / 2], seed: 3).to(type.0)
        )
        func table(_ half: Tensor, like heads: Tensor) -> Tensor {
            Tensor.concatenated([half, half], along: 2).to(heads.device)
        }
        try compare([random([9, heads.0, heads.1], seed: 1).to(type.0)], type.1) {
            [$0[0].rotated(cosine: table(cosine, like: $0[0]), sine: table(sine, like: $0[0]))]
        }
    }

    @Test("gated units", arguments: types, [Activation.silu, .geluTanh])
    func gating(type: (DType, Double), activation: Activation) throws {
        for shape in Self.shapes {
            // Halves of one matrix, as a joined layer leaves them.
            try compare([random([shape[0], 2 * shape[1]], seed: 1).to(type.0)], type.1) {
                let width = shape[1]
                return [$0[0].narrowed(1, 0..<width).gating($0[0].narrowed(1, width..<2 * width), by: activation)]
            }
        }
    }

    @Test("log-probabilities of tokens", arguments: types, [(0, 1), (3, 1), (3, 0.7), (0, 0.7)] as [(Double, Double)])
    func logProbabilities(type: (DType, Double), head: (cap: Double, temperature: Double)) throws {
        let (cap, temperature) = head
        for (rows, vocabulary) in [(7, 11), (300, 1000), (64, 8192)] {
            let leaves = [random([rows, 64], seed: 1, deviation: 0.3), random([vocabulary, 64], seed: 2)].map {
                $0.to(type.0)
            }
            let targets = (0..<rows).map { $0 * 37 % vocabulary }
            try compare(leaves, type.1) {
                let (hidden, weight) = ($0[0], $0[1])
                return [
                    Tensor.tokenLogProbabilities(
                        hidden: hidden,
                        weight: weight,
                        targets: Tensor(targets).to(hidden.device),
                        temperature: temperature,
                        softCap: cap > 0 ? cap : nil,
                        chunkRows: 128
                    )
                ]
            }
            func entropies(_ device: Device) -> Tensor {
                Tensor.tokenLogProbabilitiesAndEntropies(
                    hidden: leaves[0].to(device),
                    weight: leaves[1].to(device),
                    targets: Tensor(targets).to(device),
                    temperature: temperature,
                    softCap: cap > 0 ? cap : nil
                ).entropies.to(.cpu)
            }
            let difference = entropies(try #require(TestDevice.device)) - entropies(.cpu)
            #expect(difference.magnitude().max().scalar < 10 * type.1)
        }
    }

    static let weightTypes: [(DType, DType)] = [(.float32, .float32), (.bfloat16, .bfloat16), (.bfloat16, .float32)]

    @Test(
        "linear layers, also of master weights",
        arguments: weightTypes
    )
    func linear(types: (DType, DType)) throws {
        let leaves = [random([37, 64], seed: 1).to(types.0), random([96, 64], seed: 2).to(types.1)]
        try compare(leaves, types.0 == .float32 ? 1e-5 : 2e-2) { [$0[0].linear($0[1])] }
        let packed = PackedWeight(leaves[1].to(types.0).to(try #require(TestDevice.device)))
        let found = packed(leaves[0].to(try #require(TestDevice.device))).to(.cpu)
        let difference = found.to(.float32) - leaves[0].linear(leaves[1].to(types.0)).to(.float32)
        #expect(difference.magnitude().max().scalar < (types.0 == .float32 ? 1e-4 : 0.3))
    }

    @Test("attention over segments", arguments: [nil, 3, 40] as [Int?])
    func flash(window: Int?) throws {
        let segments = [
            Segment(start: 0, length: 50), Segment(start: 50, length: 30, parent: 0),
            Segment(start: 80, length: 45, parent: 0),
            Segment(start: 125, length: 70), Segment(start: 195, length: 0), Segment(start: 195, length: 5, parent: 4),
        ]
        let rule = AttentionRule(scale: 0.125, window: window)
        let leaves = [[200, 6, 64], [200, 2, 64], [200, 2, 64]].enumerated().map {
            random($0.element, seed: UInt64($0.offset)).to(.bfloat16)
        }
        try compare(leaves, 2e-2) {
            guard $0[0].device != .cpu else {
                return [
                    Tensor.raggedAttention(queries: $0[0], keys: $0[1], values: $0[2], segments: segments, rule: rule)
                ]
            }
            #expect($0[0].hasFlashAttention(rule))
            let layout = FlashLayout(segments, on: $0[0].device)
            return [Tensor.flashAttention(queries: $0[0], keys: $0[1], values: $0[2], layout: layout, rule: rule)]
        }
    }

    /// Heads, key-value heads, dimension.
    static let heads = [(4, 2, 8), (9, 3, 64), (10, 2, 64), (8, 1, 128), (5, 5, 80), (32, 8, 128), (4, 2, 256)]

    @Test(
        "attention over cached tokens",
        arguments: heads,
        [AttentionRule(scale: 0.1), AttentionRule(scale: 0.1, window: 67, softCap: 2)]
    )
    func cached(heads: (Int, Int, Int), rule: AttentionRule) throws {
        let device = try #require(TestDevice.device)
        // A short cache is one block's, a long one that of several.
        for ((type, tolerance), capacity) in Self.types.flatMap({ type in [40, 641].map { (type, $0) } }) {
            let cacheShape = [4, heads.1, capacity, heads.2]
            let caches = [random(cacheShape, seed: 1), random(cacheShape, seed: 2)].map { $0.to(type) }
            // Columns of one matrix, as a joined layer leaves them.
            let widths = [heads.0, heads.1, heads.1].map { $0 * heads.2 }
            let joined = random([3, widths.reduce(0, +)], seed: 3).to(type)
            func columns(_ matrix: Tensor) -> [Tensor] {
                var start = 0
                return widths.map { width in
                    defer { start += width }
                    return matrix.narrowed(1, start..<start + width).reshaped([3, -1, heads.2])
                }
            }
            let (queries, news) = (columns(joined)[0], Array(columns(joined)[1...]))
            let placed = columns(joined.to(device))
            let (slots, lengths) = ([2, 0, 3], [0, capacity - 1, capacity / 10])
            let expected = Tensor.decodeAttention(
                queries: queries,
                keys: news[0],
                values: news[1],
                keyCache: caches[0].clone(),
                valueCache: caches[1].clone(),
                rows: CacheRows(slots: slots, lengths: lengths),
                rule: rule
            )
            let place = caches.map { $0.to(device) }
            let arrivals = Tensor.zeros([3 * heads.1], .int32, on: device)
            // Twice, since the counters must be as they were.
            for _ in 0..<2 {
                let found = Tensor.decodeAttention(
                    queries: placed[0],
                    keys: placed[1],
                    values: placed[2],
                    keyCache: place[0],
                    valueCache: place[1],
                    rows: CacheRows(table: Tensor(slots + lengths, shape: [2, 3]).to(device)),
                    arrivals: arrivals,
                    rule: rule
                ).to(.cpu)
                let error = (found.to(.float32) - expected.to(.float32)).magnitude().max().scalar
                #expect(error <= tolerance, "\(type) is off by \(error)")
            }
            #expect(arrivals.to(.cpu).integers.allSatisfy { $0 == 0 })
            #expect(place[0].selected(0, 2).selected(1, 0).to(.cpu).floats == news[0].selected(0, 0).floats)
            #expect(place[1].selected(0, 0).selected(1, capacity - 1).to(.cpu).floats == news[1].selected(0, 1).floats)
        }
    }

    @Test("caches are filled")
    func fill() throws {
        let device = try #require(TestDevice.device)
        let (keys, values) = (random([12, 3, 8], seed: 1).to(.bfloat16), random([12, 3, 8], seed: 2).to(.bfloat16))
        var copies = CacheCopies()
        copies.append(0..<5, slot: 3)
        copies.append(5..<12, slot: 0)
        func filled(_ device: Device) -> [Float] {
            let caches = (0..<2).map { _ in Tensor.zeros([4, 3, 7, 8], .bfloat16, on: device) }
            Tensor.fillCache(
                keys: keys.to(device),
                values: values.to(device),
                keyCache: caches[0],
                valueCache: caches[1],
                copies
            )
            return caches.flatMap { $0.to(.cpu).floats }
        }
        #expect(filled(device) == filled(.cpu))
    }

    @Test("the choice of tokens", arguments: [false, true], [1.0, 0.7])
    func choice(isGreedy: Bool, temperature: Double) throws {
        let device = try #require(TestDevice.device)
        for (count, vocabulary) in [(64, 4), (64, 1000), (64, 50_001), (1, 50_001), (600, 5000)] {
            let logits = random([count, vocabulary], seed: 1, deviation: 2).to(.float32)
            let rule = TokenRule(
                temperature: temperature,
                topK: 0,
                topP: 1,
                isGreedy: isGreedy,
                stopTokens: [0, 2],
                reportedToken: 1
            )
            let uniforms = (0..<count).map { (Double($0) + 0.37) / Double(count) }
            let mayStop = (0..<count).map { $0 % 3 > 0 }
            let found = logits.to(device).chooseTokens(rule, uniforms: uniforms, mayStop: mayStop)
            let expected = logits.chooseTokens(rule, uniforms: uniforms, mayStop: mayStop)
            for (row, (mine, right)) in zip(found, expected).enumerated() {
                #expect(mine.token == right.token, "row \(row) of \(vocabulary)")
                #expect(abs(mine.entropy - right.entropy) < 1e-3)
                #expect(abs(mine.logProbability - right.logProbability) < 1e-3 || mine.token != right.token)
                #expect(abs(mine.reportedLogProbability - right.reportedLogProbability) < 1e-3)
                #expect(mayStop[row] || !rule.stopTokens.contains(mine.token))
            }
        }
    }

    @Test("the choice at the ends of a distribution, among what cannot be chosen, and from what is none")
    func choiceAtTheEdge() throws {
        let device = try #require(TestDevice.device)
        var numbers = [Float](repeating: -.infinity, count: 3 * 9000)
        for (token, logit) in [(4100, 1), (4101, 0), (8999, 2)] as [(Int, Float)] {
            for row in 0..<3 { numbers[row * 9000 + token] = logit }
        }
        numbers[2 * 9000 + 7] = .nan
        let logits = Tensor(numbers, shape: [3, 9000])
        let rule = TokenRule(temperature: 1, topK: 0, topP: 1, isGreedy: false, stopTokens: [], reportedToken: nil)
        for uniforms in [[0, 1.nextDown, 0.5], [1.nextDown, 0, 0]] as [[Double]] {
            let mayStop = [true, true, true]
            let found = logits.to(device).chooseTokens(rule, uniforms: uniforms, mayStop: mayStop)
            let expected = logits.chooseTokens(rule, uniforms: uniforms, mayStop: mayStop)
            #expect(found.map(\.token) == expected.map(\.token))
            #expect(found[2].logProbability.isNaN && expected[2].logProbability.isNaN)
        }
    }

    @Test("recorded launches are those that were recorded")
    func graph() throws {
        let device = try #require(TestDevice.device)
        let (input, weight) = (
            random([4, 8], seed: 1).to(.float32).to(device), random([6, 8], seed: 2).to(.float32).to(device)
        )
        var output: Tensor?
        func step() { output = (input.linear(weight) * 2).softmax() }
        step()
        let graph = try #require(DeviceGraph(on: device, step))
        for seed in 3..<6 as Range<UInt64> {
            let next = random([4, 8], seed: seed).to(.float32)
            input.copy(from: next)
            graph.replay()
            let expected = (next.linear(weight.to(.cpu)) * 2).softmax()
            let difference = try #require(output).to(.cpu) - expected
            #expect(difference.magnitude().max().scalar < 1e-5)
        }
    }
}
