import CEPKernels

/// Determines the memory of a network's states.
struct StateShape {
    /// The layers, input first.
    var layers: [Layer]
    let couplesThroughActivation: Bool
    /// Whether the input reaches layer l + 1 directly.
    let reachedByInput: [Bool]
    let classes: Int
    /// The number of values that each connection keeps.
    let keptCounts: [Int]

    /// The same with an input of no units, for states whose input is not needed.
    var withoutInput: StateShape {
        var shape = self
        shape.layers[0].shape = [0]
        return shape
    }
}

/// The states of all layers for one batch, and the memory that a step needs.
public final class NetworkState<Element: KernelScalar> {
    /// The number of samples.
    public let batch: Int
    /// The states s, batch × units each. Layer 0 is the clamped input.
    public let layers: [Matrix<Element>]
    let activations: [Activation]
    /// ρ(s) of each layer in the real-time setting, as of the last step; the layers themselves in the prototypical one.
    public let activities: [Matrix<Element>]
    /// The preactivation of each layer except the input: `preactivations[l - 1]` for layer l.
    let preactivations: [Matrix<Element>]
    /// The contribution of the clamped input to them; nil for a layer that it does not reach.
    let fromInput: [Matrix<Element>?]
    /// The values that each connection keeps within a step, for each sample.
    let kept: [Matrix<Element>]
    /// The change of each sample in the last step, batch × 1.
    let changes: Matrix<Element>
    /// Memory for the scores of an objective, and its pull on the last layer.
    let scores: Matrix<Element>
    let pull: Matrix<Element>
    private let shape: StateShape

    init(batch: Int, shape: StateShape) throws(EngineError) {
        let sizes = shape.layers.map(\.units)
        func matrices(_ sizes: some Sequence<Int>) throws(EngineError) -> [Matrix<Element>] {
            var matrices: [Matrix<Element>] = []
            for size in sizes { matrices.append(try Matrix(rows: batch, columns: size)) }
            return matrices
        }
        let units =
            (shape.couplesThroughActivation ? 3 : 2) * sizes.reduce(0.0) { $0 + Double($1) }
            + shape.keptCounts.reduce(0.0) { $0 + Double($1) }
        try checkMemory(values: Double(batch) * units, of: Element.self, for: "the states of \(batch) samples")
        self.batch = batch
        self.shape = shape
        activations = shape.layers.map(\.activation)
        layers = try matrices(sizes)
        activities = shape.couplesThroughActivation ? try matrices(sizes) : layers
        preactivations = try matrices(sizes.dropFirst())
        var fromInput: [Matrix<Element>?] = []
        for (size, isReached) in zip(sizes.dropFirst(), shape.reachedByInput) {
            fromInput.append(isReached ? try Matrix(rows: batch, columns: size) : nil)
        }
        self.fromInput = fromInput
        kept = try matrices(shape.keptCounts)
        changes = try Matrix(rows: batch, columns: 1)
        scores = try Matrix(rows: batch, columns: shape.classes)
        pull = try Matrix(rows: batch, columns: sizes[sizes.count - 1])
    }

    var couplesThroughActivation: Bool { shape.couplesThroughActivation }

    /// The shape of a layer for one sample.
    package func shape(of layer: Int) -> [Int] { shape.layers[layer].shape }

    /// A copy. Memory that a phase recomputes is zero.
    func copied() throws(EngineError) -> NetworkState {
        let copy = try NetworkState(batch: batch, shape: shape)
        for (mine, theirs) in zip(copy.layers, layers) { mine.copy(from: theirs) }
        return copy
    }

    /// Sets all states except the input to zero.
    func setStatesToZero() {
        let moving = layers.dropFirst()
        let parts = sharedCopyParts(of: batch * moving.reduce(0) { $0 + $1.columns })
        WorkerPool.shared.run(parts: parts, of: batch) { _, samples in
            for layer in moving { layer.view.rows(samples).setToZero() }
        }
    }

    /// The layer that the objective is attached to.
    package var last: Matrix<Element> { layers[layers.count - 1] }

    /// The two layers of a connection as they are now.
    func pair(_ edge: Edge) -> LayerPair<Element> { LayerPair(below: snapshot(edge.from), above: snapshot(edge.to)) }

    /// The activities of the two layers of a connection as they are now.
    func activityPair(_ edge: Edge) -> ActivityPair<Element> {
        ActivityPair(below: activities[edge.from].view, above: activities[edge.to].view)
    }

    /// A layer (1 ... L) with its preactivation.
    func recorded(_ layer: Int) -> RecordedLayer<Element> {
        RecordedLayer(
            state: layers[layer].view, activity: activities[layer].view, preactivation: preactivations[layer - 1].view)
    }

    private func snapshot(_ layer: Int) -> LayerSnapshot<Element> {
        LayerSnapshot(state: layers[layer].view, activity: activities[layer].view)
    }
}

/// A copy of a network's states at a step of a phase.
public final class StateSnapshot<Element: KernelScalar> {
    /// The states s, batch × units each. Layer 0 is the clamped input.
    public let layers: [Matrix<Element>]
    /// ρ(s) of each layer in the real-time setting; the layers themselves in the prototypical one.
    public let activities: [Matrix<Element>]

    /// Copies states. The input does not move, so it is shared.
    ///
    /// - Parameter state: The states to copy.
    /// - Throws: `EngineError.outOfMemory`.
    public init(of state: NetworkState<Element>) throws(EngineError) {
        func copies(_ matrices: [Matrix<Element>]) throws(EngineError) -> [Matrix<Element>] {
            var copies = [matrices[0]]
            for matrix in matrices.dropFirst() { copies.append(try matrix.copied()) }
            return copies
        }
        layers = try copies(state.layers)
        activities = state.couplesThroughActivation ? try copies(state.activities) : layers
    }

    /// Replaces the copy by the present states.
    ///
    /// - Parameter state: A state of the same shapes.
    public func update(from state: NetworkState<Element>) {
        forEachPair(with: state) { mine, theirs in mine.copy(from: theirs) }
    }

    /// Restores the states.
    ///
    /// - Parameter state: A state of the same shapes.
    public func restore(to state: NetworkState<Element>) {
        forEachPair(with: state) { mine, theirs in theirs.copy(from: mine) }
    }

    private func forEachPair(with state: NetworkState<Element>, _ body: (Matrix<Element>, Matrix<Element>) -> Void) {
        for (mine, theirs) in zip(layers, state.layers).dropFirst() { body(mine, theirs) }
        guard state.couplesThroughActivation else { return }
        for (mine, theirs) in zip(activities, state.activities).dropFirst() { body(mine, theirs) }
    }

    /// The two layers of a connection as they were.
    func pair(_ edge: Edge) -> LayerPair<Element> { LayerPair(below: snapshot(edge.from), above: snapshot(edge.to)) }

    /// All layers but the input.
    var movingLayers: [MatrixView<Element>] { layers.dropFirst().map { $0.view } }

    /// The state of a layer as it was.
    func state(of layer: Int) -> MatrixView<Element> { layers[layer].view }

    private func snapshot(_ layer: Int) -> LayerSnapshot<Element> {
        LayerSnapshot(state: layers[layer].view, activity: activities[layer].view)
    }
}
