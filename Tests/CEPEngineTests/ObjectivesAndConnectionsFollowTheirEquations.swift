import CEPKernels
import Testing

@testable import CEPEngine

/// Compares losses, nudgings, readouts, activations by layer and skip connections with the slow reference.
@Suite struct ObjectivesAndConnectionsFollowTheirEquations {
    static let settings: [SettingKind] = [
        .prototypical, .realTime(RealTime(timeStep: 0.3)), .realTime(RealTime(timeStep: 0.5, clamp: false)),
    ]

    static let configurations: [NetworkConfiguration] = settings.flatMap { setting in
        [Feedback.tied, .untied(angle: 50)].flatMap { feedback in
            let plain: (Loss, Bool, Nudging?, [Edge]) -> NetworkConfiguration = { loss, readout, nudging, edges in
                NetworkConfiguration(
                    sizes: [5, 6, 4, 3], setting: setting, activation: .tanh, feedback: feedback,
                    skipConnections: edges, loss: loss, readout: readout, nudging: nudging, seed: 7)
            }
            let skips = [Edge(from: 0, to: 2), Edge(from: 1, to: 3), Edge(from: 0, to: 3)]
            var mixed = plain(.squaredError, false, .inside, [])
            for (k, activation) in [Activation.sigmoid, .sigmoid, .tanh, .shiftedSigmoid].enumerated() {
                mixed.layers[k].activation = activation
            }
            return [
                plain(.squaredError, false, .inside, []), plain(.squaredError, false, nil, skips),
                plain(.crossEntropy, false, nil, []), plain(.crossEntropy, false, .inside, skips),
                plain(.squaredError, true, nil, []), plain(.squaredError, true, nil, [Edge(from: 0, to: 2)]), mixed,
            ]
        }
    }

    /// The targets are not probabilities: the equations hold for them too.
    private static func data(_ configuration: NetworkConfiguration) -> Dataset {
        var stream = NumberStream(41)
        return Dataset(inputs: stream.matrix(4, 5), wanted: .values(stream.matrix(4, configuration.sizes.last ?? 0)))
    }

    @Test(arguments: NumberType.allCases, configurations)
    func statesOfBothPhases(_ type: NumberType, _ configuration: NetworkConfiguration) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(configuration)
            let reference = ReferenceNetwork(network)
            let data = Self.data(configuration)
            let y = data.targetRows(units: network.outputSize)
            try network.freePhase(data.inputs, steps: 9)
            let free = reference.relax(reference.zeroStates(data.inputs), steps: 9)
            #expect(largestDifference(network.states, free) <= 4 * Element.tolerance)
            try network.nudgedPhase(data.wanted, beta: 0.4, steps: 5)
            let nudged = reference.relax(free, steps: 5, towards: y, beta: 0.4)
            #expect(largestDifference(network.states, nudged) <= 4 * Element.tolerance)
            #expect(largestDifference(free, nudged) > 1e-3, "the test's own premise")
            let metrics = try network.evaluate(data, steps: 9)
            let expected = reference.compare(free, with: y)
            #expect(metrics.errors == expected.errors)
            #expect(abs(metrics.lossSum - expected.lossSum) <= 20 * Element.tolerance)
        }
        try check(type.scalar)
    }

    @Test(arguments: configurations, RuleKind.allCases)
    func batchAfterBatch(_ configuration: NetworkConfiguration, _ kind: RuleKind) throws {
        let network = try Network<Double>(configuration)
        var reference = ReferenceNetwork(network)
        let data = Self.data(configuration)
        let rates = network.parameters.indices.map { 0.05 + 0.02 * Double($0) }
        let phases = Conditions(freeSteps: 9, nudgedSteps: 4, beta: 0.4, learningRates: rates)
        // The reference has the readout's rate last.
        var inOrder = rates
        if let readout = network.readoutIndex { inOrder.append(inOrder.remove(at: readout)) }
        let ordered = Conditions(freeSteps: 9, nudgedSteps: 4, beta: 0.4, learningRates: inOrder)
        for _ in 0..<3 {
            let before = network.parameterValues
            let metrics = try network.trainBatch(data, kind, phases)
            let expected = reference.train(
                kind, ordered, x: data.inputs, y: data.targetRows(units: network.outputSize))
            #expect(largestDifference(network.parameterValues, before) > 1e-4, "the test's own premise")
            #expect(largestDifference(network.parameterValues, reference.parameterValues) < 1e-11)
            #expect(metrics.errors == expected.errors && abs(metrics.lossSum - expected.lossSum) < 1e-10)
        }
    }

    @Test(arguments: configurations)
    func gradientsAreDerivatives(_ configuration: NetworkConfiguration) throws {
        let problem = try GradientsAreDerivatives.Problem(
            NetworkCase(type: .float64, configuration: configuration, batch: 3))
        let found = try problem.estimate(BackpropagationThroughTime(freeSteps: 8, learningRates: nil))
        let expected = problem.derivatives { problem.relax($0, steps: 8) }
        #expect(expected.contains { abs($0) > 1e-6 }, "the test's own premise")
        #expect(largestDifference([found], [expected]) < 1e-7)
    }

    /// The layers are wide enough for packed weights and for sharing samples among threads.
    @Test(arguments: [Feedback.tied, .untied(angle: 30)], [false, true])
    func continualUpdatesEqualWritingTheWeights(_ feedback: Feedback, _ readout: Bool) throws {
        let configuration = NetworkConfiguration(
            sizes: [40, 70, 66, 10], activation: .sigmoid, feedback: feedback,
            skipConnections: readout ? [Edge(from: 0, to: 2)] : [Edge(from: 0, to: 2), Edge(from: 1, to: 3)],
            loss: .crossEntropy, readout: readout, seed: 2)
        let (fast, slow) = (try Network<Double>(configuration), try Network<Double>(configuration))
        let rates = fast.parameters.indices.map { _ in 0.01 }
        let phases = Conditions(freeSteps: 12, nudgedSteps: 7, beta: 0.4, learningRates: rates)
        let data = Dataset.random(20, inputs: 40, classes: 10)
        let before = fast.parameterValues
        try fast.trainBatch(data, .cep, phases)
        try slow.trainBatch(data, .cepWriting, phases)
        let change = largestDifference(slow.parameterValues, before)
        #expect(change > 1e-5, "the test's own premise")
        #expect(largestDifference(fast.parameterValues, slow.parameterValues) < 1e-9 * change + 1e-14)
    }
}
