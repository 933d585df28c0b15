import CEPEngine
import CEPKernels
import Testing

/// Invalid rules are refused before anything changes.
@Suite struct RulesAreChecked {
    private static let data = Dataset.random(3, inputs: 4, classes: 3)

    private func expectRefused(
        _ rule: some LearningRule<Float>, saying parts: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let network = try Network<Float>(NetworkConfiguration(sizes: [4, 5, 3]))
        let before = network.parameterBits
        expectError(EngineError.invalidArgument, saying: parts, sourceLocation: sourceLocation) {
            try Self.data.withSamples {
                _ = try network.gradient($0, estimator: rule, monitor: ProgressMonitor())
            }
        }
        #expect(network.parameterBits == before && network.state == nil, sourceLocation: sourceLocation)
    }

    @Test(arguments: [(0, "1 or more"), (-1, "1 or more"), (6, "more than the 5 free_steps")])
    func lastStepsOfBPTT(_ steps: Int, _ message: String) throws {
        try expectRefused(
            BackpropagationThroughTime(freeSteps: 5, lastSteps: steps, learningRates: nil),
            saying: ["last_steps", "\(steps)", message])
    }

    @Test(arguments: [0, 1, -1, 2, .nan, .infinity])
    func theToleranceOfRBP(_ tolerance: Double) throws {
        try expectRefused(
            RecurrentBackpropagation(freeSteps: 5, tolerance: tolerance, maximumIterations: 5, learningRates: nil),
            saying: ["tolerance", "between 0 and 1", "\(tolerance)"])
    }

    @Test func iterationsOfRBP() throws {
        try expectRefused(
            RecurrentBackpropagation(freeSteps: 5, tolerance: 0.1, maximumIterations: 0, learningRates: nil),
            saying: ["max_iterations", "1 or more"])
    }

    @Test func aSymmetricContinualBeta() throws {
        let phases = TwoPhases(freeSteps: 5, nudgedSteps: 2, beta: 0.5, betaSign: .symmetric)
        try expectRefused(
            ContinualEquilibriumPropagation(phases, learningRates: nil), saying: ["symmetric", "continual"])
    }

    @Test func tooFewIterations() throws {
        let network = try Network<Double>(NetworkConfiguration(sizes: [4, 5, 3]))
        let rule = RecurrentBackpropagation<Double>(
            freeSteps: 50, tolerance: 1e-9, maximumIterations: 2, learningRates: nil)
        expectError(EngineError.diverged, saying: ["after 2 iterations", "max_iterations"]) {
            try Self.data.withSamples {
                _ = try network.gradient($0, estimator: rule, monitor: ProgressMonitor())
            }
        }
    }

    @Test func tooManyStepsToKeep() throws {
        let network = try Network<Double>(NetworkConfiguration(sizes: [4, 5, 3]))
        let rule = BackpropagationThroughTime<Double>(freeSteps: .max, learningRates: nil)
        expectError(EngineError.outOfMemory, saying: ["\(Int.max) steps of 3 samples"]) {
            try Self.data.withSamples {
                _ = try network.gradient($0, estimator: rule, monitor: ProgressMonitor())
            }
        }
    }

    @Test func aTheoremWithMoreNudgedThanFreeSteps() throws {
        let network = try Network<Double>(NetworkConfiguration(sizes: [4, 5, 3]))
        let conditions = TheoremConditions(
            freeSteps: 3, nudgedSteps: 4, beta: 0.1, learningRates: LearningRates(weights: [0, 0]))
        expectError(EngineError.invalidArgument, saying: ["nudged_steps is 4", "3 free_steps"]) {
            try Self.data.withSamples {
                _ = try network.checkTheorem($0, conditions, monitor: ProgressMonitor())
            }
        }
    }
}
