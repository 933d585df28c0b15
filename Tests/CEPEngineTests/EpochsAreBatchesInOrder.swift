import CEPEngine
import CEPKernels
import Testing

@Suite struct EpochsAreBatchesInOrder {
    static let batchSizes = [1, 4, 5, 13, 100]
    static let samples = 13

    private func phases(_ connections: Int) -> Conditions {
        Conditions(
            freeSteps: 6, nudgedSteps: 4, beta: 0.5, learningRates: (1...connections).map { 0.1 / Double($0) })
    }

    /// An epoch is `trainBatch` over the rows in shuffled order, the last batch being smaller.
    @Test(arguments: NetworkCase.few, batchSizes)
    func anEpochEqualsItsBatches(_ example: NetworkCase, _ batchSize: Int) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let data = Dataset.random(Self.samples, inputs: example.inputs, classes: example.outputs)
            let phases = phases(example.configuration.sizes.count - 1)
            for kind in RuleKind.allCases {
                let whole = try Network<Element>(example.configuration)
                let total = try whole.trainEpoch(data, kind, phases, batchSize: batchSize, shuffleSeed: 42)

                let parts = try Network<Element>(example.configuration)
                var random = RandomSource(seed: 42)
                let order = random.permutation(of: Self.samples)
                var (samples, errors, lossSum) = (0, 0, 0.0)
                var start = 0
                while start < order.count {
                    let rows = order[start..<min(start + batchSize, order.count)]
                    let metrics = try parts.trainBatch(data.rows(rows), kind, phases)
                    samples += metrics.samples
                    errors += metrics.errors
                    lossSum += metrics.lossSum
                    start += batchSize
                }
                #expect(whole.parameterBits == parts.parameterBits, "\(kind)")
                #expect(whole.stateBits == parts.stateBits, "\(kind)")
                #expect(total.samples == Self.samples && samples == Self.samples)
                #expect(total.errors == errors && total.lossSum == lossSum)
            }
        }
        try check(example.type.scalar)
    }

    @Test(arguments: NetworkCase.few, RuleKind.allCases)
    func theSameSeedGivesTheSameResult(_ example: NetworkCase, _ kind: RuleKind) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let data = Dataset.random(Self.samples, inputs: example.inputs, classes: example.outputs)
            let phases = phases(example.configuration.sizes.count - 1)
            func result(seed: UInt64) throws -> [[UInt64]] {
                let network = try Network<Element>(example.configuration)
                for epoch in 0..<2 {
                    try network.trainEpoch(data, kind, phases, batchSize: 5, shuffleSeed: seed + UInt64(epoch))
                }
                return network.parameterBits
            }
            let first = try result(seed: 7)
            #expect(try result(seed: 7) == first)
            #expect(try result(seed: 8) != first, "another order, another result")
        }
        try check(example.type.scalar)
    }

    /// With rates of zero the parameters stay constant, so an epoch in any order and batch size gives the metrics of
    /// evaluation.
    @Test(arguments: NetworkCase.few, batchSizes)
    func eachSampleIsUsedOnce(_ example: NetworkCase, _ batchSize: Int) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let data = Dataset.random(Self.samples, inputs: example.inputs, classes: example.outputs)
            let connections = example.configuration.sizes.count - 1
            let still = Conditions(
                freeSteps: 6, nudgedSteps: 1, beta: 0.5, learningRates: [Double](repeating: 0, count: connections))
            let network = try Network<Element>(example.configuration)
            let before = network.parameterBits
            let expected = try network.evaluate(data, steps: 6)
            for seed in 0..<5 as Range<UInt64> {
                let metrics = try network.trainEpoch(data, .ep, still, batchSize: batchSize, shuffleSeed: seed)
                #expect(metrics.samples == Self.samples && metrics.errors == expected.errors)
                #expect(abs(metrics.lossSum - expected.lossSum) <= Element.tolerance)
            }
            #expect(network.parameterBits == before)
        }
        try check(example.type.scalar)
    }

    /// The rate of the last, smaller batch is divided by its own size.
    @Test(arguments: RuleKind.allCases)
    func theLastBatchIsDividedByItsOwnSize(_ kind: RuleKind) throws {
        let configuration = NetworkConfiguration(sizes: [4, 5, 3], seed: 1)
        let data = Dataset.random(7, inputs: 4, classes: 3)
        let phases = Conditions(freeSteps: 9, nudgedSteps: 4, beta: 0.5, learningRates: [0.3, 0.2])
        let network = try Network<Double>(configuration)
        var reference = ReferenceNetwork(network)
        var random = RandomSource(seed: 5)
        let order = random.permutation(of: 7)
        try network.trainEpoch(data, kind, phases, batchSize: 5, shuffleSeed: 5)
        for rows in [order[0..<5], order[5..<7]] {
            let batch = data.rows(rows)
            _ = reference.train(kind, phases, x: batch.inputs, y: batch.targetRows(units: 3))
        }
        #expect(largestDifference(network.parameterValues, reference.parameterValues) <= Double.tolerance)
    }

    @Test func batchesLargerThanTheDataAreTheWholeData() throws {
        let configuration = NetworkConfiguration(sizes: [4, 5, 3], seed: 1)
        let data = Dataset.random(7, inputs: 4, classes: 3)
        let (first, second) = (try Network<Float>(configuration), try Network<Float>(configuration))
        try first.trainEpoch(data, .ep, phases(2), batchSize: 7)
        #expect(try second.trainEpoch(data, .ep, phases(2), batchSize: .max).samples == 7)
        #expect(first.parameterBits == second.parameterBits)
    }
}
