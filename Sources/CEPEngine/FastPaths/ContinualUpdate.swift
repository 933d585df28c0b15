import CEPKernels

/// The change of one connection's parameters since a continual nudged phase began, in the form that costs least. A step
/// computes the contribution of the change to the preactivations, and the parameters are written once, at the end.
///
/// It represents the weights W + rᵂ Σ aᵀ b, and equals updating them at every step in exact arithmetic.
package protocol ContinualUpdate<Element>: AnyObject {
    associatedtype Element: KernelScalar

    /// Whether recording compares the state with that before the step, instead of that at the start of the phase.
    var comparesSteps: Bool { get }

    /// Called after each step, for each range of samples, on the thread that has moved them. Other samples may not have
    /// moved yet: their preactivations still use the previous recording.
    func recordSamples(_ samples: Range<Int>, from older: LayerPair<Element>, to newer: LayerPair<Element>)

    /// Called when all samples have been recorded. Preactivations use the new recording from now on.
    func samplesAreRecorded()

    /// The number of parts, for as many threads, in which `recordBatch` is called.
    var batchParts: Int { get }

    /// Called after `samplesAreRecorded`, for each part.
    func recordBatch(part: Int, from older: LayerPair<Element>, to newer: LayerPair<Element>)

    /// Adds the contribution of the change to `W below + b`, for some samples of the batch.
    func addForward(_ below: ActivityRows<Element>, to preactivation: UnsafeMutablePointer<Element>)

    /// Adds the contribution of the change to the feedback.
    func addFeedback(_ above: ActivityRows<Element>, to preactivation: UnsafeMutablePointer<Element>)

    /// Adds the change at the given rates to an accumulator.
    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>)
}

extension ContinualUpdate {
    package var comparesSteps: Bool { false }
    package var batchParts: Int { 0 }
    package func recordSamples(_ samples: Range<Int>, from older: LayerPair<Element>, to newer: LayerPair<Element>) {}
    package func samplesAreRecorded() {}
    package func recordBatch(part: Int, from older: LayerPair<Element>, to newer: LayerPair<Element>) {}
    package func addForward(_ below: ActivityRows<Element>, to preactivation: UnsafeMutablePointer<Element>) {}
    package func addFeedback(_ above: ActivityRows<Element>, to preactivation: UnsafeMutablePointer<Element>) {}
}

/// The activity of a layer in some samples of a batch, from sample `first` on. It holds no reference.
package struct ActivityRows<Element: KernelScalar> {
    let first: Int
    let count: Int
    /// nil for the input, which does not move.
    let values: UnsafePointer<Element>?
}

/// The updates of all connections, with the old and the present states that they are computed from.
struct RecordedUpdates<Element: KernelScalar> {
    private let recordings: [Recording]
    private let state: NetworkState<Element>
    /// The states before each step, if an update compares steps.
    private let older: StateSnapshot<Element>?

    /// A class, so that its contents are used without copying or reference counting.
    private final class Recording {
        let update: any ContinualUpdate<Element>
        let before: LayerPair<Element>
        let after: LayerPair<Element>

        init(_ update: any ContinualUpdate<Element>, before: LayerPair<Element>, after: LayerPair<Element>) {
            self.update = update
            self.before = before
            self.after = after
        }
    }

    /// - Parameter start: The state as the phase begins.
    init(
        _ updates: [any ContinualUpdate<Element>], of network: Network<Element>, _ state: NetworkState<Element>,
        from start: StateSnapshot<Element>
    ) throws(EngineError) {
        let older = updates.contains { $0.comparesSteps } ? try StateSnapshot(of: state) : nil
        self.state = state
        self.older = older
        recordings = zip(updates, network.edges).map { update, edge in
            Recording(update, before: (older ?? start).pair(edge), after: state.pair(edge))
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordSamples(_ samples: Range<Int>) {
        for each in recordings { each.update.recordSamples(samples, from: each.before, to: each.after) }
    }

    func samplesAreRecorded() {
        for each in recordings { each.update.samplesAreRecorded() }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordBatch(of connection: Int, part: Int) {
        let each = recordings[connection]
        each.update.recordBatch(part: part, from: each.before, to: each.after)
    }

    /// Called when all parts have been recorded: the next step is compared with this one.
    func stepIsRecorded() { older?.update(from: state) }
}

/// The weights of a continual nudged phase: those at its start, and the change of each connection.
struct PlasticWeights<Element: KernelScalar>: PhaseWeights {
    private let frozen: Wiring<Element>
    let updates: [any ContinualUpdate<Element>]
    /// The connections from the input into each layer (1 ... L).
    private let fromInput: [Int?]

    init(_ frozen: Wiring<Element>, _ updates: [any ContinualUpdate<Element>], of network: Network<Element>) {
        self.frozen = frozen
        self.updates = updates
        fromInput = (1...network.lastLayer).map { network.edges.firstIndex(of: Edge(from: 0, to: $0)) }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func updatePreactivation(ofLayer layer: Int, _ rows: StateRows<Element>) {
        frozen.updatePreactivation(ofLayer: layer, rows)
        let preactivation = rows.layers[layer - 1].preactivation
        if let connection = fromInput[layer - 1] {
            updates[connection].addForward(
                ActivityRows(first: rows.first, count: rows.count, values: nil), to: preactivation)
        }
        let (incoming, outgoing) = frozen.links(of: layer)
        for place in incoming {
            updates[frozen[place].connection].addForward(activity(of: frozen[place].layer, rows), to: preactivation)
        }
        for place in outgoing {
            updates[frozen[place].connection].addFeedback(activity(of: frozen[place].layer, rows), to: preactivation)
        }
    }

    private func activity(of layer: Int, _ rows: StateRows<Element>) -> ActivityRows<Element> {
        ActivityRows(
            first: rows.first, count: rows.count, values: UnsafePointer(rows.layers[layer - 1].activity))
    }
}
