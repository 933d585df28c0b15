import CEPKernels

/// A nudged phase in which the weights move, and how the work of its steps is shared among threads: no result depends on
/// how many there are.
protocol ContinualPhase<Element>: AnyObject {
    associatedtype Element: KernelScalar

    /// On how many threads a step can be taken.
    var partCount: Int { get }

    /// Takes a step: those before it have been taken.
    ///
    /// - Returns: max |s(t+1) − s(t)|; NaN where a state is no longer finite.
    func takeStep(_ number: Int, isShared: Bool) -> Element

    /// The first layer that has a state, or a drive, that is infinite or not a number.
    var firstLayerNotFinite: Int? { get }

    /// Brings the batch's states to where the phase has come.
    func storeStates()

    /// Adds to an accumulator how a connection has moved, at the given rates.
    func addMovement(of connection: Int, at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>)
}

/// What a continual nudged phase begins with: a batch at its free steady state.
struct ContinualStart<Element: KernelScalar> {
    let batch: ClampedBatch<Element>
    let nudge: Nudge<Element>
    let steps: Int
    /// The free phase's, laid out.
    let weights: StillWeights<Element>
    /// With which the connections move while the phase runs; nil where they stay as they are.
    let movingRates: [UpdateRates<Element>]?

    func movingRates(of connection: Int) -> UpdateRates<Element> {
        movingRates?[connection] ?? UpdateRates(weights: 0, biases: 0)
    }
}

extension Network {
    func makeContinualPhase(_ start: ContinualStart<Element>) throws(EngineError) -> any ContinualPhase<Element> {
        if let blocks = try unitBlocks(batch: start.batch.state.batch) {
            return try PhaseInUnits(of: self, from: start, blocks: blocks)
        }
        return try PhaseInSamples(of: self, from: start)
    }

    /// Relaxes from the present state while the weights move. The states are those of the steps taken, however it ends.
    func relax(
        _ phase: some ContinualPhase<Element>, from start: ContinualStart<Element>, monitor: ProgressMonitor
    ) throws(EngineError) {
        let state = start.batch.state
        let isShared = phase.partCount > 1 && sharingTrial.next(batch: state.batch)
        let began = monotonicNanoseconds()
        var taken = 0
        try monitor.show { moment(0, of: phase, from: start, residual: 0) }
        defer {
            phase.storeStates()
            sharingTrial.record(sharing: isShared, nanoseconds: monotonicNanoseconds() - began, steps: taken)
        }
        while taken < start.steps {
            taken += 1
            let residual = phase.takeStep(taken, isShared: isShared)
            guard !residual.isNaN else {
                throw diverged(Divergence(step: taken, layer: phase.firstLayerNotFinite), nudged: true)
            }
            if monitor.isObserved { phase.storeStates() }
            try monitor.show { moment(taken, of: phase, from: start, residual: residual) }
            try monitor.stepTaken(taken, of: start.steps)
            // Weights move with the states: where those are at rest, so are the weights.
            if residual <= Element(configuration.tolerance) { break }
        }
    }

    /// A moment at which the connections are as they were, but for how they have moved.
    private func moment(
        _ step: Int, of phase: some ContinualPhase<Element>, from start: ContinualStart<Element>, residual: Element
    ) -> PhaseMoment<Element> {
        PhaseMoment(
            of: self, step: step, beta: start.nudge.beta, residual: residual, state: start.batch.state,
            weightsMove: start.movingRates != nil
        ) { (k) throws(EngineError) in
            let parameters = self.connections[k].parameters
            guard let rates = start.movingRates else { return parameters }
            let moved = try parameters.zeros()
            moved.copy(from: parameters)
            if step > 0 { phase.addMovement(of: k, at: rates[k], to: moved) }
            return moved
        }
    }
}
