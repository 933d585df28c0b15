import CEPKernels

/// The two phases of Equilibrium Propagation, continual or not.
public struct TwoPhases: Sendable {
    /// Steps of the free phase, 1 or more.
    public var freeSteps: Int
    /// Steps of each nudged phase, 1 or more.
    public var nudgedSteps: Int
    /// β, the strength of the nudging: finite and not 0.
    public var beta: Double
    /// How the sign of β is chosen for each batch.
    public var betaSign: BetaSign
    /// With untied feedback: which update forward and feedback weights get.
    public var feedbackUpdate: FeedbackUpdate
    /// Whether the nudged phase is corrected for feedback weights that differ from the transposed forward weights.
    public var asymmetry: Asymmetry

    /// - Parameters:
    ///   - freeSteps: Steps of the free phase, 1 or more.
    ///   - nudgedSteps: Steps of each nudged phase, 1 or more.
    ///   - beta: β, finite and not 0.
    ///   - betaSign: How the sign of β is chosen for each batch.
    ///   - feedbackUpdate: With untied feedback: which update forward and feedback weights get.
    ///   - asymmetry: Whether the nudged phase is corrected.
    public init(
        freeSteps: Int, nudgedSteps: Int, beta: Double, betaSign: BetaSign = .fixed,
        feedbackUpdate: FeedbackUpdate = .own, asymmetry: Asymmetry = .vectorField
    ) {
        self.freeSteps = freeSteps
        self.nudgedSteps = nudgedSteps
        self.beta = beta
        self.betaSign = betaSign
        self.feedbackUpdate = feedbackUpdate
        self.asymmetry = asymmetry
    }

    init(_ options: inout Options) throws(EngineError) {
        self.init(
            freeSteps: try required(options.integer("free_steps"), "free_steps"),
            nudgedSteps: try required(options.integer("nudged_steps"), "nudged_steps"),
            beta: try required(options.number("beta"), "beta"), betaSign: try options.choice("beta_sign") ?? .fixed,
            feedbackUpdate: try options.choice("feedback_update") ?? .own,
            asymmetry: try options.choice("asymmetry") ?? .vectorField)
    }

    /// - Parameter network: The network to be trained.
    /// - Throws: `EngineError.invalidArgument` for steps or a β out of their range.
    public func validate<Element>(for network: Network<Element>) throws(EngineError) {
        try validateSteps(freeSteps, name: "free_steps")
        try validateSteps(nudgedSteps, name: "nudged_steps")
        try validateBeta(beta, as: Element.self)
        guard asymmetry == .vectorField || network.configuration.hardware.hasIdealNeurons else {
            throw .invalidArgument(
                "the asymmetry exact needs ideal neurons and reads, because it compares states with those of a phase "
                    + "without noise; expected vector-field on this network")
        }
        guard asymmetry == .vectorField || feedbackUpdate == .own else {
            throw .invalidArgument(
                "feedback_update is shared with the asymmetry exact, whose updates are the gradients of each set of "
                    + "weights; expected own")
        }
    }

    /// The strengths of the nudged phases of a batch: one, or two for a symmetric sign.
    ///
    /// - Parameter random: The source of a random sign.
    public func betas(random: inout RandomSource) -> [Double] {
        switch betaSign {
        case .fixed: [beta]
        case .random: [Bool.random(using: &random) ? beta : -beta]
        case .symmetric: [beta, -beta]
        }
    }
}

/// How the sign of β is chosen.
public enum BetaSign: String, Sendable, CaseIterable {
    /// The sign of the given β.
    case fixed
    /// Drawn for each batch with probability ½.
    case random
    /// Both: two nudged phases from the same free steady state, and half the sum of their updates.
    case symmetric
}

/// Which update forward and feedback weights get with untied feedback.
public enum FeedbackUpdate: String, Sendable, CaseIterable {
    /// Each gets its own: the vector field.
    case own
    /// Both get the mean of the updates that each would get if it were tied, so that weights that start equal stay
    /// equal (Laborieux et al., 2021).
    case shared
}

extension Network {
    /// The free phase of a rule: relaxes from the states of the batch, and compares its scores with the targets.
    ///
    /// - Parameters:
    ///   - batch: The batch that the rule was given.
    ///   - steps: The maximum number of steps, 1 or more.
    ///   - monitor: Observes the phase, and may stop it.
    /// - Throws: `EngineError.diverged`, `.stopped`, `.outOfMemory`.
    public func runFreePhase(
        on batch: ClampedBatch<Element>, steps: Int, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        for connection in connections { try connection.reserve(batch: batch.state.batch) }
        try preparePhase(of: batch.state)
        try relax(batch.state, steps: steps, order: configuration.relaxation, monitor: monitor)
        return metrics(of: batch.state, rows: 0..<batch.state.batch, target: batch.target)
    }

    /// The nudged phase of a rule: relaxes from the states of the batch, after a free phase, nudged towards its
    /// targets.
    ///
    /// - Parameters:
    ///   - batch: The batch that the rule was given.
    ///   - beta: The strength of the nudging, with its sign.
    ///   - steps: The maximum number of steps, 1 or more.
    ///   - monitor: Observes the phase, and may stop it.
    /// - Throws: `EngineError.diverged`, `.stopped`, `.outOfMemory`.
    @discardableResult
    public func runNudgedPhase(
        on batch: ClampedBatch<Element>, beta: Double, steps: Int, monitor: ProgressMonitor
    ) throws(EngineError) -> PhaseOutcome {
        try relax(batch.state, steps: steps, nudge: Nudge(target: batch.target, beta: Element(beta)), monitor: monitor)
    }

    /// Adds Equilibrium Propagation's updates of all connections from an older state to the present one: for tied
    /// weights `rate · (s′_aboveᵀ s′_below − s_aboveᵀ s_below)`, summed over the batch. The readout, which is outside the
    /// dynamics, has none.
    ///
    /// - Parameters:
    ///   - older: The state before, of the same batch.
    ///   - state: The state now, after a free phase.
    ///   - rates: One for each set of `parameters`.
    ///   - feedback: With untied feedback: which update forward and feedback weights get.
    ///   - accumulators: Receive the updates: `parameters`, or others of the same shapes.
    public func addUpdates(
        from older: StateSnapshot<Element>, to state: NetworkState<Element>, rates: [UpdateRates<Element>],
        feedback: FeedbackUpdate = .own, into accumulators: [ConnectionParameters<Element>]
    ) {
        for (k, connection) in connections.enumerated() {
            let index = parameterIndex(of: k)
            connection.addUpdate(
                from: older.pair(edges[k]), to: state.pair(edges[k]), rates: rates[index], feedback: feedback,
                into: accumulators[index])
        }
    }

    /// Adds the negative gradient of a readout's parameters at the present state, times the rates. Does nothing without
    /// a readout.
    ///
    /// - Parameters:
    ///   - batch: The batch that the rule was given.
    ///   - rates: One for each set of `parameters`.
    ///   - share: A factor of all rates.
    ///   - accumulators: Receive the updates: `parameters`, or others of the same shapes.
    /// - Throws: `EngineError.outOfMemory`.
    public func addReadoutUpdate(
        on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>], share: Element = 1,
        into accumulators: [ConnectionParameters<Element>]
    ) throws(EngineError) {
        guard let index = readoutIndex else { return }
        counters.addProducts(batch.state.batch * parameters[index].weights.count)
        try objective.addGradient(
            batch.state.last.view, targets: batch.target.view, rates: rates[index] * -share, into: accumulators[index])
    }
}
