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

/// The movements of connections, and the layers that they record: as they compare them, and now.
struct RecordedMovements<Element: KernelScalar> {
    private let recordings: [Recording]
    private let state: NetworkState<Element>
    /// The states before each step, where a movement compares steps.
    private let older: StateSnapshot<Element>?

    /// A class: what is handed over from it is not copied, nor are references to it counted.
    private final class Recording {
        let movement: any WeightMovement<Element>
        let before: JoinedLayers<Element>
        let after: JoinedLayers<Element>

        init(_ movement: any WeightMovement<Element>, before: JoinedLayers<Element>, after: JoinedLayers<Element>) {
            self.movement = movement
            self.before = before
            self.after = after
        }
    }

    /// - Parameter start: The state as the phase begins.
    init(
        _ movements: [any WeightMovement<Element>], of state: NetworkState<Element>, from start: StateSnapshot<Element>
    ) throws(EngineError) {
        let older = movements.contains { $0.comparesSteps } ? try StateSnapshot(of: state) : nil
        self.state = state
        self.older = older
        recordings = movements.enumerated().map { k, movement in
            Recording(movement, before: (older ?? start).joinedLayers(at: k), after: state.joinedLayers(at: k))
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordSamples(_ samples: Range<Int>) {
        for each in recordings { each.movement.recordSamples(samples, from: each.before, to: each.after) }
    }

    func samplesAreRecorded() {
        for each in recordings { each.movement.samplesAreRecorded() }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordBatch(of connection: Int, part: Int) {
        let each = recordings[connection]
        each.movement.recordBatch(part: part, from: each.before, to: each.after)
    }

    /// All parts of all connections.
    func recordBatch() {
        for (k, each) in recordings.enumerated() {
            for part in 0..<each.movement.batchParts { recordBatch(of: k, part: part) }
        }
    }

    /// To be called when all parts have been: the next step is compared with this one.
    func stepIsRecorded() { older?.update(from: state) }
}

/// The weights of a continual nudged phase: those it began with, laid out, and how each connection has moved.
struct MovingWeights<Element: KernelScalar>: PhaseWeights {
    let still: StillWeights<Element>
    let movements: [any WeightMovement<Element>]

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
