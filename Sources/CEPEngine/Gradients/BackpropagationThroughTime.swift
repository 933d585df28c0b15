import CEPKernels

/// BPTT: the gradient of the loss at the end of the free phase, sent back through all or the last of its steps.
public struct BackpropagationThroughTime<Element: KernelScalar>: LearningRule {
    public let freeSteps: Int
    /// The steps at the end that gradients are sent back through; all of them where nil.
    public let lastSteps: Int?
    public let learningRates: LearningRates?

    public init(freeSteps: Int, lastSteps: Int? = nil, learningRates: LearningRates? = nil) {
        self.freeSteps = freeSteps
        self.lastSteps = lastSteps
        self.learningRates = learningRates
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

    public func addUpdates(
        of network: Network<Element>, on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        try beginProducts()
        defer { OpenBLAS.end() }
        let steps = lastSteps ?? freeSteps
        let (trajectory, _) = try network.relaxRecording(batch.state, steps: freeSteps, kept: steps, monitor: monitor)
        let metrics = Metrics(output: batch.state.output.view, target: batch.target.view)

        let driveGradients = try network.layerMatrices(rows: steps * trajectory.batch)
        let sweep = try BackwardSweep(of: network, from: batch)
        for step in (0..<steps).reversed() {
            sweep.stepBack(
                through: { trajectory.moment(of: $0, at: step) },
                into: driveGradients.map { $0.rows(from: step * trajectory.batch, count: trajectory.batch) })
            try sweep.checkGradients(after: steps - step)
            try monitor.stepTaken(steps - step, of: steps)
        }
        try network.checkUpdates(
            rates: rates, rows: 2 * Double(steps) * Double(trajectory.batch),
            factors: network.largestMagnitudes(of: batch.state, and: driveGradients))
        // All steps in one product, now that no gradient needs the weights any more.
        network.addGradient(
            driveGradients: driveGradients.map { $0.view }, sent: { trajectory.sent(at: $0, steps: 0..<steps) },
            rates: rates.map { $0 * -1 }, into: accumulators)
        return metrics
    }
}
