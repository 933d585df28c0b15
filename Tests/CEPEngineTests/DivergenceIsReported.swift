import CEPEngine
import CEPKernels
import Testing

@Suite struct DivergenceIsReported {
    private static let phases = Conditions(freeSteps: 5, nudgedSteps: 5, beta: 0.5, learningRates: [0.1, 0.1, 0.1])
    private static let sizes = [4, 5, 6, 3]
    private static let data = Dataset.random(3, inputs: 4, classes: 3)

    /// Expects that every call that takes steps reports `parts` and leaves the parameters unchanged.
    private func expectReports<Element: KernelScalar>(_ network: Network<Element>, _ parts: [String]) {
        let before = network.parameterBits
        expectError(EngineError.diverged, saying: parts) { try network.freePhase(Self.data.inputs, steps: 5) }
        for kind in RuleKind.allCases {
            expectError(EngineError.diverged, saying: parts) { try network.trainBatch(Self.data, kind, Self.phases) }
            expectError(EngineError.diverged, saying: parts) {
                try network.trainEpoch(Self.data, kind, Self.phases, batchSize: 2)
            }
        }
        expectError(EngineError.diverged, saying: parts) { try network.evaluate(Self.data, steps: 5) }
        expectError(EngineError.diverged, saying: parts) { try network.predict(Self.data.inputs, steps: 5) }
        #expect(network.parameterBits == before)
    }

    /// The states above the first connection are zero at first, so ∞ · 0 is NaN at the first step, in both directions.
    @Test(arguments: NumberType.allCases, [Feedback.tied, .untied(angle: 20)])
    func infiniteWeightsBetweenZeroStates(_ type: NumberType, _ feedback: Feedback) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(NetworkConfiguration(sizes: Self.sizes, feedback: feedback))
            network.connections[2].parameters.weights.pointer[4] = .infinity
            // With tied weights the feedback carries it to layer 2 as well; with untied weights only the output is
            // affected.
            let layer = feedback == .tied ? "layer 2" : "layer 3"
            expectReports(network, ["free phase", "step 1", layer, "connection 2"])
        }
        try check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, [0, 1, 2])
    func parametersThatAreNotANumber(_ type: NumberType, _ connection: Int) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            for setting in NetworkCase.settings {
                let network = try Network<Element>(
                    NetworkConfiguration(sizes: Self.sizes, setting: setting, feedback: .untied(angle: 20)))
                let biases = try #require(network.connections[connection].parameters.biases)
                biases.pointer[biases.count - 1] = .nan
                // A bias affects the layer above at the first step.
                expectReports(network, ["free phase", "step 1", "layer \(connection + 1)", "connection \(connection)"])
            }
        }
        try check(type.scalar)
    }

    /// With s(t+1) = σ + β(y − s) and a huge β, the output is about ±β after one step and overflows at ∓β² after two.
    @Test(arguments: NumberType.allCases, NetworkCase.settings)
    func aNudgedPhaseThatGrowsBeyondBounds(_ type: NumberType, _ setting: SettingKind) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            if case .realTime(let realTime) = setting, realTime.clamp { return }  // Never infinite.
            let beta = type == .float32 ? 1e30 : 1e200
            for feedback in [Feedback.tied, .untied(angle: 20)] {
                let network = try Network<Element>(
                    NetworkConfiguration(sizes: Self.sizes, setting: setting, feedback: feedback))
                let before = network.parameterBits
                // The layer that diverges first depends on the form of the continual updates.
                let parts = ["nudged phase", "step 2", "in layer", "beta"]
                try network.freePhase(Self.data.inputs, steps: 5)
                try network.nudgedPhase(Self.data.wanted, beta: beta, steps: 1)
                try network.freePhase(Self.data.inputs, steps: 5)
                expectError(EngineError.diverged, saying: parts) {
                    try network.nudgedPhase(Self.data.wanted, beta: beta, steps: 5)
                }
                var phases = Self.phases
                phases.beta = beta
                for kind in RuleKind.allCases {
                    expectError(EngineError.diverged, saying: parts) { try network.trainBatch(Self.data, kind, phases) }
                    // C-EP has moved its weights at the first step and must have restored them.
                    #expect(network.parameterBits == before, "\(kind)")
                }
            }
        }
        try check(type.scalar)
    }

    /// The same if threads share the hidden layer.
    @Test(arguments: NumberType.allCases, [Feedback.tied, .untied(angle: 20)])
    func aContinualPhaseInBlocksOfUnits(_ type: NumberType, _ feedback: Feedback) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(NetworkConfiguration(sizes: [40, 390, 10], feedback: feedback))
            let data = Dataset.random(20, inputs: 40, classes: 10)
            let before = network.parameterBits
            let beta = type == .float32 ? 1e30 : 1e200
            let phases = Conditions(freeSteps: 5, nudgedSteps: 5, beta: beta, learningRates: [0.1, 0.1])
            for kind in RuleKind.allCases {
                expectError(EngineError.diverged, saying: ["nudged phase", "step 2", "in layer", "beta"]) {
                    try network.trainBatch(data, kind, phases)
                }
                #expect(network.parameterBits == before, "\(kind)")
            }
        }
        try check(type.scalar)
    }

    /// The change from −2z to 2z, both finite, overflows: with β = 2 and y = −z, s takes the values 0, −2z, 2z.
    @Test(arguments: NumberType.allCases)
    func anOverflowingChangeNamesNoLayer(_ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let network = try Network<Element>(NetworkConfiguration(sizes: [4, 5, 3]))
            try network.freePhase([[0, 0, 0, 0]], steps: 5)
            let z = Double(Element.greatestFiniteMagnitude) * 0.375
            do {
                try network.nudgedPhase(.values([[-z, 0, 0]]), beta: 2, steps: 5)
                Issue.record("nothing was thrown")
            } catch EngineError.diverged(let divergence) {
                let message = divergence.message
                #expect(divergence.step == 2 && divergence.layer == nil)
                #expect(message.contains("nudged phase") && message.contains("step 2") && !message.contains("layer"))
            }
        }
        try check(type.scalar)
    }

    /// After a divergence within an epoch, the network is as after the batches before.
    @Test(arguments: NumberType.allCases, RuleKind.allCases)
    func anEpochThatDivergesKeepsItsWholeBatches(_ type: NumberType, _ kind: RuleKind) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let configuration = NetworkConfiguration(sizes: [4, 5, 3], seed: 6)
            let phases = Conditions(freeSteps: 4, nudgedSteps: 3, beta: 2, learningRates: [0.2, 0.1])
            var random = RandomSource(seed: 3)
            let order = random.permutation(of: 8)
            // Twice this target is infinite, so the nudged phase of the seventh sample diverges.
            var data = Dataset.random(8, inputs: 4, classes: 3)
            var wanted = data.targetRows(units: 3)
            wanted[order[6]][1] = Double(Element.greatestFiniteMagnitude)
            data.wanted = .values(wanted)

            let byHand = try Network<Element>(configuration)
            let start = byHand.parameterBits
            for rows in [order[0..<3], order[3..<6]] { try byHand.trainBatch(data.rows(rows), kind, phases) }
            #expect(byHand.parameterBits != start)

            let network = try Network<Element>(configuration)
            expectError(EngineError.diverged, saying: ["nudged phase", "step 1", "layer 2"]) {
                try network.trainEpoch(data, kind, phases, batchSize: 3, shuffleSeed: 3)
            }
            #expect(network.parameterBits == byHand.parameterBits)
        }
        try check(type.scalar)
    }

    /// Rates that float32 cannot hold must not make parameters infinite silently.
    @Test(arguments: RuleKind.allCases, [(1e-46, 0.1), (1e39, 0.1), (0.5, 1e39), (1e-30, 1e10)])
    func ruleNumbersThatDoNotFitIntoFloat32AreRefused(_ kind: RuleKind, _ numbers: (beta: Double, rate: Double)) throws
    {
        let network = try Network<Float>(NetworkConfiguration(sizes: [4, 5, 3]))
        let before = network.parameterBits
        let rates = [numbers.rate, numbers.rate]
        let phases = Conditions(freeSteps: 3, nudgedSteps: 1, beta: numbers.beta, learningRates: rates)
        #expect(throws: EngineError.self) { try network.trainBatch(Self.data, kind, phases) }
        #expect(network.parameterBits == before)
    }

    @Test(arguments: [1e-46, 1e39])
    func aBetaThatDoesNotFitIntoFloat32IsRefused(_ beta: Double) throws {
        let network = try Network<Float>(NetworkConfiguration(sizes: [4, 5, 3]))
        try network.freePhase(Self.data.inputs, steps: 3)
        expectError(EngineError.invalidArgument, saying: ["beta"]) {
            try network.nudgedPhase(Self.data.wanted, beta: beta, steps: 1)
        }
    }
}
