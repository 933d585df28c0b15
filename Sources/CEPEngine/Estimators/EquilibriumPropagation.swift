import CEPKernels

/// EP (Scellier and Bengio, 2017): one update from the steady states of the free and the nudged phase. On a network
/// with untied feedback this is the vector field rule, VF.
public struct EquilibriumPropagation<Element: KernelScalar>: NamedRule {
    package static var name: String { "ep" }

    /// Steps and β.
    public let phases: TwoPhases
    /// nil for a rule that only estimates gradients.
    public let learningRates: LearningRates?
    /// Turns gradients into changes of parameters.
    public let optimizer: any Optimizer
    /// Whether the update is summed over the steps of the nudged phase, with constant weights, instead of being
    /// computed from its two ends. It makes a difference with untied feedback only.
    public let accumulates: Bool

    /// - Parameters:
    ///   - phases: Steps and β.
    ///   - learningRates: nil for a rule that only estimates gradients.
    ///   - optimizer: Turns gradients into changes of parameters.
    ///   - accumulates: Whether updates are summed over the nudged phase.
    public init(
        _ phases: TwoPhases, learningRates: LearningRates? = nil, optimizer: any Optimizer = SGD(),
        accumulates: Bool = false
    ) {
        self.phases = phases
        self.learningRates = learningRates
        self.optimizer = optimizer
        self.accumulates = accumulates
    }

    package init(_ options: inout Options) throws(EngineError) {
        self.init(
            try TwoPhases(&options), learningRates: try options.learningRates(), optimizer: try options.optimizer(),
            accumulates: try options.flag("accumulate") ?? false)
    }

    public func validate(for network: Network<Element>) throws(EngineError) { try phases.validate(for: network) }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func addUpdates(
        of network: Network<Element>, on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let metrics = try network.runFreePhase(on: batch, steps: phases.freeSteps, monitor: monitor)
        let free = try StateSnapshot(of: batch.state)
        network.countRememberedStates(of: batch.state.batch)
        let betas = phases.betas(random: &random)

        // The parameters must not change before the last nudged phase has ended.
        let waits = accumulates || betas.count > 1
        let sums = waits ? try network.zeroParameters() : accumulators
        for (number, beta) in betas.enumerated() {
            if number > 0 { free.restore(to: batch.state) }
            try runNudgedPhase(
                of: network, on: batch, beta: beta, share: 1 / Double(betas.count), from: free, rates: rates,
                into: sums, monitor: monitor)
        }
        if waits {
            try network.checkSums(sums)
            for (accumulator, sum) in zip(accumulators, sums) { accumulator.add(sum) }
        }
        return metrics
    }

    private func runNudgedPhase(
        of network: Network<Element>, on batch: ClampedBatch<Element>, beta: Double, share: Double,
        from free: StateSnapshot<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], monitor: ProgressMonitor
    ) throws(EngineError) {
        let state = batch.state
        let nudge = Nudge(target: batch.target, beta: Element(beta))
        let scaled = rates.map { $0 * Element(share / (beta * Double(state.batch))) }
        if phases.asymmetry == .exact {
            // The sum over the steps would be the same.
            let phase = try CorrectedPhase(of: network, on: batch, beta: beta)
            try monitor.show { network.phaseStep(0, of: state, nudge: nudge, residual: 0) }
            try network.relaxStepByStep(
                state, steps: phases.nudgedSteps, corrected: phase, monitor: monitor, afterStep: { _ in })
            try network.checkUpdates(
                rates: scaled, rows: 4 * Double(state.batch), factors: network.largestMagnitudes(of: state))
            try network.addReadoutUpdate(on: batch, rates: rates, share: Element(share), into: accumulators)
            phase.addUpdates(to: state, rates: scaled, into: accumulators)
        } else if accumulates {
            let older = try StateSnapshot(of: state)
            try network.relax(state, steps: phases.nudgedSteps, nudge: nudge, monitor: monitor) { _ in
                network.addUpdates(
                    from: older, to: state, rates: scaled, feedback: phases.feedbackUpdate, into: accumulators)
                older.update(from: state)
            }
            try network.addReadoutUpdate(on: batch, rates: rates, share: Element(share), into: accumulators)
        } else {
            try network.relax(state, steps: phases.nudgedSteps, nudge: nudge, monitor: monitor)
            try network.checkUpdates(
                rates: scaled, rows: 4 * Double(state.batch), factors: network.largestMagnitudes(of: state))
            try network.addReadoutUpdate(on: batch, rates: rates, share: Element(share), into: accumulators)
            network.addUpdates(
                from: free, to: state, rates: scaled, feedback: phases.feedbackUpdate, into: accumulators)
        }
    }
}
