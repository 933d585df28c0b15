import CEPKernels

/// How a phase ended.
public struct PhaseOutcome: Sendable, Equatable {
    /// Steps taken. Fewer than asked for where all samples came to rest before: where a step changed none of their
    /// states, or by no more than the tolerance.
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

/// The nudging of the output layer towards a target, with strength β.
struct Nudge<Element: KernelScalar> {
    let target: Matrix<Element>
    let beta: Element

    /// The pull on the samples of a batch from `first` on.
    func pull(from first: Int) -> Pull<Element> {
        Pull(target: UnsafePointer(target.pointer + first * target.columns), strength: beta)
    }
}

/// What drives the layers of some samples, through a phase.
protocol PhaseWeights<Element> {
    associatedtype Element: KernelScalar

    /// What arrives at a layer (1 ... L), from the states as they are.
    func updateDrive(ofLayer layer: Int, _ rows: StateRows<Element>)
}

/// Weights that stay as they are, laid out for it.
struct StillWeights<Element: KernelScalar>: PhaseWeights {
    /// From connection 1 on: the input's is used once a phase.
    private let connections: [PackedConnection<Element>]

    init(_ connections: [PackedConnection<Element>]) { self.connections = connections }

    subscript(connection: Int) -> PackedConnection<Element> { connections[connection - 1] }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func updateDrive(ofLayer number: Int, _ rows: StateRows<Element>) {
        let layer = rows.layers[number - 1]
        // What arrives from below, then from above.
        if number > 1 {
            self[number - 1].driveUp(rows.layers[number - 2].sent, rows: rows.count, into: layer.drive)
        }
        let fromBelow = number > 1 ? layer.drive : rows.inputDrive
        if number < rows.layers.count {
            self[number].driveDown(
                rows.layers[number].sent, rows: rows.count, addingTo: fromBelow, into: layer.drive)
        }
    }
}

extension Network {
    /// Brings up to date what a phase takes as given: what each layer sends, the drive of the clamped input, and the
    /// weights, laid out. It stays valid for further phases while the input and the parameters are the same.
    func preparePhase(of state: NetworkState<Element>) throws(EngineError) -> StillWeights<Element> {
        beginPhase(of: state)
        return try packWeights()
    }

    /// The weights, laid out for phases in which they stay as they are.
    func packWeights() throws(EngineError) -> StillWeights<Element> {
        var packed: [PackedConnection<Element>] = []
        for connection in connections.dropFirst() { packed.append(try connection.pack()) }
        return StillWeights(packed)
    }

    /// Takes up to `steps` steps from the present state, through weights that stay as they are.
    ///
    /// - Parameter afterStep: Called after each step, with the states as they are then.
    /// - Throws: `EngineError.diverged`, with the states as they were at the last look at the monitor; `.stopped`, with
    ///   those of the steps taken.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func relax(
        _ state: NetworkState<Element>, through weights: StillWeights<Element>, steps: Int,
        nudge: Nudge<Element>? = nil, order: Relaxation = .synchronous, monitor: ProgressMonitor,
        afterStep: ((_ step: Int) -> Void)? = nil
    ) throws(EngineError) -> PhaseOutcome {
        let parts = state.parts(blockCount(batch: state.batch, steps: steps))
        let blocks = try sampleBlocks(parts.map { $0.count })
        let atOnce = afterStep == nil ? stepsBetweenLooks(at: monitor, batch: state.batch) : 1
        var taken = 0
        try monitor.show { moment(0, of: state, nudge: nudge, residual: 0) }
        while taken < steps {
            let due = min(atOnce, steps - taken)
            WorkerPool.shared.run(parts: parts.count) { part in
                if taken == 0 { blocks[part].load(parts[part], nudge: nudge) }
                blocks[part].relax(self, through: weights, steps: due, beta: nudge?.beta, order: order)
            }
            if let divergence = Divergence.first(blocks.compactMap { $0.divergence }) {
                throw diverged(divergence, nudged: nudge != nil)
            }
            WorkerPool.shared.run(parts: parts.count) { part in blocks[part].store() }
            taken = blocks.map { $0.steps }.max() ?? steps
            afterStep?(taken)
            try monitor.show { moment(taken, of: state, nudge: nudge, residual: residual(of: blocks, at: taken)) }
            try monitor.stepTaken(taken, of: steps)
            if blocks.allSatisfy({ $0.isAtRest }) { break }
        }
        return PhaseOutcome(steps: taken, residual: residual(of: blocks, at: taken))
    }

    /// max |s(t+1) − s(t)| of a step, over the blocks that took it.
    private func residual(of blocks: [SampleBlock<Element>], at step: Int) -> Element {
        blocks.filter { $0.steps == step }.map { $0.residual }.max() ?? 0
    }

    /// The same through the connections as they are at each step, for callers that change them after it.
    ///
    /// - Parameter tolerance: The change of a step after which no more are taken; nil to take all.
    func relaxChangingWeights(
        _ state: NetworkState<Element>, steps: Int, nudge: Nudge<Element>? = nil, tolerance: Double? = nil,
        monitor: ProgressMonitor, afterStep: (_ step: Int) -> Void
    ) throws(EngineError) {
        beginPhase(of: state)
        try monitor.show { moment(0, of: state, nudge: nudge, residual: 0, weightsMove: true) }
        for step in 1...steps {
            updateDrives(of: state)
            let residual = try takeStep(step, of: steps, state, nudge: nudge, monitor: monitor)
            afterStep(step)
            try monitor.show { moment(step, of: state, nudge: nudge, residual: residual, weightsMove: true) }
            if let tolerance, residual <= Element(tolerance) { break }
        }
    }

    /// One step of some samples.
    @inline(__always)
    func step(
        _ rows: StateRows<Element>, through weights: some PhaseWeights<Element>, pull: Pull<Element>?,
        order: Relaxation = .synchronous
    ) {
        let layers = 1...rows.layers.count
        rows.changes.update(repeating: 0, count: rows.count)
        switch order {
        case .synchronous:
            for layer in layers { weights.updateDrive(ofLayer: layer, rows) }
            for layer in layers { move(layer, rows, pull: pull) }
        case .alternating:
            // Neighbours are never of the same half.
            for first in 1...2 {
                for layer in stride(from: first, through: layers.upperBound, by: 2) {
                    weights.updateDrive(ofLayer: layer, rows)
                    move(layer, rows, pull: pull)
                }
            }
        }
    }

    /// The elementwise half of a step: a layer's states follow what drives it.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func move(_ number: Int, _ rows: StateRows<Element>, pull: Pull<Element>?) {
        let layer = rows.layers[number - 1]
        let isOutput = number == rows.layers.count
        setting.step(
            MovingLayer(
                rows: rows.count, columns: layer.units, drive: layer.drive, state: layer.state, changes: rows.changes),
            pull: isOutput ? pull : nil, isOutput: isOutput)
        if setting.sendsActivation {
            setting.send(layer.state, into: layer.sent, count: rows.count * layer.units)
        }
    }
}

// MARK: - Through the connections as they are

extension Network {
    /// Brings up to date what each layer sends, and the drive of the clamped input.
    func beginPhase(of state: NetworkState<Element>) {
        if setting.sendsActivation {
            for (layer, sent) in zip(state.layers, state.sent) {
                setting.send(layer.pointer, into: sent.pointer, count: layer.count)
            }
        }
        refreshInputDrive(of: state)
    }

    /// To be called where the parameters of the first connection, or the input, have changed.
    func refreshInputDrive(of state: NetworkState<Element>) {
        connections[0].driveUp(state.sent[0].view, into: state.inputDrive.view)
    }

    /// What arrives at each layer, from the states as they are.
    func updateDrives(of state: NetworkState<Element>) {
        for layer in 1...connections.count {
            let drive = state.drives[layer - 1].view
            if layer == 1 {
                drive.copy(from: state.inputDrive.view)
            } else {
                connections[layer - 1].driveUp(state.sent[layer - 1].view, into: drive)
            }
            if layer < connections.count {
                connections[layer].addDriveDown(state.sent[layer + 1].view, to: drive)
            }
        }
    }

    /// The elementwise half of a step of all samples, `updateDrives` having been called.
    ///
    /// - Returns: max |s(t+1) − s(t)|.
    func takeStep(
        _ step: Int, of steps: Int, _ state: NetworkState<Element>, nudge: Nudge<Element>? = nil,
        monitor: ProgressMonitor
    ) throws(EngineError) -> Element {
        let rows = state.rows(0..<state.batch)
        rows.changes.update(repeating: 0, count: rows.count)
        for layer in 1...rows.layers.count { move(layer, rows, pull: nudge?.pull(from: 0)) }
        let residual = rows.residual
        guard !residual.isNaN, step > 1 || rows.drivesAreFinite else {
            throw diverged(Divergence(step: step, layer: rows.firstLayerNotFinite), nudged: nudge != nil)
        }
        try monitor.stepTaken(step, of: steps)
        return residual
    }

    func diverged(_ divergence: Divergence, nudged: Bool) -> EngineError {
        let phase = "the \(nudged ? "nudged" : "free") phase diverged at step \(divergence.step)"
        guard let layer = divergence.layer else {
            return .diverged("\(phase): a state changed by more than a \(Element.self) can hold")
        }
        let place = "\(phase), in layer \(layer)"
        if let k = connections.firstIndex(where: { !$0.parameters.isFinite }) {
            return .diverged("\(place): parameters of connection \(k) are infinite or not a number")
        }
        return .diverged(
            "\(place): its state, or what drives it, is infinite or not a number; try a smaller beta, dt or learning rate"
        )
    }
}
