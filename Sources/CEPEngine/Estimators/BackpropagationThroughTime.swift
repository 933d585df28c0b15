import CEPKernels

/// BPTT: the gradient of the loss at the end of the free phase, sent back through all or the last of its steps.
public struct BackpropagationThroughTime<Element: KernelScalar>: NamedRule {
    package static var name: String { "bptt" }

    /// Steps of the free phase, 1 or more.
    public let freeSteps: Int
    /// The number of last steps that gradients are sent back through; nil for all.
    public let lastSteps: Int?
    /// nil for a rule that only estimates gradients.
    public let learningRates: LearningRates?
    /// Turns gradients into changes of parameters.
    public let optimizer: any Optimizer

    /// - Parameters:
    ///   - freeSteps: Steps of the free phase, 1 or more.
    ///   - lastSteps: The number of last steps that gradients are sent back through; nil for all.
    ///   - learningRates: nil for a rule that only estimates gradients.
    ///   - optimizer: Turns gradients into changes of parameters.
    public init(
        freeSteps: Int, lastSteps: Int? = nil, learningRates: LearningRates? = nil, optimizer: any Optimizer = SGD()
    ) {
        self.freeSteps = freeSteps
        self.lastSteps = lastSteps
        self.learningRates = learningRates
        self.optimizer = optimizer
    }

    package init(_ options: inout Options) throws(EngineError) {
        self.init(
            freeSteps: try required(options.integer("free_steps"), "free_steps"),
            lastSteps: try options.integer("last_steps"), learningRates: try options.learningRates(),
            optimizer: try options.optimizer())
    }

    public func validate(for network: Network<Element>) throws(EngineError) {
        try validateSteps(freeSteps, name: "free_steps")
        if let lastSteps {
            try validateSteps(lastSteps, name: "last_steps")
            guard lastSteps <= freeSteps else {
                throw .invalidArgument("last_steps is \(lastSteps), more than the \(freeSteps) free_steps there are")
            }
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func addUpdates(
        of network: Network<Element>, on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let steps = lastSteps ?? freeSteps
        let (trajectory, _) = try network.relaxRecording(batch.state, steps: freeSteps, kept: steps, monitor: monitor)
        // States and preactivations of each step.
        network.countRememberedStates(of: trajectory.batch, times: 2 * steps)
        let metrics = network.metrics(of: batch.state, rows: 0..<trajectory.batch, target: batch.target)

        let preactivationGradients = try network.layerMatrices(rows: steps * trajectory.batch)
        let sweep = try BackwardSweep(of: network, from: batch)
        for step in (0..<steps).reversed() {
            sweep.stepBack(
                through: { trajectory.layer($0, at: step) },
                into: preactivationGradients.map { $0.rows(from: step * trajectory.batch, count: trajectory.batch) })
            try sweep.checkGradients(after: steps - step)
            try monitor.stepTaken(steps - step, of: steps)
        }
        try network.checkUpdates(
            rates: rates, rows: 2 * Double(steps) * Double(trajectory.batch),
            factors: network.largestMagnitudes(of: batch.state, and: preactivationGradients))
        try network.addReadoutUpdate(on: batch, rates: rates, into: accumulators)
        // All steps in one product, after the last gradient has used the weights.
        network.addGradient(
            preactivationGradients: preactivationGradients.map { $0.view },
            activities: { trajectory.activities(of: $0, steps: 0..<steps) }, rates: rates.map { $0 * -1 },
            into: accumulators)
        return metrics
    }
}
