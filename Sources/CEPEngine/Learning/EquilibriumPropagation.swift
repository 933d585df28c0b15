import CEPKernels

/// EP (Scellier and Bengio, 2017): one update from the steady states of the free and of the nudged phase. On a
/// network with untied feedback this is the vector field rule, VF.
public struct EquilibriumPropagation<Element: KernelScalar>: LearningRule {
    public let phases: TwoPhases
    public let learningRates: LearningRates?
    /// Whether the update is summed over the steps of the nudged phase, the weights staying as they are, rather than
    /// taken from its two ends. It makes a difference with untied feedback only.
    public let accumulates: Bool

    public init(_ phases: TwoPhases, learningRates: LearningRates? = nil, accumulates: Bool = false) {
        self.phases = phases
        self.learningRates = learningRates
        self.accumulates = accumulates
    }

    public func validate(for network: Network<Element>) throws(EngineError) { try phases.validate(for: network) }

    public func addUpdates(
        of network: Network<Element>, on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let (metrics, weights) = try network.runFreePhase(on: batch, steps: phases.freeSteps, monitor: monitor)
        let free = try StateSnapshot(of: batch.state)
        let betas = phases.betas(random: &random)

        // Weights stay as they are until the last nudged phase has ended.
        let waits = accumulates || betas.count > 1
        let sums = waits ? try network.zeroParameters() : accumulators
        for (number, beta) in betas.enumerated() {
            if number > 0 { free.restore(to: batch.state) }
            let scale = 1 / Element(beta * Double(batch.state.batch * betas.count))
            try runNudgedPhase(
                network, batch, through: weights, beta: beta, from: free, rates: rates.map { $0 * scale }, into: sums,
                monitor: monitor)
        }
        if waits {
            try network.checkSums(sums)
            for (accumulator, sum) in zip(accumulators, sums) { accumulator.add(sum) }
        }
        return metrics
    }

    private func runNudgedPhase(
        _ network: Network<Element>, _ batch: ClampedBatch<Element>, through weights: StillWeights<Element>,
        beta: Double, from free: StateSnapshot<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], monitor: ProgressMonitor
    ) throws(EngineError) {
        let state = batch.state
        let nudge = Nudge(target: batch.target, beta: Element(beta))
        if accumulates {
            let older = try StateSnapshot(of: state)
            _ = try network.relax(
                state, through: weights, steps: phases.nudgedSteps, nudge: nudge, monitor: monitor
            ) { _ in
                network.addUpdates(from: older, to: state, rates: rates, into: accumulators)
                older.update(from: state)
            }
        } else {
            _ = try network.relax(
                state, through: weights, steps: phases.nudgedSteps, nudge: nudge, monitor: monitor)
            try network.checkUpdates(
                rates: rates, rows: 4 * Double(state.batch), factors: network.largestMagnitudes(of: state))
            network.addUpdates(from: free, to: state, rates: rates, into: accumulators)
        }
    }
}
