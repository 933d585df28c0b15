import CEPKernels

/// Whether the nudged phase is corrected for feedback that is not the transposed of the forward weights.
public enum Asymmetry: String, Sendable, CaseIterable {
    /// As it is: the vector field of Scellier et al. (2018), which only approximates the gradient.
    case vectorField = "vector-field"
    /// Corrected, so that the update is the gradient whatever the weights (AsymEP, Scurria et al., 2026).
    case exact
}

/// The nudged phase of AsymEP. With F(s) the change of a free step, J = ∂F/∂s at the free steady state s⁰, and v = s − s⁰:
///
///     s ← s + F(s) − (J − Jᵀ) v + β·pull
///
/// Near s⁰ this relaxes along Jᵀ, as the adjoint of BPTT does: after t steps the change of the state is −β times the
/// gradient of a sample's loss with respect to the state t steps before the end of the free phase.
///
/// A step of a unit is s ← σ(u) in the prototypical setting. Then J v = D (u(s) − u(s⁰)) − v to first order in v, and Jᵀ v
/// sends D v back through all products, D being σ′(u(s⁰)). What the dynamics do to a single unit is the same in J and in Jᵀ.
///
/// The pull is added to the state, outside the activation, wherever the network has it: only then is it the gradient of
/// the loss that is sent back.
final class CorrectedPhase<Element: KernelScalar> {
    private let network: Network<Element>
    private let target: Matrix<Element>
    private let beta: Element
    /// s⁰, with its activities, and the preactivations through the weights as they are now.
    private let start: NetworkState<Element>
    /// s⁰ with the preactivations at which derivatives are taken.
    private let linearized: [RecordedLayer<Element>]
    private let sweep: BackwardSweep<Element>
    private let preactivationGradients: [Matrix<Element>]
    /// Jᵀ v and the pull, less what J v has of single units.
    private let corrections: [Matrix<Element>]
    private let unused: [Matrix<Element>]

    /// After a free phase of the batch.
    init(of network: Network<Element>, on batch: ClampedBatch<Element>, beta: Double) throws(EngineError) {
        self.network = network
        target = batch.target
        self.beta = Element(beta)
        start = try batch.state.copied()
        network.beginPhase(of: start)
        try network.updatePreactivations(of: start)
        var linearized: [RecordedLayer<Element>] = []
        for layer in 1...network.lastLayer {
            linearized.append(
                RecordedLayer(
                    state: start.layers[layer].view, activity: start.activities[layer].view,
                    preactivation: try start.preactivations[layer - 1].copied().view))
        }
        self.linearized = linearized
        sweep = try BackwardSweep(of: network, batch: batch.state.batch)
        preactivationGradients = try network.layerMatrices(rows: batch.state.batch)
        corrections = try network.layerMatrices(rows: batch.state.batch)
        unused = try network.layerMatrices(rows: batch.state.batch)
    }

    /// Before a free step is taken from this state.
    func begin(_ state: NetworkState<Element>) {
        for (k, gradient) in sweep.stateGradients.enumerated() {
            gradient.view.setToDifference(of: state.layers[k + 1].view, and: start.layers[k + 1].view)
        }
        sweep.stepBack(through: { linearized[$0 - 1] }, into: preactivationGradients.map { $0.view })
        for (k, correction) in corrections.enumerated() {
            correction.view.setToDifference(of: sweep.stateGradients[k].view, and: sweep.directGradients[k].view)
        }
        network.objective.pull(
            state.last.pointer, rows: state.batch, targets: target.pointer, scores: state.scores.pointer,
            into: state.pull.pointer)
        corrections[corrections.count - 1].view.add(state.pull.view, scale: beta * network.dynamics.timeStep)
    }

    /// After the free step: makes it a corrected one.
    func end(_ state: NetworkState<Element>) {
        for (k, correction) in corrections.enumerated() {
            let change = state.preactivations[k].view
            change.add(start.preactivations[k].view, scale: -1)
            throughPreactivation(change, layer: k + 1)
            let layer = state.layers[k + 1].view
            layer.add(preactivationGradients[k].view, scale: -1)
            layer.add(correction.view, scale: 1)
        }
        network.refreshActivities(of: state)
    }

    /// After parameters have changed, and the connections have been prepared.
    func parametersChanged() throws(EngineError) {
        network.refreshInput(of: start)
        try network.updatePreactivations(of: start)
    }

    /// Adds the update for a change of the states, from `older` to `newer`: 1/β times the change of a unit, times D, times
    /// the activity at s⁰ that reaches it.
    ///
    /// - Parameter rates: Learning rates divided by βB.
    func addUpdates(
        from older: [MatrixView<Element>], to newer: NetworkState<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>]
    ) {
        for (k, gradient) in sweep.stateGradients.enumerated() {
            gradient.view.setToDifference(of: newer.layers[k + 1].view, and: older[k])
            throughPreactivation(gradient.view, layer: k + 1)
        }
        network.addGradient(
            preactivationGradients: preactivationGradients.map { $0.view }, activities: { start.activityPair($0) },
            rates: rates.map { $0 * (1 / network.dynamics.timeStep) }, into: accumulators)
    }

    /// The same for the change since s⁰.
    func addUpdates(
        to state: NetworkState<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>]
    ) {
        addUpdates(from: linearized.map { $0.state }, to: state, rates: rates, into: accumulators)
    }

    /// preactivationGradients ← D times values of a layer.
    private func throughPreactivation(_ values: MatrixView<Element>, layer: Int) {
        network.dynamics.stepBack(
            values, through: linearized[layer - 1], activation: network.configuration.layers[layer].activation,
            isOutput: network.isOutput(layer), toPreactivation: preactivationGradients[layer - 1].view,
            toState: unused[layer - 1].view)
    }
}
