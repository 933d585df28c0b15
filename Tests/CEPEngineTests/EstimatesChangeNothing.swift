import CEPKernels
import Testing

@testable import CEPEngine

/// Parameters and states are the same after an estimate as before, bit for bit.
@Suite struct EstimatesChangeNothing {
    private static let phases = TwoPhases(freeSteps: 12, nudgedSteps: 7, beta: 0.5)
    private static let rates = LearningRates(weights: [0.3, 0.2, 0.1])

    @Test(arguments: NetworkCase.few)
    func ofTheGradient(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let estimators: [any LearningRule<Element>] = [
                EquilibriumPropagation(Self.phases, learningRates: nil),
                EquilibriumPropagation(Self.phases, learningRates: nil, accumulates: true),
                ContinualEquilibriumPropagation(Self.phases, learningRates: Self.rates),
                ContinualEquilibriumPropagation(Self.phases, learningRates: Self.rates, writesEveryStep: true),
                BackpropagationThroughTime(freeSteps: 12, learningRates: nil),
            ]
            for estimator in estimators {
                try expectNothingChanges(in: try Network<Element>(example.configuration), example) {
                    let gradient = try $0.gradient($1, estimator: estimator, monitor: ProgressMonitor())
                    return gradient.connections.allSatisfy { $0.isFinite && $0.weights.values.contains { $0 != 0 } }
                }
            }
        }
        try check(example.type.scalar)
    }

    @Test(arguments: NetworkCase.few)
    func ofTheTheorem(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let conditions = TheoremConditions(freeSteps: 12, nudgedSteps: 7, beta: 0.5, learningRates: Self.rates)
            try expectNothingChanges(in: try Network<Element>(example.configuration), example) {
                let check = try $0.checkTheorem($1, conditions, monitor: ProgressMonitor())
                return check.parameters.joined().allSatisfy { $0.updates.values.contains { $0 != 0 } }
            }
        }
        try check(example.type.scalar)
    }

    /// - Parameter estimate: Returns whether its result is not zero.
    private func expectNothingChanges<Element: KernelScalar>(
        in network: Network<Element>, _ example: NetworkCase, _ estimate: (Network<Element>, Samples) throws -> Bool
    ) throws {
        let data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
        try network.freePhase(data.inputs, steps: 3)
        let (parameters, states) = (network.parameterBits, network.stateBits)
        #expect(try data.withSamples { try estimate(network, $0) }, "the test's own premise")
        #expect(network.parameterBits == parameters)
        #expect(network.stateBits == states)
    }
}
