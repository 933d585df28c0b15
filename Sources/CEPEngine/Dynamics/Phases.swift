import CEPKernels

extension Network {
    /// Clamps the input and relaxes without nudging.
    ///
    /// - Parameters:
    ///   - inputs: Batch × units of layer 0.
    ///   - steps: 1 or more.
    ///   - continuing: Whether to start from the present states, of the same batch size, rather than from zero.
    ///   - monitor: Observes the phase, and may stop it.
    /// - Throws: `EngineError.invalidArgument` for arguments that cannot be used; `.invalidState` without states to
    ///   start from; `.diverged`; `.stopped`; `.outOfMemory`; `.busy` while another call uses the network.
    @discardableResult
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func freePhase(
        _ inputs: SampleMatrix, steps: Int, continuing: Bool = false, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> PhaseOutcome {
        try exclusively { () throws(EngineError) in
            try inputs.validate(name: "x", layer: "input", units: sizes[0], as: Element.self)
            try validateSteps(steps, name: "steps")
            let rows = SampleRows(0..<inputs.rows)
            hardware?.beginBatch(drawingFrom: &random)
            let state: NetworkState<Element>
            if continuing {
                state = try presentState(batch: inputs.rows)
                inputs.clamp(rows, into: state)
            } else {
                state = try self.state(clamping: inputs, rows)
            }
            try preparePhase(of: state)
            return try relax(state, steps: steps, order: configuration.relaxation, monitor: monitor)
        }
    }

    /// Relaxes from the present states nudged towards the targets. Weights do not move.
    ///
    /// - Parameters:
    ///   - targets: One for each sample of the free phase.
    ///   - beta: The strength of the nudging, finite and not 0.
    ///   - steps: The maximum number of steps, 1 or more.
    ///   - monitor: Observes the phase, and may stop it.
    /// - Throws: `EngineError.invalidArgument` for arguments that cannot be used; `.invalidState` without states to start
    ///   from; `.diverged`; `.stopped`; `.outOfMemory`; `.busy` while another call uses the network.
    @discardableResult
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func nudgedPhase(
        _ targets: Targets, beta: Double, steps: Int, monitor: ProgressMonitor = ProgressMonitor()
    ) throws(EngineError) -> PhaseOutcome {
        try exclusively { () throws(EngineError) in
            guard let state else {
                throw .invalidState("there are no states to nudge yet: run a free phase first")
            }
            try targets.validate(rows: state.batch, units: outputSize, as: Element.self)
            try validateBeta(beta, as: Element.self)
            try validateSteps(steps, name: "steps")
            let target: Matrix<Element> = try targets.matrix(of: SampleRows(0..<state.batch), units: outputSize)
            hardware?.beginBatch(drawingFrom: &random)
            try preparePhase(of: state)
            return try relax(state, steps: steps, nudge: Nudge(target: target, beta: Element(beta)), monitor: monitor)
        }
    }

    private func presentState(batch: Int) throws(EngineError) -> NetworkState<Element> {
        guard let state else {
            throw .invalidState("there are no states to continue from yet: run a free phase from zero first")
        }
        guard state.batch == batch else {
            throw .invalidArgument("x has \(batch) rows; the states to continue from have \(state.batch)")
        }
        return state
    }
}
