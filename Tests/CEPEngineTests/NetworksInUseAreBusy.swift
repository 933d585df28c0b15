import CEPEngine
import CEPKernels
import Testing

/// Only one call at a time is allowed, also if an observer calls the network during its phase.
@Suite struct NetworksInUseAreBusy {
    private final class Caller: PhaseObserver {
        var messages: [String] = []

        func observe<Element>(_ step: PhaseStep<Element>) throws(EngineError) {
            let x = try SampleMatrix([0.1, 0.2, 0.3, 0.4] as [Float], columns: 4)
            let samples = Samples(inputs: x, classes: [1])
            let network = step.network
            let rule = EquilibriumPropagation<Element>(
                TwoPhases(freeSteps: 1, nudgedSteps: 1, beta: 1), learningRates: [0.1, 0.1])
            expectBusy { _ = try network.evaluate(samples, steps: 1) }
            expectBusy { _ = try network.predict(x, steps: 1) }
            expectBusy { _ = try network.copied() }
            expectBusy { _ = try network.energy() }
            expectBusy { _ = try network.feedbackAngle(of: 1) }
            expectBusy { try network.freePhase(x, steps: 1) }
            expectBusy { try network.nudgedPhase(samples.targets, beta: 1, steps: 1) }
            expectBusy { try network.trainBatch(samples, rule: rule) }
            expectBusy { try network.trainEpoch(samples, rule: rule, batchSize: 1, shuffleSeed: 0) }
            expectBusy { _ = try network.gradient(samples, estimator: rule) }
        }

        private func expectBusy(_ call: () throws -> Void) {
            do {
                try call()
                messages.append("nothing was thrown")
            } catch EngineError.busy {
            } catch { messages.append("\(error)") }
        }
    }

    @Test(arguments: [false, true])
    func forAnObserver(_ continual: Bool) throws {
        let network = try Network<Float>(NetworkConfiguration(sizes: [4, 5, 3]))
        let undisturbed = try Network<Float>(NetworkConfiguration(sizes: [4, 5, 3]))
        let caller = Caller()
        let phases = TwoPhases(freeSteps: 3, nudgedSteps: 2, beta: 0.5)
        let samples = Samples(
            inputs: try SampleMatrix([0.3, 0.1, 0.9, 0.2, 0.5, 0.5, 0.1, 0] as [Float], columns: 4), classes: [0, 2])
        let rule: any LearningRule<Float> =
            continual
            ? ContinualEquilibriumPropagation(phases, learningRates: [0.1, 0.1])
            : EquilibriumPropagation(phases, learningRates: [0.1, 0.1])
        try network.trainBatch(samples, rule: rule, monitor: ProgressMonitor(observer: caller))
        try undisturbed.trainBatch(samples, rule: rule)
        #expect(caller.messages == [])
        #expect(network.parameterBits == undisturbed.parameterBits && network.stateBits == undisturbed.stateBits)
        // The network is free again.
        #expect(try network.evaluate(samples, steps: 2).samples == 2)
    }

    /// Targets keep their memory.
    @Test func targetsOutliveTheirSamples() throws {
        func targets() throws -> Targets {
            Samples(inputs: try SampleMatrix([0, 0] as [Float], columns: 2), classes: [2]).targets
        }
        let kept = try targets()
        // Freed memory may be allocated again.
        let others = (0..<100).map { _ in [Int64](repeating: 77, count: 1) }
        let network = try Network<Double>(NetworkConfiguration(sizes: [2, 4, 3]))
        try network.freePhase(try SampleMatrix([0.5, 0.5] as [Double], columns: 2), steps: 2)
        try network.nudgedPhase(kept, beta: 0.5, steps: 1)
        #expect(others.count == 100)
    }

    /// Calls from Swift also treat denormal numbers as zeros, like calls through the C interface.
    @Test func denormalNumbersAreZeros() throws {
        let network = try Network<Float>(NetworkConfiguration(sizes: [2, 3, 2], activation: .hardSigmoid))
        for connection in network.connections {
            for matrix in connection.parameters.matrices { matrix.pointer.update(repeating: 0, count: matrix.count) }
        }
        network.parameters[0].weights.pointer[0] = 1
        let tiny = Float.leastNormalMagnitude / 4
        try network.freePhase(try SampleMatrix([tiny, 0], columns: 2), steps: 1)
        #expect(network.state?.layers[1].pointer[0] == 0)
        #expect(tiny > 0, "the caller's own arithmetic is back")
    }
}
