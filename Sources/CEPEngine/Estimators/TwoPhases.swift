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

    init(_ options: inout Options) throws(EngineError) {
        self.init(
            freeSteps: try required(options.integer("free_steps"), "free_steps"),
            nudgedSteps: try required(options.integer("nudged_steps"), "nudged_steps"),
            beta: try required(options.number("beta"), "beta"), betaSign: try options.choice("beta_sign") ?? .fixed)
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
public enum BetaSign: String, Sendable, CaseIterable {
    /// That of the number given.
    case fixed
    /// Drawn for each batch, with p = ½.
    case random
    /// Both: two nudged phases from the same free steady state, and half the sum of their updates.
    case symmetric
}

extension Network {
    /// The free phase of a rule: relaxes, and sees how the batch is predicted.
    public func runFreePhase(
        on batch: ClampedBatch<Element>, steps: Int, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        for connection in connections { try connection.reserve(batch: batch.state.batch) }
        try preparePhase(of: batch.state)
        try relax(batch.state, steps: steps, order: configuration.relaxation, monitor: monitor)
        return metrics(of: batch.state, rows: 0..<batch.state.batch, target: batch.target)
    }

    /// Adds the updates of all connections from an older state to the present one. The readout, which is outside the
    /// dynamics, has none.
    func addUpdates(
        from older: StateSnapshot<Element>, to state: NetworkState<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>]
    ) {
        for (k, connection) in connections.enumerated() {
            let index = parameterIndex(of: k)
            connection.addUpdate(
                from: older.pair(edges[k]), to: state.pair(edges[k]), rates: rates[index], into: accumulators[index])
        }
    }

    /// Adds minus the gradient of a readout's parameters at the present state, times the rates.
    func addReadoutUpdate(
        on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>], share: Element = 1,
        into accumulators: [ConnectionParameters<Element>]
    ) throws(EngineError) {
        guard let index = readoutIndex else { return }
        try objective.addGradient(
            batch.state.last.view, targets: batch.target.view, rates: rates[index] * -share, into: accumulators[index])
    }
}
