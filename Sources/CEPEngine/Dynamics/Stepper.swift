import CEPKernels

// One step of some samples, used by every phase.

/// The nudging of some samples.
struct RowNudge<Element: KernelScalar> {
    /// Rows × classes.
    let targets: UnsafePointer<Element>
    let beta: Element
}

extension Nudge {
    /// The same for samples from `first` on.
    func rows(from first: Int) -> RowNudge<Element> {
        RowNudge(targets: UnsafePointer(target.pointer + first * target.columns), beta: beta)
    }
}

extension Network {
    /// One step: preactivations, the pull, then new states and activities.
    @inline(__always)
    func step(
        _ rows: StateRows<Element>, through weights: some PhaseWeights<Element>, nudge: RowNudge<Element>?,
        order: Relaxation = .synchronous
    ) {
        let layers = 1...rows.layers.count
        rows.changes.update(repeating: 0, count: rows.count)
        switch order {
        case .synchronous:
            updatePreactivations(of: rows, through: weights)
            let pull = nudge.map { self.pull($0, rows) }
            for layer in layers { move(layer, rows, pull: pull) }
        case .alternating:
            // Free phases only. Neighbours in the chain belong to different halves.
            for first in 1...2 {
                let half = stride(from: first, through: layers.upperBound, by: 2)
                for layer in half { weights.updatePreactivation(ofLayer: layer, rows) }
                for layer in half { move(layer, rows, pull: nil) }
            }
        }
    }

    /// The last layer first, so that a connection's forward product comes before its feedback, which uses the values it
    /// keeps.
    @inline(__always)
    func updatePreactivations(of rows: StateRows<Element>, through weights: some PhaseWeights<Element>) {
        for layer in (1...rows.layers.count).reversed() { weights.updatePreactivation(ofLayer: layer, rows) }
    }

    /// β times the negative derivative of the loss, at the present states.
    private func pull(_ nudge: RowNudge<Element>, _ rows: StateRows<Element>) -> Pull<Element> {
        objective.pull(
            rows.layers[rows.layers.count - 1].state, rows: rows.count, targets: nudge.targets, scores: rows.scores,
            into: rows.pull)
        return Pull(values: UnsafePointer(rows.pull), strength: nudge.beta)
    }

    /// The elementwise part of a step of one layer.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    private func move(_ number: Int, _ rows: StateRows<Element>, pull: Pull<Element>?) {
        let layer = rows.layers[number - 1]
        let isLast = number == rows.layers.count
        if let neurons {
            neurons.vary(
                layer: number, preactivation: layer.preactivation, pull: isLast && pull != nil ? rows.pull : nil,
                rows: rows.count, units: layer.units)
        }
        dynamics.step(
            MovingLayer(
                rows: rows.count, columns: layer.units, activation: layer.activation,
                preactivation: layer.preactivation, state: layer.state, changes: rows.changes),
            pull: isLast ? pull : nil, isOutput: isOutput(number))
        if let neurons, let hardware {
            neurons.finishStep(
                layer: number, layer.state, first: hardware.firstSample + rows.first, rows: rows.count,
                units: layer.units, key: hardware.stepKey)
        }
        if dynamics.couplesThroughActivation {
            activate(number, layer.activation, layer.state, into: layer.activity, count: rows.count * layer.units)
        }
    }

    /// The activities that a layer sends.
    private func activate(
        _ number: Int, _ activation: Activation, _ states: UnsafePointer<Element>,
        into activities: UnsafeMutablePointer<Element>, count: Int
    ) {
        dynamics.activate(activation, states, into: activities, count: count)
        neurons?.round(layer: number, activities, count: count)
    }

    /// Computes what is constant during a phase: activities, and the contribution of the clamped input.
    func beginPhase(of state: NetworkState<Element>) {
        refreshActivities(of: state)
        refreshInput(of: state)
    }

    /// The same for some samples.
    func refreshActivities(of rows: StateRows<Element>) {
        guard dynamics.couplesThroughActivation else { return }
        for (k, layer) in rows.layers.enumerated() {
            activate(k + 1, layer.activation, layer.state, into: layer.activity, count: rows.count * layer.units)
        }
    }

    /// To be called when states have changed other than by a step.
    func refreshActivities(of state: NetworkState<Element>) {
        guard dynamics.couplesThroughActivation else { return }
        for (k, layer) in state.layers.enumerated() {
            activate(k, state.activations[k], layer.pointer, into: state.activities[k].pointer, count: layer.count)
        }
    }

    /// To be called when parameters of connections from the input, or the input, have changed.
    func refreshInput(of state: NetworkState<Element>) {
        for (k, edge) in edges.enumerated() where edge.from == 0 {
            guard let fromInput = state.fromInput[edge.to - 1] else { continue }
            connections[k].forward(
                state.activities[0].pointer, rows: state.batch, addingTo: nil, into: fromInput.pointer, keeping: nil)
        }
    }

    /// The preactivations of all layers at the present states, whose phase has begun.
    func updatePreactivations(of state: NetworkState<Element>) throws(EngineError) {
        let (wiring, rows) = (try wiring(), state.rows(0..<state.batch))
        updatePreactivations(of: rows, through: wiring)
        guard let neurons else { return }
        for (k, layer) in rows.layers.enumerated() {
            neurons.vary(
                layer: k + 1, preactivation: layer.preactivation, pull: nil, rows: rows.count, units: layer.units)
        }
    }
}

/// The step and layer where states or preactivations were first found to be infinite or NaN.
struct DivergencePlace {
    let step: Int
    /// nil if the states are finite but a change exceeds the range of the number type.
    let layer: Int?

    /// The first divergence in time, which a run of all samples at once would have met.
    static func first(_ all: some Sequence<DivergencePlace>) -> DivergencePlace? {
        all.min { ($0.step, $0.layer ?? .max) < ($1.step, $1.layer ?? .max) }
    }
}

extension Network {
    func diverged(_ divergence: DivergencePlace, nudged: Bool) -> EngineError {
        let phase = "the \(nudged ? "nudged" : "free") phase diverged at step \(divergence.step)"
        guard let layer = divergence.layer else {
            return .diverged(
                Divergence("\(phase): a state changed by more than a \(Element.self) can hold", step: divergence.step))
        }
        let place = "\(phase), in layer \(layer)"
        if let k = parameters.firstIndex(where: { !$0.isFinite }) {
            return .diverged(
                Divergence(
                    "\(place): parameters of connection \(k) are infinite or not a number", step: divergence.step,
                    layer: layer))
        }
        return .diverged(
            Divergence(
                "\(place): its state or preactivation is infinite or not a number; try a smaller beta, dt or learning rate",
                step: divergence.step, layer: layer))
    }
}
