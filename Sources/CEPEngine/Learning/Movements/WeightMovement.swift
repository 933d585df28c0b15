import CEPKernels

/// How the parameters of one connection have moved since a continual nudged phase began, kept in the form that costs
/// least: a step gets from it what the moved weights drive, and the parameters are written once, at the end.
///
/// It stands for the weights W + rᵂ Σ aᵀ b, and equals updating them at every step in exact arithmetic.
public protocol WeightMovement<Element>: AnyObject {
    associatedtype Element: KernelScalar

    /// Whether recording looks at the state before the step, rather than at the one the phase began with.
    var comparesSteps: Bool { get }

    /// To be called after each step, for each range of samples, on the thread that has moved them. Others may not have
    /// moved yet: their drives are still to come from what was recorded before.
    func recordSamples(_ samples: Range<Int>, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>)

    /// To be called when those of all samples have been: from now on drives come from them.
    func samplesAreRecorded()

    /// In how many parts, by as many threads, what takes all samples is recorded.
    var batchParts: Int { get }

    /// To be called after that, for each part.
    func recordBatch(part: Int, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>)

    /// Adds to the drive of the layer above what the movement adds to `W below + b`, for some samples of the batch.
    func addDriveUp(_ below: SentRows<Element>, to drive: UnsafeMutablePointer<Element>)

    /// Adds to the drive of the layer below what the movement adds to the feedback.
    func addDriveDown(_ above: SentRows<Element>, to drive: UnsafeMutablePointer<Element>)

    /// Adds the movement at the given rates to an accumulator.
    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>)
}

extension WeightMovement {
    public var comparesSteps: Bool { false }
    public var batchParts: Int { 0 }
    public func recordSamples(
        _ samples: Range<Int>, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>
    ) {}
    public func samplesAreRecorded() {}
    public func recordBatch(part: Int, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {}
    public func addDriveUp(_ below: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {}
    public func addDriveDown(_ above: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {}
}

/// What a layer sends in some samples of a batch: the first of them is `first`. It holds no reference.
public struct SentRows<Element: KernelScalar> {
    let first: Int
    let count: Int
    /// nil for the input, which does not move.
    let values: UnsafePointer<Element>?
}

/// The weights of a continual nudged phase: those it began with, laid out, and how each connection has moved.
struct MovingWeights<Element: KernelScalar>: PhaseWeights {
    let still: StillWeights<Element>
    /// The states the phase began with.
    let start: StateSnapshot<Element>
    let movements: [any WeightMovement<Element>]
    /// With which the connections move; nil where they stay as they are.
    let rates: [UpdateRates<Element>]?

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func updateDrive(ofLayer layer: Int, _ rows: StateRows<Element>) {
        still.updateDrive(ofLayer: layer, rows)
        let drive = rows.layers[layer - 1].drive
        movements[layer - 1].addDriveUp(sent(by: layer - 1, rows), to: drive)
        if layer < movements.count { movements[layer].addDriveDown(sent(by: layer + 1, rows), to: drive) }
    }

    private func sent(by layer: Int, _ rows: StateRows<Element>) -> SentRows<Element> {
        SentRows(
            first: rows.first, count: rows.count,
            values: layer == 0 ? nil : UnsafePointer(rows.layers[layer - 1].sent))
    }
}

extension Network {
    /// Relaxes from the present state while the weights move: `movements` are told of each step.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func relax(
        _ state: NetworkState<Element>, through weights: MovingWeights<Element>, steps: Int, nudge: Nudge<Element>,
        monitor: ProgressMonitor
    ) throws(EngineError) {
        let most = blockCount(batch: state.batch, steps: 1)
        let sharing = most > 1 && sharingTrial.next(batch: state.batch)
        let began = monotonicNanoseconds()
        let parts = state.parts(sharing ? most : 1)
        let all = state.rows(0..<state.batch)
        let movements = weights.movements
        let older = movements.contains { $0.comparesSteps } ? try StateSnapshot(of: state) : nil
        let (before, after) = (
            movements.indices.map { (older ?? weights.start).joinedLayers(at: $0) },
            movements.indices.map { state.joinedLayers(at: $0) }
        )
        let recordings = movements.indices.flatMap { k in (0..<movements[k].batchParts).map { (k, $0) } }
        let recordingParts = parts.count > 1 ? recordings.count : min(1, recordings.count)
        var taken = 0
        try monitor.show { moment(0, of: state, nudge: nudge, residual: 0, weights) }
        defer {
            sharingTrial.record(sharing: sharing, nanoseconds: monotonicNanoseconds() - began, steps: taken)
        }
        while taken < steps {
            taken += 1
            WorkerPool.shared.run(parts: parts.count) { part in
                let rows = parts[part]
                step(rows, through: weights, pull: nudge.pull(from: rows.first))
                for (k, movement) in movements.enumerated() {
                    movement.recordSamples(rows.range, from: before[k], to: after[k])
                }
            }
            let residual = all.residual
            guard !residual.isNaN else {
                throw diverged(Divergence(step: taken, layer: all.firstLayerNotFinite), nudged: true)
            }
            for movement in movements { movement.samplesAreRecorded() }
            WorkerPool.shared.run(parts: recordingParts) { number in
                for (k, part) in recordingParts > 1 ? recordings[number...number] : recordings[...] {
                    movements[k].recordBatch(part: part, from: before[k], to: after[k])
                }
            }
            older?.update(from: state)
            try monitor.show { moment(taken, of: state, nudge: nudge, residual: residual, weights) }
            try monitor.stepTaken(taken, of: steps)
            // Weights move with the states: where those are at rest, so are the weights.
            if residual <= Element(configuration.tolerance) { break }
        }
    }

    /// A moment at which the connections are as they were, but for how they have moved.
    private func moment(
        _ step: Int, of state: NetworkState<Element>, nudge: Nudge<Element>, residual: Element,
        _ weights: MovingWeights<Element>
    ) -> PhaseMoment<Element> {
        PhaseMoment(
            step: step, beta: nudge.beta, residual: residual, state: state, weightsMove: weights.rates != nil
        ) { (k) throws(EngineError) in
            let parameters = self.connections[k].parameters
            guard let rates = weights.rates else { return parameters }
            let moved = try parameters.zeros()
            moved.copy(from: parameters)
            if step > 0 { weights.movements[k].add(at: rates[k], to: moved) }
            return moved
        }
    }
}
