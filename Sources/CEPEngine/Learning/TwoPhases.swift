import CEPKernels

/// The two phases that Equilibrium Propagation, continual or not, consists of.
public struct TwoPhases: Sendable {
    public var freeSteps: Int
    public var nudgedSteps: Int
    public var beta: Double
    public var betaSign: BetaSign

    public init(freeSteps: Int, nudgedSteps: Int, beta: Double, betaSign: BetaSign = .fixed) {
        self.freeSteps = freeSteps
        self.nudgedSteps = nudgedSteps
        self.beta = beta
        self.betaSign = betaSign
    }

    func validate<Element>(for network: Network<Element>) throws(EngineError) {
        try validateSteps(freeSteps, name: "free_steps")
        try validateSteps(nudgedSteps, name: "nudged_steps")
        try validateBeta(beta, as: Element.self)
    }

    /// The strengths of the nudged phases a batch is run with.
    func betas(random: inout RandomSource) -> [Double] {
        switch betaSign {
        case .fixed: [beta]
        case .random: [Bool.random(using: &random) ? beta : -beta]
        case .symmetric: [beta, -beta]
        }
    }
}

/// Which sign β has.
public enum BetaSign: Int32, Sendable {
    /// That of the number given.
    case fixed = 0
    /// Drawn for each batch, with p = ½.
    case random = 1
    /// Both: two nudged phases from the same free steady state, and half the sum of their updates.
    case symmetric = 2
}

extension Network {
    /// The free phase of a rule: relaxes, and sees how the batch is predicted.
    ///
    /// - Returns: Also the weights as the phase had them, for the phases that follow.
    func runFreePhase(
        on batch: ClampedBatch<Element>, steps: Int, monitor: ProgressMonitor
    ) throws(EngineError) -> (metrics: Metrics, weights: StillWeights<Element>) {
        for connection in connections { try connection.reserve(batch: batch.state.batch) }
        let weights = try preparePhase(of: batch.state)
        _ = try relax(
            batch.state, through: weights, steps: steps, order: configuration.relaxation, monitor: monitor)
        return (Metrics(output: batch.state.output.view, target: batch.target.view), weights)
    }

    /// Adds the updates of all connections from an older state to the present one.
    func addUpdates(
        from older: StateSnapshot<Element>, to state: NetworkState<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>]
    ) {
        for (k, connection) in connections.enumerated() {
            connection.addUpdate(
                from: older.joinedLayers(at: k), to: state.joinedLayers(at: k), rates: rates[k],
                into: accumulators[k])
        }
    }
}
