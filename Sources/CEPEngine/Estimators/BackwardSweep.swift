import CEPKernels

// The products of one sample do not depend on which other samples are computed with it, so results do not depend on the
// number of threads.

/// Gradients of the loss, sent back step by step through a network that relaxes freely.
final class BackwardSweep<Element: KernelScalar> {
    private let network: Network<Element>
    /// dL/ds of each layer except the input (index 0 is layer 1), at the present time of the sweep.
    let stateGradients: [Matrix<Element>]
    private let activityGradients: [Matrix<Element>]
    private let directGradients: [Matrix<Element>]

    /// At the end of the free phase, where only the last layer has a gradient: −pull / B.
    init(of network: Network<Element>, from batch: ClampedBatch<Element>) throws(EngineError) {
        let state = batch.state
        self.network = network
        try network.prepareAdjoints()
        stateGradients = try network.layerMatrices(rows: state.batch)
        activityGradients = try network.layerMatrices(rows: state.batch)
        directGradients = try network.layerMatrices(rows: state.batch)
        network.objective.pull(
            state.last.pointer, rows: state.batch, targets: batch.target.pointer, scores: state.scores.pointer,
            into: state.pull.pointer)
        stateGradients[stateGradients.count - 1].view.add(state.pull.view, scale: -1 / Element(state.batch))
    }

    /// One step back in time.
    ///
    /// - Parameters:
    ///   - recorded: Each layer (1 ... L) as it was at the start of the step.
    ///   - preactivationGradients: Receives dL/da of each layer except the input.
    func stepBack(
        through recorded: (_ layer: Int) -> RecordedLayer<Element>, into preactivationGradients: [MatrixView<Element>]
    ) {
        let layers = (1...network.lastLayer).map(recorded)
        let samples = stateGradients[0].rows
        network.counters.addProducts(samples * network.movingMultiplications)
        // Samples are independent: each thread takes some.
        let parts = network.blockCount(batch: samples, steps: 1)
        WorkerPool.shared.run(parts: parts, of: samples) { _, rows in
            stepBack(
                through: layers.map { $0.rows(rows) }, into: preactivationGradients.map { $0.rows(rows) }, rows: rows)
        }
    }

    private func stepBack(
        through recorded: [RecordedLayer<Element>], into preactivationGradients: [MatrixView<Element>],
        rows: Range<Int>
    ) {
        let layers = network.configuration.layers
        for layer in 1...network.lastLayer {
            network.dynamics.stepBack(
                stateGradients[layer - 1].view.rows(rows), through: recorded[layer - 1],
                activation: layers[layer].activation, isOutput: network.isOutput(layer),
                toPreactivation: preactivationGradients[layer - 1],
                toState: directGradients[layer - 1].view.rows(rows))
            network.neurons?.varyBack(layer: layer, preactivationGradients[layer - 1])
            activityGradients[layer - 1].view.rows(rows).setToZero()
        }
        for (connection, edge) in zip(network.connections, network.edges) where edge.from > 0 {
            let activities = ActivityPair(
                below: recorded[edge.from - 1].activity, above: recorded[edge.to - 1].activity)
            connection.addForwardAdjoint(
                preactivationGradients[edge.to - 1], at: activities,
                to: activityGradients[edge.from - 1].view.rows(rows))
            connection.addFeedbackAdjoint(
                preactivationGradients[edge.from - 1], at: activities,
                to: activityGradients[edge.to - 1].view.rows(rows))
        }
        for layer in 1...network.lastLayer {
            let stateGradient = stateGradients[layer - 1].view.rows(rows)
            stateGradient.copy(from: directGradients[layer - 1].view.rows(rows))
            network.dynamics.activityBack(
                activityGradients[layer - 1].view.rows(rows), at: recorded[layer - 1].state,
                activation: layers[layer].activation, to: stateGradient)
        }
    }

    /// - advice: The likely cause, and what to do.
    /// - Throws: `EngineError.diverged` if a gradient is infinite or not a number after `steps` steps back in time.
    func checkGradients(
        after steps: Int,
        advice: String = "the free phase multiplies small changes; send gradients back through fewer steps"
    ) throws(EngineError) {
        let layer = stateGradients.firstIndex { firstNonFinite(in: $0.pointer, count: $0.count) != nil }
        guard let layer else { return }
        throw .diverged(
            Divergence(
                "the gradient became infinite or not a number on its way back, at step \(steps), in layer \(layer + 1): "
                    + advice,
                step: steps, layer: layer + 1))
    }

    /// max |dL/ds| over all layers; NaN if one is not finite.
    var largestGradient: Element {
        var largest: Element = 0
        for gradient in stateGradients {
            let size = largestMagnitude(in: gradient.pointer, count: gradient.count)
            if !(size <= largest), !largest.isNaN { largest = size }
        }
        return largest
    }
}

extension Network {
    /// Matrices with `rows` rows and the units of each layer except the input.
    func layerMatrices(rows: Int) throws(EngineError) -> [Matrix<Element>] {
        var matrices: [Matrix<Element>] = []
        for layer in configuration.layers.dropFirst() {
            matrices.append(try Matrix(rows: rows, columns: layer.units))
        }
        return matrices
    }

    /// Adds the gradient of all parameters of connections, times the rates, to the accumulators.
    ///
    /// - Parameters:
    ///   - preactivationGradients: dL/da of each layer except the input; rows may be samples of several steps.
    ///   - activities: The activities of the two layers of a connection, in the same rows.
    func addGradient(
        preactivationGradients: [MatrixView<Element>], activities: (_ edge: Edge) -> ActivityPair<Element>,
        rates: [UpdateRates<Element>], into accumulators: [ConnectionParameters<Element>]
    ) {
        for (k, connection) in connections.enumerated() {
            let (edge, index) = (edges[k], parameterIndex(of: k))
            connection.addGradient(
                below: edge.from > 0 ? preactivationGradients[edge.from - 1] : nil,
                above: preactivationGradients[edge.to - 1], activities: activities(edge), rates: rates[index],
                into: accumulators[index])
        }
    }
}
