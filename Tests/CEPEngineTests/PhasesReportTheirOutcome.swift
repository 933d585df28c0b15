import CEPKernels
import Testing

@testable import CEPEngine

@Suite struct PhasesReportTheirOutcome {
    @Test(arguments: NetworkCase.few)
    func theResidualIsTheLargestChangeOfTheLastStep(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            let data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
            for steps in [1, 2, 3, 7, 20] {
                var before = ReferenceNetwork(network).zeroStates(data.inputs)
                if steps > 1 {
                    try network.freePhase(data.inputs, steps: steps - 1)
                    before = network.states
                }
                let free = try network.freePhase(data.inputs, steps: steps)
                #expect(free.steps == steps || free.steps < steps && free.residual == 0)
                expectChange(free.residual, Element.self, before, network.states)

                let old = network.states
                let nudged = try network.nudgedPhase(data.wanted, beta: 0.5, steps: 1)
                #expect(nudged.steps == 1)
                expectChange(nudged.residual, Element.self, old, network.states)
            }
        }
        try check(example.type.scalar)
    }

    /// The change is a difference in the network's number type.
    private func expectChange<Element: KernelScalar>(
        _ residual: Double, _: Element.Type, _ old: ReferenceNetwork.States, _ new: ReferenceNetwork.States
    ) {
        let change = ReferenceNetwork.largestChange(old, new)
        #expect(residual == Double(Element(change)))
    }

    /// The largest change is found in any layer.
    @Test(arguments: NumberType.allCases)
    func theResidualIsTakenOverAllLayersAndSamples(_ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(NetworkConfiguration(sizes: [3, 4, 5, 2], seed: 1))
            let x = Dataset.random(3, inputs: 3, classes: 2).inputs
            try network.freePhase(x, steps: 200)
            let state = try #require(network.state)
            for layer in 1...3 {
                for place in [0, state.layers[layer].count - 1] {
                    // One unit far from its steady state: it returns in one step, and no other unit changes as much.
                    let steady = state.layers[layer].pointer[place]
                    state.layers[layer].pointer[place] = steady + 10
                    let outcome = try network.freePhase(x, steps: 1, continuing: true)
                    #expect(abs(outcome.residual - 10) < 0.01, "layer \(layer), place \(place)")
                    try network.freePhase(x, steps: 200)
                }
            }
        }
        try check(type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func convergedMeansAResidualOfAtMostTheRootOfEpsilon(_ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let threshold = type == .float32 ? 3.4526698e-4 : 1.4901161e-8
            let network = try Network<Element>(NetworkConfiguration(sizes: [4, 5, 3], seed: 2))
            let x = Dataset.random(2, inputs: 4, classes: 3).inputs
            var seen: [Bool: (closest: Double, count: Int)] = [:]
            for steps in 1...60 {
                let outcome = try network.freePhase(x, steps: steps)
                #expect(outcome.converged == (outcome.residual < threshold), "\(outcome)")
                let ratio = outcome.residual / threshold
                let closest = min(seen[outcome.converged]?.closest ?? .infinity, max(ratio, 1 / ratio))
                seen[outcome.converged] = (closest, (seen[outcome.converged]?.count ?? 0) + 1)
            }
            // Both outcomes occurred, with residuals near the threshold.
            for converged in [true, false] { #expect((seen[converged]?.closest ?? .infinity) < 4) }
        }
        try check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, NetworkCase.settings)
    func stoppingWhereNothingChangesEqualsTheFullRun(_ type: NumberType, _ setting: SettingKind) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let asked = 600
            var stoppedEarly = 0
            for seed in 0..<6 {
                let network = try Network<Element>(
                    NetworkConfiguration(
                        sizes: [4, 5, 3], setting: setting, feedback: seed % 2 == 0 ? .tied : .untied(angle: 30),
                        seed: UInt64(seed)))
                let x = Dataset.random(2, inputs: 4, classes: 3).inputs

                // Single steps up to the full number, and the last one that changed a state.
                try network.freePhase(x, steps: 1)
                var lastChange = 1
                var before = network.stateBits
                for step in 2...asked {
                    try network.freePhase(x, steps: 1, continuing: true)
                    let after = network.stateBits
                    if after != before { lastChange = step }
                    before = after
                }

                let outcome = try network.freePhase(x, steps: asked)
                #expect(network.stateBits == before, "seed \(seed)")
                // The phase ends with the first step that changes nothing. (Rounding can also end in a cycle.)
                #expect(outcome.steps == min(asked, lastChange + 1), "seed \(seed)")
                #expect((outcome.residual == 0) == (lastChange < asked), "seed \(seed)")
                if lastChange < asked - 1 { stoppedEarly += 1 }
            }
            #expect(stoppedEarly >= 2, "the test's own premise: some runs reach a fixed point")
        }
        try check(type.scalar)
    }

    /// Also if the weights move and threads share a layer. Here the last hidden unit, which the outputs switch on,
    /// changes most.
    @Test(arguments: NumberType.allCases, [[12, 66, 10], [40, 390, 10], [40, 650, 16]])
    func continualPhasesShowTheLargestChangeOfEachStep(_ type: NumberType, _ sizes: [Int]) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(NetworkConfiguration(sizes: sizes, seed: 3))
            network.parameters[0].biases?.pointer[sizes[1] - 1] = -3
            for output in 0..<sizes[2] { network.parameters[1].weights.pointer[(output + 1) * sizes[1] - 1] = 4 }
            let data = Dataset.random(20, inputs: sizes[0], classes: sizes[2])
            let rule = ContinualEquilibriumPropagation<Element>(
                TwoPhases(freeSteps: 1, nudgedSteps: 3, beta: 0.01),
                learningRates: LearningRates(weights: [0.01, 0.01]))
            let watcher = ChangeWatcher()
            let monitor = ProgressMonitor(observer: watcher)
            _ = try data.withSamples { try network.trainBatch($0, rule: rule, monitor: monitor) }
            #expect(watcher.shown.count == 4 && watcher.shown == watcher.expected)
            #expect(watcher.isOfLastHiddenUnit[1], "the test's own premise")
        }
        try check(type.scalar)
    }

    @Test(arguments: NetworkCase.few)
    func continuingEqualsOneLongPhase(_ example: NetworkCase) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(example.configuration)
            let data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
            for (first, second) in [(1, 1), (4, 7), (9, 1)] {
                let whole = try network.freePhase(data.inputs, steps: first + second)
                let free = network.stateBits
                let wholeNudged = try network.nudgedPhase(data.wanted, beta: 0.5, steps: first + second)
                let nudged = network.stateBits

                try network.freePhase(data.inputs, steps: first)
                let rest = try network.freePhase(data.inputs, steps: second, continuing: true)
                #expect(network.stateBits == free)
                #expect(rest.steps == second && rest.residual == whole.residual)

                try network.nudgedPhase(data.wanted, beta: 0.5, steps: first)
                let restNudged = try network.nudgedPhase(data.wanted, beta: 0.5, steps: second)
                #expect(network.stateBits == nudged)
                #expect(restNudged.residual == wholeNudged.residual)
            }
        }
        try check(example.type.scalar)
    }

    @Test(arguments: NumberType.allCases)
    func continuingWithAnotherInputClampsIt(_ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            for setting in NetworkCase.settings {
                let network = try Network<Element>(NetworkConfiguration(sizes: [4, 5, 3], setting: setting, seed: 4))
                let reference = ReferenceNetwork(network)
                let first = Dataset.random(2, inputs: 4, classes: 3, seed: 1).inputs
                let second = Dataset.random(2, inputs: 4, classes: 3, seed: 2).inputs
                try network.freePhase(first, steps: 8)
                try network.freePhase(second, steps: 2, continuing: true)
                var states = reference.relax(reference.zeroStates(first), steps: 8)
                states[0] = second
                let expected = reference.relax(states, steps: 2)
                #expect(largestDifference(network.states, expected) <= Element.tolerance)
            }
        }
        try check(type.scalar)
    }
}

/// Compares the residuals that it observes with the observed states.
private final class ChangeWatcher: PhaseObserver {
    private(set) var shown: [Double] = []
    private(set) var expected: [Double] = []
    private(set) var isOfLastHiddenUnit: [Bool] = []
    private var before: ReferenceNetwork.States = []

    func observe<Element>(_ moment: PhaseStep<Element>) throws(EngineError) {
        let states = moment.state.layers.map(\.rowsAsFloat64)
        if moment.step > 0 {
            let change = ReferenceNetwork.largestChange(before, states)
            shown.append(Double(moment.residual))
            expected.append(Double(Element(change)))
            isOfLastHiddenUnit.append(
                zip(before[1], states[1]).contains { abs($1[$1.count - 1] - $0[$0.count - 1]) == change })
        }
        before = states
    }
}
