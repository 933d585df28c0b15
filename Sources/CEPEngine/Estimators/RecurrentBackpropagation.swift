import CEPKernels

/// Recurrent backpropagation (Almeida, 1987; Pineda, 1987): the gradient of the loss at the state that the free phase
/// ends in, taken as a steady state.
///
/// It is the sum of the gradients that BPTT sends back through a step at the steady state, repeated until they have
/// become negligible.
public struct RecurrentBackpropagation<Element: KernelScalar>: NamedRule {
    package static var name: String { "rbp" }

    /// Steps of the free phase, 1 or more.
    public let freeSteps: Int
    /// Iterations end when the largest dL/ds, relative to the first one, is at most this.
    public let tolerance: Double
    /// Iterations after which `EngineError.diverged` is thrown.
    public let maximumIterations: Int
    /// nil for a rule that only estimates gradients.
    public let learningRates: LearningRates?
    /// Turns gradients into changes of parameters.
    public let optimizer: any Optimizer

    /// - Parameters:
    ///   - freeSteps: Steps of the free phase, 1 or more.
    ///   - tolerance: Of the largest dL/ds relative to the first one, between 0 and 1.
    ///   - maximumIterations: 1 or more.
    ///   - learningRates: nil for a rule that only estimates gradients.
    ///   - optimizer: Turns gradients into changes of parameters.
    public init(
        freeSteps: Int, tolerance: Double = 1e-6, maximumIterations: Int = 10_000, learningRates: LearningRates? = nil,
        optimizer: any Optimizer = SGD()
    ) {
        self.freeSteps = freeSteps
        self.tolerance = tolerance
        self.maximumIterations = maximumIterations
        self.learningRates = learningRates
        self.optimizer = optimizer
    }

    package init(_ options: inout Options) throws(EngineError) {
        self.init(
            freeSteps: try required(options.integer("free_steps"), "free_steps"),
            tolerance: try options.number("tolerance") ?? 1e-6,
            maximumIterations: try options.integer("max_iterations") ?? 10_000,
            learningRates: try options.learningRates(), optimizer: try options.optimizer())
    }

    public func validate(for network: Network<Element>) throws(EngineError) {
        try validateSteps(freeSteps, name: "free_steps")
        try validateSteps(maximumIterations, name: "max_iterations")
        guard tolerance > 0, tolerance < 1 else {
            throw .invalidArgument("tolerance must be between 0 and 1, got \(tolerance)")
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func addUpdates(
        of network: Network<Element>, on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let state = batch.state
        let metrics = try network.runFreePhase(on: batch, steps: freeSteps, monitor: monitor)
        try network.updatePreactivations(of: state)
        // States and preactivations at the steady state.
        network.countRememberedStates(of: state.batch, times: 2)

        let preactivationGradients = try network.layerMatrices(rows: state.batch)
        let sums = try network.layerMatrices(rows: state.batch)
        let sweep = try BackwardSweep(of: network, from: batch)
        let target = sweep.largestGradient * Element(tolerance)
        var iterations = 0
        while !(sweep.largestGradient <= target) {
            guard iterations < maximumIterations else {
                throw .diverged(
                    Divergence(
                        "recurrent backpropagation has not reached its tolerance \(tolerance) after \(iterations) "
                            + "iterations: the state is not a stable steady state, or max_iterations is too small",
                        step: iterations))
            }
            sweep.stepBack(through: { state.recorded($0) }, into: preactivationGradients.map { $0.view })
            for (sum, gradient) in zip(sums, preactivationGradients) { sum.view.add(gradient.view, scale: 1) }
            iterations += 1
            try sweep.checkGradients(after: iterations, advice: "the state is not a stable steady state")
            try monitor.stepTaken(iterations, of: maximumIterations)
        }
        try network.checkUpdates(
            rates: rates, rows: 2 * Double(state.batch),
            factors: network.largestMagnitudes(of: batch.state, and: sums))
        try network.addReadoutUpdate(on: batch, rates: rates, into: accumulators)
        network.addGradient(
            preactivationGradients: sums.map { $0.view }, activities: { state.activityPair($0) },
            rates: rates.map { $0 * -1 }, into: accumulators)
        return metrics
    }
}
