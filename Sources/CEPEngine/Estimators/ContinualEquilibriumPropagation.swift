import CEPKernels

/// C-EP (Ernoult et al., 2020): an update at every step of the nudged phase, from the states before and after it. On a
/// network with untied feedback this is the continual vector field rule, C-VF.
///
/// A readout is outside the dynamics: it is updated once, at the end of the nudged phase.
public struct ContinualEquilibriumPropagation<Element: KernelScalar>: NamedRule {
    package static var name: String { "cep" }

    /// Steps and β.
    public let phases: TwoPhases
    /// nil for a rule that only estimates gradients.
    public let learningRates: LearningRates?
    /// Turns gradients into changes of parameters.
    public let optimizer: any Optimizer
    /// Whether to write the weights at every step, instead of keeping their change as a product of a few rows and
    /// writing them once. The two are equal in exact arithmetic.
    public let writesEveryStep: Bool

    /// - Parameters:
    ///   - phases: Steps and β; the sign of β must not be symmetric.
    ///   - learningRates: nil for a rule that only estimates gradients.
    ///   - optimizer: What turns gradients into changes of parameters.
    ///   - writesEveryStep: Whether to write the weights at every step.
    public init(
        _ phases: TwoPhases, learningRates: LearningRates? = nil, optimizer: any Optimizer = SGD(),
        writesEveryStep: Bool = false
    ) {
        self.phases = phases
        self.learningRates = learningRates
        self.optimizer = optimizer
        self.writesEveryStep = writesEveryStep
    }

    package init(_ options: inout Options) throws(EngineError) {
        self.init(
            try TwoPhases(&options), learningRates: try options.learningRates(), optimizer: try options.optimizer(),
            writesEveryStep: try options.flag("write_every_step") ?? false)
    }

    public var isContinual: Bool { true }

    public func validate(for network: Network<Element>) throws(EngineError) {
        try phases.validate(for: network)
        guard phases.betaSign != .symmetric else {
            throw .invalidArgument(
                "a continual rule has no symmetric beta: the phase at +beta moves the weights, so that the one at "
                    + "-beta would not start from the same network; use fixed or random")
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func addUpdates(
        of network: Network<Element>, on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let metrics = try network.runFreePhase(on: batch, steps: phases.freeSteps, monitor: monitor)
        let beta = phases.betas(random: &random)[0]
        let nudge = Nudge(target: batch.target, beta: Element(beta))
        let scale = 1 / Element(beta * Double(batch.state.batch))
        if optimizer.isPlain, !writesEveryStep, phases.feedbackUpdate == .own, phases.asymmetry == .vectorField,
            FastPath.continualUpdates.isOn, network.hardware == nil
        {
            let moving: [UpdateRates<Element>]? = learningRates?.rates().map { $0 * scale }
            if let phase = try ContinualPhase(
                of: network, batch.state, nudge: nudge, steps: phases.nudgedSteps, rates: moving)
            {
                try phase.run(steps: phases.nudgedSteps, rates: moving, monitor: monitor)
                let scaled = rates.map { $0 * scale }
                try network.checkUpdates(
                    rates: scaled, rows: 4 * Double(batch.state.batch) * Double(phases.nudgedSteps),
                    factors: network.largestMagnitudes(of: batch.state))
                try network.addReadoutUpdate(on: batch, rates: rates, into: accumulators)
                for k in network.connections.indices {
                    let index = network.parameterIndex(of: k)
                    phase.addUpdate(of: k, at: scaled[index], to: accumulators[index])
                }
                return metrics
            }
        }
        let corrected =
            phases.asymmetry == .exact ? try CorrectedPhase(of: network, on: batch, beta: beta) : nil
        try runWritingEveryStep(
            network, batch, nudge: nudge, corrected: corrected, scale: scale, rates: rates, into: accumulators,
            monitor: monitor)
        return metrics
    }

    /// The reference for the fast path, and the general form for any optimizer and connection.
    private func runWritingEveryStep(
        _ network: Network<Element>, _ batch: ClampedBatch<Element>, nudge: Nudge<Element>,
        corrected: CorrectedPhase<Element>?, scale: Element, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], monitor: ProgressMonitor
    ) throws(EngineError) {
        let state = batch.state
        let isInPlace = accumulators[0] === network.parameters[0]
        // Parameters move while the phase runs. They are restored if it stops, diverges or only estimates a gradient.
        let before = try network.backUpParameters()
        let optimizerState = try network.prepareState(of: optimizer)
        let stateBefore = try optimizerState.copied()
        network.hardware?.backUp()
        func restore() {
            network.restoreParameters(from: before)
            network.hardware?.restore()
            optimizerState.restore(from: stateBefore)
        }
        let older = try StateSnapshot(of: state)
        let gradient = try network.zeroParameters()
        let minus = network.forEachParameters(UpdateRates<Element>(-scale))
        let moved: [UpdateRates<Element>] = learningRates?.rates().map { $0 * scale } ?? minus
        if let k = moved.firstIndex(where: { !$0.largest.isFinite }) {
            throw network.updateIsNotFinite(of: k)
        }
        let moving = network.parameters.indices.filter { $0 != network.readoutIndex }
        do {
            try monitor.show {
                network.phaseStep(0, of: state, nudge: nudge, residual: 0, weightsMove: learningRates != nil)
            }
            try network.relaxStepByStep(
                state, steps: phases.nudgedSteps, nudge: corrected == nil ? nudge : nil,
                tolerance: corrected == nil ? network.configuration.tolerance : nil,
                weightsMove: learningRates != nil, corrected: corrected, monitor: monitor
            ) { (_) throws(EngineError) in
                for each in gradient { each.setToZero() }
                if let corrected {
                    corrected.addUpdates(from: older.movingLayers, to: state, rates: minus, into: gradient)
                } else {
                    network.addUpdates(
                        from: older, to: state, rates: minus, feedback: phases.feedbackUpdate, into: gradient)
                }
                if !isInPlace {
                    for k in moving { accumulators[k].add(gradient[k], rates: rates[k] * -1) }
                }
                if let learningRates {
                    network.update(
                        moving, by: optimizer, gradient: gradient, rates: learningRates, state: optimizerState)
                    optimizerState.steps += 1
                    try network.prepareConnections()
                    network.refreshInput(of: state)
                    try corrected?.parametersChanged()
                }
                older.update(from: state)
            }
            if isInPlace, let learningRates, let readout = network.readoutIndex {
                try network.addReadoutUpdate(
                    on: batch, rates: network.forEachParameters(UpdateRates(-1)), into: gradient)
                network.update(
                    [readout], by: optimizer, gradient: gradient, rates: learningRates, state: optimizerState)
            }
        } catch {
            restore()
            throw error
        }
        if !isInPlace {
            restore()
            try network.addReadoutUpdate(on: batch, rates: rates, into: accumulators)
        } else if let k = network.parameters.firstIndex(where: { !$0.isFinite }) {
            restore()
            throw network.updateIsNotFinite(of: k)
        }
    }
}
