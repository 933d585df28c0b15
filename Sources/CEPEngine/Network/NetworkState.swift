import CEPKernels

/// The states of all layers for one batch, and what a step needs beside them.
public final class NetworkState<Element: KernelScalar> {
    public let batch: Int
    /// Layer 0 is the clamped input. Batch × units.
    public let layers: [Matrix<Element>]
    /// What each layer sends to its neighbours: the layers themselves in the prototypical setting.
    let sent: [Matrix<Element>]
    /// What arrives at each layer but the input: `drives[l - 1]` at layer l.
    let drives: [Matrix<Element>]
    /// What arrives at layer 1 from the clamped input alone: constant while the input's weights are.
    let inputDrive: Matrix<Element>
    /// How much each sample changed in the last step. Batch × 1.
    let changes: Matrix<Element>

    init(batch: Int, sizes: [Int], sendsActivation: Bool) throws(EngineError) {
        func matrices(_ sizes: some Sequence<Int>) throws(EngineError) -> [Matrix<Element>] {
            var matrices: [Matrix<Element>] = []
            for size in sizes { matrices.append(try Matrix(rows: batch, columns: size)) }
            return matrices
        }
        let units = (sendsActivation ? 3 : 2) * sizes.reduce(0, +)
        try checkMemory(
            values: Double(batch) * Double(units), of: Element.self, for: "the states of \(batch) samples")
        self.batch = batch
        layers = try matrices(sizes)
        sent = sendsActivation ? try matrices(sizes) : layers
        drives = try matrices(sizes.dropFirst())
        inputDrive = try Matrix(rows: batch, columns: sizes[1])
        changes = try Matrix(rows: batch, columns: 1)
    }

    /// The states in memory of their own. What is computed from them anew in a phase is left at zero.
    func copied() throws(EngineError) -> NetworkState {
        let copy = try NetworkState(
            batch: batch, sizes: layers.map { $0.columns }, sendsActivation: sent[0] !== layers[0])
        for (mine, theirs) in zip(copy.layers, layers) { mine.copy(from: theirs) }
        return copy
    }

    /// Sets all states but the input to zero.
    func setStatesToZero() {
        let moving = layers.dropFirst()
        let parts = sharedCopyParts(of: batch * moving.reduce(0) { $0 + $1.columns })
        WorkerPool.shared.run(parts: parts, of: batch) { _, samples in
            for layer in moving { layer.view.rows(samples).setToZero() }
        }
    }

    public var output: Matrix<Element> { layers[layers.count - 1] }

    /// Layers k and k + 1 as they are now.
    func joinedLayers(at connection: Int) -> JoinedLayers<Element> {
        JoinedLayers(below: layer(connection), above: layer(connection + 1))
    }

    /// A layer (1 ... L) with what drives it.
    func moment(of layer: Int) -> LayerMoment<Element> {
        LayerMoment(state: layers[layer].view, drive: drives[layer - 1].view)
    }

    /// What layers k and k + 1 send as they are now.
    func sentByLayers(at connection: Int) -> SentByLayers<Element> {
        SentByLayers(below: sent[connection].view, above: sent[connection + 1].view)
    }

    private func layer(_ index: Int) -> LayerState<Element> {
        LayerState(state: layers[index].view, sent: sent[index].view)
    }
}

/// A network's states at an earlier moment of a phase, layer by layer.
final class StateSnapshot<Element: KernelScalar> {
    private let layers: [Matrix<Element>]
    private let sent: [Matrix<Element>]

    /// The input does not move: it is shared, not copied.
    init(of state: NetworkState<Element>) throws(EngineError) {
        func copies(_ matrices: [Matrix<Element>]) throws(EngineError) -> [Matrix<Element>] {
            var copies = [matrices[0]]
            for matrix in matrices.dropFirst() { copies.append(try matrix.copied()) }
            return copies
        }
        layers = try copies(state.layers)
        sent = state.sent[1] === state.layers[1] ? layers : try copies(state.sent)
    }

    /// Takes the states as they are now.
    func update(from state: NetworkState<Element>) {
        for (mine, theirs) in zip(layers, state.layers).dropFirst() { mine.copy(from: theirs) }
        if sent[1] !== layers[1] {
            for (mine, theirs) in zip(sent, state.sent).dropFirst() { mine.copy(from: theirs) }
        }
    }

    /// Puts the states back.
    func restore(to state: NetworkState<Element>) {
        for (mine, theirs) in zip(layers, state.layers).dropFirst() { theirs.copy(from: mine) }
        if sent[1] !== layers[1] {
            for (mine, theirs) in zip(sent, state.sent).dropFirst() { theirs.copy(from: mine) }
        }
    }

    func joinedLayers(at connection: Int) -> JoinedLayers<Element> {
        JoinedLayers(below: layer(connection), above: layer(connection + 1))
    }

    private func layer(_ index: Int) -> LayerState<Element> {
        LayerState(state: layers[index].view, sent: sent[index].view)
    }
}
