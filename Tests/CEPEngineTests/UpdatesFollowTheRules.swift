import CEPEngine
import CEPKernels
import Testing

@Suite struct UpdatesFollowTheRules {
    /// A different rate for each connection, so that none can be confused with another.
    static func phases(_ connections: Int, beta: Double = 0.5) -> Conditions {
        Conditions(
            freeSteps: 12, nudgedSteps: 7, beta: beta,
            learningRates: (0..<connections).map { [0.3, 0.1, 0.2, 0.15][$0] })
    }

    /// Three consecutive batches of different sizes, each compared with the reference from the same parameters.
    private func expectReference<Element: KernelScalar>(
        _ network: Network<Element>, _ kind: RuleKind, beta: Double, batch: Int, targets: (Dataset) -> Dataset = { $0 }
    ) throws {
        let sizes = network.configuration.sizes
        let outputs = sizes[sizes.count - 1]
        let phases = Self.phases(sizes.count - 1, beta: beta)
        var reference = ReferenceNetwork(network)
        for (number, rows) in [batch, batch, batch + 1].enumerated() {
            let data = targets(Dataset.random(rows, inputs: sizes[0], classes: outputs, seed: UInt64(number + 7)))
            let before = reference.parameterValues
            let metrics = try network.trainBatch(data, kind, phases)
            let expected = reference.train(kind, phases, x: data.inputs, y: data.targetRows(units: outputs))

            let moved = zip(before, reference.parameterValues).map { largestDifference([$0], [$1]) }
            if network.configuration.activation.hasCorners == false {
                // (Units of the hard sigmoid can be stuck at a flat part.)
                #expect((moved.max() ?? 0) > 0.002, "the test's own premise: there is something to compare")
            }
            #expect(
                largestDifference(network.parameterValues, reference.parameterValues) <= Element.tolerance,
                "batch \(number), β \(beta)")
            #expect(metrics.samples == rows && metrics.errors == expected.errors)
            #expect(abs(metrics.lossSum - expected.lossSum) <= Element.tolerance)
            #expect(abs(metrics.loss - expected.lossSum / Double(rows)) <= Element.tolerance)
        }
    }

    @Test(arguments: NetworkCase.all, RuleKind.allCases)
    func batchAfterBatch(_ example: NetworkCase, _ kind: RuleKind) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            try expectReference(network, kind, beta: 0.5, batch: example.batch)
        }
        try check(example.type.scalar)
    }

    @Test(arguments: NetworkCase.few, RuleKind.allCases)
    func withNegativeBeta(_ example: NetworkCase, _ kind: RuleKind) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            try expectReference(network, kind, beta: -0.3, batch: example.batch)
        }
        try check(example.type.scalar)
    }

    @Test(arguments: NetworkCase.few, RuleKind.allCases)
    func towardsTargetValues(_ example: NetworkCase, _ kind: RuleKind) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            var stream = NumberStream(3)
            try expectReference(network, kind, beta: 0.5, batch: example.batch) { data in
                var data = data
                data.wanted = .values(stream.matrix(data.inputs.count, example.outputs))
                return data
            }
        }
        try check(example.type.scalar)
    }

    /// A rate of zero leaves one connection, and only this one, unchanged bit for bit.
    @Test(arguments: NetworkCase.few, RuleKind.allCases)
    func aRateOfZeroFixesAConnection(_ example: NetworkCase, _ kind: RuleKind) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
            let count = example.configuration.sizes.count - 1
            for fixed in 0..<count {
                let network = try Network<Element>(example.configuration)
                let before = network.connections.map { $0.parameters.matrices.map(\.values) }
                var phases = Self.phases(count)
                phases.learningRates[fixed] = 0
                try network.trainBatch(data, kind, phases)
                for (k, connection) in network.connections.enumerated() {
                    for (old, new) in zip(before[k], connection.parameters.matrices.map(\.values)) {
                        #expect((old == new) == (k == fixed), "connection \(k) of \(count)")
                    }
                }
            }
        }
        try check(example.type.scalar)
    }

    /// Labels are equivalent to one-hot targets.
    @Test(arguments: NetworkCase.few, RuleKind.allCases)
    func labelsEqualOneHotValues(_ example: NetworkCase, _ kind: RuleKind) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let labels = Dataset.random(5, inputs: example.inputs, classes: example.outputs)
            var oneHot = labels
            oneHot.wanted = .values(labels.targetRows(units: example.outputs))
            let phases = Self.phases(example.configuration.sizes.count - 1)
            let (first, second) = (
                try Network<Element>(example.configuration), try Network<Element>(example.configuration)
            )
            let metrics = try first.trainBatch(labels, kind, phases)
            #expect(try second.trainBatch(oneHot, kind, phases) == metrics)
            #expect(first.parameterBits == second.parameterBits)
        }
        try check(example.type.scalar)
    }

    /// The states are those at the end of the nudged phase of EP, and equal those of the two phases run by hand.
    @Test(arguments: NetworkCase.few)
    func statesAreThoseAfterTheNudgedPhase(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
            let phases = Self.phases(example.configuration.sizes.count - 1)
            let byHand = try Network<Element>(example.configuration)
            try byHand.freePhase(data.inputs, steps: phases.freeSteps)
            try byHand.nudgedPhase(data.wanted, beta: phases.beta, steps: phases.nudgedSteps)
            let trained = try Network<Element>(example.configuration)
            try trained.trainBatch(data, .ep, phases)
            #expect(trained.stateBits == byHand.stateBits)
        }
        try check(example.type.scalar)
    }
}
