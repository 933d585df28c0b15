import CEPKernels

/// C-EP (Ernoult et al., 2020): an update at every step of the nudged phase, from the states before and after it. On
/// a network with untied feedback this is the continual vector field rule, C-VF.
public struct ContinualEquilibriumPropagation<Element: KernelScalar>: LearningRule {
    public let phases: TwoPhases
    public let learningRates: LearningRates?
    /// Whether to write the weights at every step, rather than to keep how they have moved as a product of a few rows
    /// and to write them once. Both are the same in exact arithmetic.
    public let writesEveryStep: Bool

    public init(_ phases: TwoPhases, learningRates: LearningRates? = nil, writesEveryStep: Bool = false) {
        self.phases = phases
        self.learningRates = learningRates
        self.writesEveryStep = writesEveryStep
    }

    public func validate(for network: Network<Element>) throws(EngineError) {
        try phases.validate(for: network)
        guard phases.betaSign != .symmetric else {
            throw .invalidArgument(
                "a continual rule has no symmetric beta: the phase at +beta moves the weights, so that the one at "
                    + "-beta would not start from the same network; use fixed or random")
        }
    }

    public func addUpdates(
        of network: Network<Element>, on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let (metrics, weights) = try network.runFreePhase(on: batch, steps: phases.freeSteps, monitor: monitor)
        let beta = phases.betas(random: &random)[0]

        let scale = 1 / Element(beta * Double(batch.state.batch))
        let start = ContinualStart(
            batch: batch, nudge: Nudge(target: batch.target, beta: Element(beta)), steps: phases.nudgedSteps,
            weights: weights, movingRates: learningRates?.rates().map { $0 * scale })
        let continual = NudgedPhase(
            network: network, start: start, rates: rates.map { $0 * scale }, accumulators: accumulators)
        if writesEveryStep {
            try continual.runWritingEveryStep(monitor: monitor)
        } else {
            try continual.run(monitor: monitor)
        }
        return metrics
    }
}

/// A nudged phase in which the weights move.
private struct NudgedPhase<Element: KernelScalar> {
    let network: Network<Element>
    let start: ContinualStart<Element>
    /// What updates are multiplied with before they go to the accumulators.
    let rates: [UpdateRates<Element>]
    let accumulators: [ConnectionParameters<Element>]

    private var state: NetworkState<Element> { start.batch.state }

    func run(monitor: ProgressMonitor) throws(EngineError) {
        let phase = try network.makeContinualPhase(start)
        try network.relax(phase, from: start, monitor: monitor)
        try network.checkUpdates(
            rates: rates, rows: 4 * Double(state.batch) * Double(start.steps),
            factors: network.largestMagnitudes(of: state))
        for k in accumulators.indices { phase.addMovement(of: k, at: rates[k], to: accumulators[k]) }
    }

    /// The oracle of `run`, and the form for what needs the weights at every step.
    func runWritingEveryStep(monitor: ProgressMonitor) throws(EngineError) {
        try beginProducts()
        defer { OpenBLAS.end() }
        let parameters = network.parameters
        let isInPlace = accumulators[0] === parameters[0]
        // Parameters move while the phase runs: one that is stopped, diverges or only estimates puts them back.
        let before = try network.backUpParameters()
        let older = try StateSnapshot(of: state)
        do {
            try network.relaxChangingWeights(
                state, steps: start.steps, nudge: start.nudge, tolerance: network.configuration.tolerance,
                monitor: monitor
            ) { _ in
                network.addUpdates(from: older, to: state, rates: rates, into: accumulators)
                if !isInPlace, let movingRates = start.movingRates {
                    network.addUpdates(from: older, to: state, rates: movingRates, into: parameters)
                }
                network.refreshInputDrive(of: state)
                older.update(from: state)
            }
        } catch {
            network.restoreParameters(from: before)
            throw error
        }
        if !isInPlace {
            network.restoreParameters(from: before)
        } else if let k = parameters.firstIndex(where: { !$0.isFinite }) {
            network.restoreParameters(from: before)
            throw network.updateIsNotFinite(of: k)
        }
    }
}
