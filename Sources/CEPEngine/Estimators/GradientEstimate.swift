import CEPKernels

/// A rule's estimate of the gradient of the loss on a batch.
public struct GradientEstimate<Element: KernelScalar> {
    /// dL/dθ, with the shapes of each connection's parameters.
    public let connections: [ConnectionParameters<Element>]
    /// Errors and loss of the batch at the end of the free phase.
    public let metrics: Metrics
}

extension Network {
    /// The gradient of the mean loss of a batch, as a rule estimates it. The network does not change.
    ///
    /// - Parameters:
    ///   - samples: One batch.
    ///   - estimator: The rule. Its learning rates and optimizer are not used.
    ///   - monitor: Observes the phases, and may stop them.
    /// - Throws: As `trainBatch`.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func gradient(
        _ samples: Samples, estimator: any LearningRule<Element>, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> GradientEstimate<Element> {
        try exclusively { () throws(EngineError) in
            try samples.validate(for: self)
            try estimator.validateWithRates(for: self)
            monitor.begin(total: samples.inputs.rows)
            let gradient = try zeroParameters()
            hardware?.beginBatch(drawingFrom: &random)
            let metrics = try estimator.addUpdates(
                of: self, on: detachedBatch(of: samples), rates: forEachParameters(UpdateRates(-1)), into: gradient,
                random: &random, monitor: monitor)
            return GradientEstimate(connections: gradient, metrics: metrics)
        }
    }

    /// All samples as one batch, in a state separate from the network's own.
    func detachedBatch(of samples: Samples) throws(EngineError) -> ClampedBatch<Element> {
        let rows = SampleRows(0..<samples.inputs.rows)
        let target: Matrix<Element> = try samples.targets.matrix(of: rows, units: outputSize)
        let state = try makeState(batch: rows.count)
        samples.inputs.clamp(rows, into: state)
        return ClampedBatch(state: state, target: target)
    }
}
