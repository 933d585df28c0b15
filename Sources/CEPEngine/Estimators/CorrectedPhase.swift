import CEPKernels

/// Whether the nudged phase is corrected for feedback weights that differ from the transposed forward weights.
public enum Asymmetry: String, Sendable, CaseIterable {
    /// Not corrected: the vector field of Scellier et al. (2018), which only approximates the gradient.
    case vectorField = "vector-field"
    /// Corrected, so that the update is the gradient for any weights (AsymEP, Scurria et al., 2026).
    case exact
}

/// The nudged phase of AsymEP. With F(s) the change of a free step, J = ∂F/∂s at the free steady state s⁰, and v = s − s⁰:
///
///     s ← s + F(s) − (J − Jᵀ) v + β·pull
///
/// Near s⁰ this relaxes along Jᵀ, as the adjoint of BPTT does: after t steps the change of the state is −β times the
/// gradient of a sample's loss with respect to the state t steps before the end of the free phase.
///
/// A step of a unit is s ← σ(u) in the prototypical setting. Then J v = D (u(s) − u(s⁰)) − v to first order in v, and
/// Jᵀ v sends D v back through all products, with D = σ′(u(s⁰)). The part of the dynamics within a single unit is the
/// same in J and in Jᵀ.
///
/// The pull is always added to the state, outside the activation, also in networks with the pull inside: only then is
/// the gradient of the loss sent back.
final class CorrectedPhase<Element: KernelScalar> {
    private let network: Network<Element>
    /// The target and the strength of the nudging.
    let nudge: Nudge<Element>
    /// s⁰ with its activities, and the preactivations through the current weights.
    private let start: NetworkState<Element>
    private let layers: [Layer]

    /// The values that a step needs of a layer: batch × units each.
    private struct Layer {
        /// D: the derivative of the layer's new state by its preactivation, at s⁰.
        let derivative: Matrix<Element>
        /// The derivative of the layer's activity by its state, at s⁰.
        let activityDerivative: Matrix<Element>
        /// D v, and what returns of it through the products.
        let sent: Matrix<Element>
        let returned: Matrix<Element>
        /// The state before the step.
        let before: Matrix<Element>
    }

    /// After a free phase of the batch.
    init(of network: Network<Element>, on batch: ClampedBatch<Element>, beta: Double) throws(EngineError) {
        self.network = network
        nudge = Nudge(target: batch.target, beta: Element(beta))
        start = try batch.state.copied()
        network.beginPhase(of: start)
        try network.updatePreactivations(of: start)
        try network.prepareAdjoints()
        var layers: [Layer] = []
        for k in 1...network.lastLayer { layers.append(try Self.linearized(k, of: network, at: start)) }
        self.layers = layers
    }

    /// Both derivatives are diagonal, so applying them to ones gives all entries.
    private static func linearized(
        _ number: Int, of network: Network<Element>, at start: NetworkState<Element>
    ) throws(EngineError) -> Layer {
        let state = start.layers[number]
        func zeros() throws(EngineError) -> Matrix<Element> { try Matrix(rows: state.rows, columns: state.columns) }
        let layer = Layer(
            derivative: try zeros(), activityDerivative: try zeros(), sent: try zeros(), returned: try zeros(),
            before: try zeros())
        let (ones, unused) = (try zeros(), try zeros())
        scale(ones.pointer, by: 1, adding: 1, count: ones.count)
        let activation = network.configuration.layers[number].activation
        network.dynamics.stepBack(
            ones.view, through: start.recorded(number), activation: activation, isOutput: network.isOutput(number),
            toPreactivation: layer.derivative.view, toState: unused.view)
        network.dynamics.activityBack(
            ones.view, at: state.view, activation: activation, to: layer.activityDerivative.view)
        return layer
    }

    /// Makes a free step of some samples, in which `step` computes preactivations and moves the states, a corrected
    /// one.
    ///
    /// - Parameter measures: Whether to measure how far the corrected step moves the states. Otherwise the change of
    ///   the free step is kept.
    func correct(_ rows: StateRows<Element>, measures: Bool, _ step: () -> Void) {
        for (k, layer) in layers.enumerated() {
            let (first, count) = (rows.first * rows.layers[k].units, rows.count * rows.layers[k].units)
            if measures { (layer.before.pointer + first).update(from: rows.layers[k].state, count: count) }
            multiplyDifference(
                layer.derivative.pointer + first, rows.layers[k].state, start.layers[k + 1].pointer + first,
                into: layer.sent.pointer + first, count: count)
            setToZero(layer.returned.pointer + first, count: count)
        }
        for (connection, edge) in zip(network.connections, network.edges) where edge.from > 0 {
            let (below, above) = (layers[edge.from - 1], layers[edge.to - 1])
            let activities = ActivityPair(
                below: start.activities[edge.from].view.rows(rows.range),
                above: start.activities[edge.to].view.rows(rows.range))
            connection.addForwardAdjoint(
                above.sent.view.rows(rows.range), at: activities, to: below.returned.view.rows(rows.range))
            connection.addFeedbackAdjoint(
                below.sent.view.rows(rows.range), at: activities, to: above.returned.view.rows(rows.range))
        }
        let last = rows.layers[layers.count - 1]
        network.objective.pull(
            last.state, rows: rows.count, targets: nudge.rows(from: rows.first).targets, scores: rows.scores,
            into: rows.pull)
        step()
        for (k, layer) in layers.enumerated() {
            let (first, count) = (rows.first * rows.layers[k].units, rows.count * rows.layers[k].units)
            addProducts(
                layer.activityDerivative.pointer + first, layer.returned.pointer + first,
                minus: layer.derivative.pointer + first, rows.layers[k].preactivation,
                start.preactivations[k].pointer + first, to: rows.layers[k].state, count: count)
        }
        add(
            nudge.beta * network.dynamics.timeStep, times: rows.pull, to: last.state, count: rows.count * last.units)
        network.refreshActivities(of: rows)
        if measures { measure(rows) }
    }

    private func measure(_ rows: StateRows<Element>) {
        for row in 0..<rows.count {
            rows.changes[row] = 0
            for (k, layer) in layers.enumerated() {
                let units = rows.layers[k].units
                let change = layer.before.pointer + (rows.first + row) * units
                add(-1, times: rows.layers[k].state + row * units, to: change, count: units)
                let largest = largestMagnitude(in: change, count: units)
                if !(largest <= rows.changes[row]), !rows.changes[row].isNaN { rows.changes[row] = largest }
            }
        }
    }

    /// To be called after parameters have changed and the connections have been prepared.
    func parametersChanged() throws(EngineError) {
        network.refreshInput(of: start)
        try network.updatePreactivations(of: start)
        try network.prepareAdjoints()
    }

    /// Adds the update for a change of the states from `older` to `newer`: 1/β times the change of a unit, times D,
    /// times the activity at s⁰ that reaches the unit.
    ///
    /// - Parameter rates: Learning rates divided by βB.
    func addUpdates(
        from older: [MatrixView<Element>], to newer: NetworkState<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>]
    ) {
        for (k, layer) in layers.enumerated() {
            multiplyDifference(
                layer.derivative.pointer, newer.layers[k + 1].pointer, older[k].pointer, into: layer.sent.pointer,
                count: layer.sent.count)
        }
        network.addGradient(
            preactivationGradients: layers.map { $0.sent.view }, activities: { start.activityPair($0) },
            rates: rates.map { $0 * (1 / network.dynamics.timeStep) }, into: accumulators)
    }

    /// The same for the change since s⁰.
    func addUpdates(
        to state: NetworkState<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>]
    ) {
        addUpdates(from: start.layers.dropFirst().map { $0.view }, to: state, rates: rates, into: accumulators)
    }
}

/// `output[i] = factor[i] (a[i] − b[i])`.
@specialized(where Element == Float)
@specialized(where Element == Double)
private func multiplyDifference<Element: KernelScalar>(
    _ factor: UnsafePointer<Element>, _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>,
    into output: UnsafeMutablePointer<Element>, count: Int
) {
    for i in 0..<count { output[i] = factor[i] * (a[i] - b[i]) }
}

/// `sum[i] += a[i] b[i] − factor[i] (c[i] − d[i])`.
@specialized(where Element == Float)
@specialized(where Element == Double)
private func addProducts<Element: KernelScalar>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, minus factor: UnsafePointer<Element>,
    _ c: UnsafePointer<Element>, _ d: UnsafePointer<Element>, to sum: UnsafeMutablePointer<Element>, count: Int
) {
    for i in 0..<count { sum[i] += a[i] * b[i] - factor[i] * (c[i] - d[i]) }
}
