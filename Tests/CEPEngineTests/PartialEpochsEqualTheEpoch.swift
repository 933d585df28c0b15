import CEPEngine
import CEPKernels
import Testing

@Suite struct PartialEpochsEqualTheEpoch {
    private static let samples = 23
    private static let batchSize = 3

    /// Eight batches, divided in several ways. The last batch is smaller.
    @Test(arguments: NetworkCase.few, [[8], [1, 7], [3, 3, 2], [1, 1, 1, 1, 1, 1, 1, 1], [5, 100]])
    func bitForBit(_ example: NetworkCase, _ counts: [Int]) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let data = Dataset.random(Self.samples, inputs: example.inputs, classes: example.outputs)
            let rates = (1..<example.configuration.sizes.count).map { 0.1 / Double($0) }
            for kind in RuleKind.allCases {
                let conditions = Conditions(
                    freeSteps: 6, nudgedSteps: 4, beta: 0.5, learningRates: rates, betaSign: .random)
                let whole = try Network<Element>(example.configuration)
                let total = try whole.trainEpoch(
                    data, kind, conditions, batchSize: Self.batchSize, shuffleSeed: 42)

                let inParts = try Network<Element>(example.configuration)
                var part = EpochPart()
                var metrics: Metrics?
                for count in counts {
                    part.batchCount = count
                    let sum = try inParts.trainEpoch(
                        data, kind, conditions, batchSize: Self.batchSize, shuffleSeed: 42, part: part)
                    part = EpochPart(firstBatch: part.firstBatch + count, errors: sum.errors, lossSum: sum.lossSum)
                    #expect(sum.samples == min(part.firstBatch * Self.batchSize, Self.samples))
                    metrics = sum
                }
                #expect(inParts.parameterBits == whole.parameterBits, "\(kind)")
                #expect(metrics == total, "\(kind)")
            }
        }
        try check(example.type.scalar)
    }

    /// Reports include what was trained before.
    @Test func progressContinues() throws {
        let network = try Network<Double>(NetworkConfiguration(sizes: [4, 5, 3], seed: 1))
        let data = Dataset.random(Self.samples, inputs: 4, classes: 3)
        let conditions = Conditions(freeSteps: 2, nudgedSteps: 2, beta: 0.5, learningRates: [0.1, 0.1])
        let polled = PolledMonitor()
        try network.trainEpoch(
            data, .ep, conditions, batchSize: Self.batchSize,
            part: EpochPart(firstBatch: 2, batchCount: 1, errors: 5, lossSum: 70), monitor: polled.monitor())
        let first = try #require(polled.reports.first)
        #expect((first.done, first.total, first.errors, first.lossSum) == (6, Self.samples, 5, 70))
        #expect(try #require(polled.reports.last).done == 9)
    }

    /// A batch has the same sign in whichever part it is trained, and signs differ between batches.
    @Test func signsDifferFromBatchToBatch() throws {
        let data = Dataset.random(Self.samples, inputs: 4, classes: 3)
        var signs: Set<Int> = []
        for batch in 0..<8 {
            func bits(_ sign: BetaSign, _ beta: Double) throws -> [[UInt64]] {
                let network = try Network<Double>(NetworkConfiguration(sizes: [4, 5, 3], seed: 1))
                let conditions = Conditions(
                    freeSteps: 4, nudgedSteps: 3, beta: beta, learningRates: [0.1, 0.1], betaSign: sign)
                try network.trainEpoch(
                    data, .ep, conditions, batchSize: Self.batchSize, shuffleSeed: 3,
                    part: EpochPart(firstBatch: batch, batchCount: 1))
                return network.parameterBits
            }
            let drawn = try bits(.random, 0.5)
            let (plus, minus) = (try bits(.fixed, 0.5), try bits(.fixed, -0.5))
            #expect(plus != minus && (drawn == plus || drawn == minus))
            signs.insert(drawn == plus ? 1 : -1)
        }
        #expect(signs == [1, -1])
    }
}
