import CEPKernels

/// How a phase ended.
public struct PhaseOutcome: Sendable, Equatable {
    /// Steps taken. Fewer than requested if all samples came to rest earlier.
    public var steps: Int
    /// max |s(t+1) − s(t)| of the last step, over all units and samples.
    public var residual: Double
    /// Whether the residual is at most the square root of the number type's epsilon: 3.5e-4 in float32, 1.5e-8 in
    /// float64.
    public var converged: Bool

    init<Element: KernelScalar>(steps: Int, residual: Element) {
        self.steps = steps
        self.residual = Double(residual)
        converged = residual <= Element.ulpOfOne.squareRoot()
    }
}

extension Network {
    /// Prepares a phase of a state: packs the weights, and computes what is constant during the phase. It stays valid
    /// for further phases while the input and the parameters are the same.
    package func preparePhase(of state: NetworkState<Element>) throws(EngineError) {
        try prepareConnections()
        beginPhase(of: state)
    }

    /// Takes up to `steps` steps from the present state, through weights that do not change. `preparePhase` has been
    /// called.
    ///
    /// - Parameters:
    ///   - state: The states that move.
    ///   - steps: The maximum number of steps.
    ///   - nudge: nil for a free phase.
    ///   - order: The order of the layers; synchronous in nudged phases.
    ///   - monitor: Observes the phase, and may stop it.
    ///   - afterStep: Called after each step, with the states as they are then.
    /// - Throws: `EngineError.diverged`, with the states as they were when the monitor was last polled; `.stopped`,
    ///   with the states of the last step.
    @discardableResult
    package func relax(
        _ state: NetworkState<Element>, steps: Int, nudge: Nudge<Element>? = nil, order: Relaxation = .synchronous,
        monitor: ProgressMonitor, afterStep: ((_ step: Int) -> Void)? = nil
    ) throws(EngineError) -> PhaseOutcome {
        if let hardware, hardware.isNoisyAtEachStep {
            try monitor.show { phaseStep(0, of: state, nudge: nudge, residual: 0) }
            let end = try relaxStepByStep(
                state, steps: steps, nudge: nudge, order: order, tolerance: configuration.tolerance, monitor: monitor,
                afterStep: { afterStep?($0) })
            return PhaseOutcome(steps: end.steps, residual: end.residual)
        }
        try beginNoisyPhase(of: state)
        return try relaxWithSamplesAtRest(
            state, steps: steps, nudge: nudge, order: order, monitor: monitor, afterStep: afterStep)
    }

    /// Takes up to `steps` steps one by one, for callers that record a phase or change the weights in it.
    ///
    /// - Parameters:
    ///   - order: The order of the layers.
    ///   - tolerance: The phase ends after a step that changes no state by more than this; nil to take all steps.
    ///   - first: The number of steps taken before in this phase.
    ///   - weightsMove: Whether `afterStep` changes the weights. It then also prepares the connections.
    ///   - corrected: The correction of each step, which then has no nudge.
    /// - Returns: Steps taken, and the residual of the last one.
    @discardableResult
    func relaxStepByStep(
        _ state: NetworkState<Element>, steps: Int, nudge: Nudge<Element>? = nil,
        order: Relaxation = .synchronous, tolerance: Double? = nil,
        weightsMove: Bool = false, corrected: CorrectedPhase<Element>? = nil, after first: Int = 0,
        monitor: ProgressMonitor,
        beforeStep: (_ step: Int) -> Void = { _ in }, afterStep: (_ step: Int) throws(EngineError) -> Void
    ) throws(EngineError) -> (steps: Int, residual: Element) {
        let wiring = try wiring()
        if first == 0 { try beginNoisyPhase(of: state) }
        let all = state.rows(0..<state.batch)
        let parts = state.parts(blockCount(batch: state.batch, steps: 1))
        var (taken, residual) = (0, Element(0))
        while taken < steps {
            try beginNoisyStep(of: state)
            if taken == 0, order == .alternating, all.kept.contains(where: { $0.count > 0 }) {
                // Layers whose feedback comes before the forward product of the step need the values kept by an earlier
                // product.
                updatePreactivations(of: all, through: wiring)
            }
            beforeStep(taken + 1)
            WorkerPool.shared.run(parts: parts.count) { part in
                let rows = parts[part]
                if let corrected {
                    corrected.correct(rows, measures: monitor.isObserved || taken + 1 == steps) {
                        self.step(rows, through: wiring, nudge: nil)
                    }
                } else {
                    self.step(rows, through: wiring, nudge: nudge?.rows(from: rows.first), order: order)
                }
            }
            taken += 1
            residual = all.residual
            guard !residual.isNaN, taken > 1 || all.preactivationsAreFinite else {
                throw diverged(
                    DivergencePlace(step: first + taken, layer: all.firstLayerNotFinite),
                    nudged: nudge != nil || corrected != nil)
            }
            try monitor.stepTaken(first + taken, of: first + steps)
            try afterStep(taken)
            try monitor.show {
                phaseStep(
                    first + taken, of: state, nudge: nudge ?? corrected?.nudge, residual: residual,
                    weightsMove: weightsMove)
            }
            if let tolerance, residual <= Element(tolerance) { break }
        }
        let readsAnew = weightsMove || hardware?.readsNoiseAtEachStep == true
        countSteps(
            taken, batch: state.batch, isNudged: nudge != nil || corrected != nil,
            inputProducts: readsAnew ? taken : first == 0 ? 1 : 0)
        return (taken, residual)
    }
}
