import CEPEngine
import CEPKernels
import Testing

@Suite struct StoppingKeepsWholeBatches {
    /// Two batches. Each can be stopped at five points: after two steps of either phase, and at its end.
    private static let phases = Conditions(freeSteps: 2, nudgedSteps: 2, beta: 0.5, learningRates: [0.4, 0.2])
    private static let data = Dataset.random(5, inputs: 4, classes: 3)
    private static let polls = 5

    private static func configuration(_ feedback: Feedback) -> NetworkConfiguration {
        NetworkConfiguration(sizes: [4, 5, 3], feedback: feedback, seed: 6)
    }

    @Test(arguments: RuleKind.allCases, [Feedback.tied, .untied(angle: 30)])
    func wheneverAnEpochIsStopped(_ kind: RuleKind, _ feedback: Feedback) throws {
        // Parameters after 0, 1 and 2 whole batches.
        let byHand = try Network<Float>(Self.configuration(feedback))
        var random = RandomSource(seed: 3)
        let order = random.permutation(of: 5)
        var afterBatches = [byHand.parameterBits]
        for rows in [order[0..<3], order[3..<5]] {
            try byHand.trainBatch(Self.data.rows(rows), kind, Self.phases)
            afterBatches.append(byHand.parameterBits)
        }
        #expect(Set(afterBatches).count == 3, "the test's own premise")

        for stopAt in 1...(2 * Self.polls) {
            let network = try Network<Float>(Self.configuration(feedback))
            let polled = PolledMonitor(stopAt: stopAt)
            #expect(throws: EngineError.stopped) {
                try network.trainEpoch(
                    Self.data, kind, Self.phases, batchSize: 3, shuffleSeed: 3, monitor: polled.monitor())
            }
            #expect(polled.reports.count == stopAt)
            #expect(network.parameterBits == afterBatches[stopAt / Self.polls], "stopped at poll \(stopAt)")
        }
    }

    @Test(arguments: RuleKind.allCases, [Feedback.tied, .untied(angle: 30)])
    func wheneverABatchIsStopped(_ kind: RuleKind, _ feedback: Feedback) throws {
        for stopAt in 1...4 {
            let network = try Network<Double>(Self.configuration(feedback))
            let before = network.parameterBits
            let polled = PolledMonitor(stopAt: stopAt)
            #expect(throws: EngineError.stopped) {
                try network.trainBatch(Self.data, kind, Self.phases, monitor: polled.monitor())
            }
            #expect(network.parameterBits == before, "stopped at step \(stopAt)")
            // It can be trained afterwards as if nothing had happened.
            try network.trainBatch(Self.data, kind, Self.phases)
            let untouched = try Network<Double>(Self.configuration(feedback))
            try untouched.trainBatch(Self.data, kind, Self.phases)
            #expect(network.parameterBits == untouched.parameterBits)
        }
    }

    @Test func aMonitorThatNeverStopsChangesNothing() throws {
        for kind in RuleKind.allCases {
            let watched = try Network<Float>(Self.configuration(.tied))
            let alone = try Network<Float>(Self.configuration(.tied))
            let polled = PolledMonitor()
            let metrics = try watched.trainEpoch(
                Self.data, kind, Self.phases, batchSize: 3, monitor: polled.monitor())
            #expect(try alone.trainEpoch(Self.data, kind, Self.phases, batchSize: 3) == metrics)
            #expect(watched.parameterBits == alone.parameterBits)
            #expect(polled.reports.count == 2 * Self.polls)
        }
    }

    @Test func phasesCanBeStoppedAtEachStep() throws {
        let network = try Network<Float>(Self.configuration(.tied))
        let (before, reference) = (network.parameterBits, ReferenceNetwork(network))
        let y = Self.data.targetRows(units: 3)
        for stopAt in 1...3 {
            var polled = PolledMonitor(stopAt: stopAt, countsSteps: true)
            #expect(throws: EngineError.stopped) {
                try network.freePhase(Self.data.inputs, steps: 10, monitor: polled.monitor())
            }
            // The states are those of the last step.
            let free = reference.relax(reference.zeroStates(Self.data.inputs), steps: stopAt)
            #expect(largestDifference(network.states, free) <= Float.tolerance)

            polled = PolledMonitor(stopAt: stopAt, countsSteps: true)
            #expect(throws: EngineError.stopped) {
                try network.nudgedPhase(Self.data.wanted, beta: 0.5, steps: 10, monitor: polled.monitor())
            }
            let nudged = reference.relax(free, steps: stopAt, towards: y, beta: 0.5)
            #expect(largestDifference(network.states, nudged) <= Float.tolerance)
        }
        #expect(network.parameterBits == before)
    }

    @Test func evaluationAndPredictionCanBeStopped() throws {
        let network = try Network<Float>(Self.configuration(.tied))
        try network.freePhase(Self.data.inputs, steps: 3)
        let (parameters, states) = (network.parameterBits, network.stateBits)
        let many = Dataset.random(200, inputs: 4, classes: 3)
        for stopAt in [1, 2, 3, 4, 6] {
            #expect(throws: EngineError.stopped) {
                try network.evaluate(many, steps: 2, monitor: PolledMonitor(stopAt: stopAt).monitor())
            }
            #expect(throws: EngineError.stopped) {
                try network.predict(many.inputs, steps: 2, monitor: PolledMonitor(stopAt: stopAt).monitor())
            }
            #expect(network.parameterBits == parameters && network.stateBits == states)
        }
    }
}
