import CEPKernels

/// C-EP (Ernoult et al., 2020): an update at every step of the nudged phase, from the states before and after it. On
/// a network with untied feedback this is the continual vector field rule, C-VF.
public struct ContinualEquilibriumPropagation<Element: KernelScalar>: LearningRule {
    public let phases: TwoPhases
    public let learningRates: LearningRates?

    public init(_ phases: TwoPhases, learningRates: LearningRates?) {
        self.phases = phases
        self.learningRates = learningRates
    }

    public func validate(for configuration: NetworkConfiguration) throws(EngineError) {
        try phases.validate()
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
        let metrics = try network.runFreePhase(on: batch, steps: phases.freeSteps, monitor: monitor)
        let beta = phases.betas(random: &random)[0]

        // Parameters move while the phase runs: one that is stopped, diverges or only estimates puts them back.
        let before = try network.backUpParameters()
        do {
            try runNudgedPhase(network, batch, beta: beta, rates: rates, into: accumulators, monitor: monitor)
        } catch {
            network.restoreParameters(from: before)
            throw error
        }
        if accumulators[0] !== network.parameters[0] { network.restoreParameters(from: before) }
        return metrics
    }

    private func runNudgedPhase(
        _ network: Network<Element>, _ batch: ClampedBatch<Element>, beta: Double, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], monitor: ProgressMonitor
    ) throws(EngineError) {
        let state = batch.state
        let scale = 1 / Element(beta * Double(state.batch))
        let rates = rates.map { $0 * scale }
        let parameters = network.parameters
        let movesAccumulators = accumulators[0] === parameters[0]
        let movingRates: [UpdateRates<Element>]? =
            movesAccumulators ? nil : learningRates?.rates().map { $0 * scale }

        let older = try StateSnapshot(of: state)
        let nudge = Nudge(target: batch.target, beta: Element(beta))
        _ = try network.relax(state, steps: phases.nudgedSteps, nudge: nudge, monitor: monitor) { _ in
            network.addUpdates(from: older, to: state, rates: rates, into: accumulators)
            if let movingRates { network.addUpdates(from: older, to: state, rates: movingRates, into: parameters) }
            network.refreshInputDrive(of: state)
            older.update(from: state)
        }
    }
}
