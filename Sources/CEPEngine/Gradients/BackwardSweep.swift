import CEPKernels

/// Gradients of the loss, sent back step by step through a network that relaxes freely.
///
/// The loss is L = (1/2B) Σ |s_L − y|² at the end of the phase.
final class BackwardSweep<Element: KernelScalar> {
    private let network: Network<Element>
    /// dL/ds of each layer but the input (index 0 is layer 1), at the time the sweep has come back to.
    let stateGradients: [Matrix<Element>]
    private let sentGradients: [Matrix<Element>]
    private let directGradients: [Matrix<Element>]

    /// At the end of the free phase, where only the output has a gradient: (s_L − y) / B.
    init(of network: Network<Element>, from batch: ClampedBatch<Element>) throws(EngineError) {
        self.network = network
        stateGradients = try network.layerMatrices(rows: batch.state.batch)
        sentGradients = try network.layerMatrices(rows: batch.state.batch)
        directGradients = try network.layerMatrices(rows: batch.state.batch)
        let output = stateGradients[stateGradients.count - 1].view
        output.add(batch.state.output.view, scale: 1 / Element(batch.state.batch))
        output.add(batch.target.view, scale: -1 / Element(batch.state.batch))
    }

    /// One step back in time.
    ///
    /// - Parameters:
    ///   - moment: Each layer (1 ... L) as it was at the start of the step.
    ///   - driveGradients: Where dL/da of each layer but the input is written.
    func stepBack(
        through moment: (_ layer: Int) -> LayerMoment<Element>, into driveGradients: [MatrixView<Element>]
    ) {
        let last = network.connections.count
        for layer in 1...last {
            network.setting.stepBack(
                stateGradients[layer - 1].view, through: moment(layer), isOutput: layer == last,
                toDrive: driveGradients[layer - 1], toState: directGradients[layer - 1].view)
        }
        for layer in 1...last {
            let sentGradient = sentGradients[layer - 1].view
            sentGradient.setToZero()
            if layer < last {
                network.connections[layer].addGradientDown(driveGradients[layer], to: sentGradient)
            }
            if layer > 1 {
                network.connections[layer - 1].addGradientUp(driveGradients[layer - 2], to: sentGradient)
            }
            let stateGradient = stateGradients[layer - 1].view
            stateGradient.copy(from: directGradients[layer - 1].view)
            network.setting.sendBack(sentGradient, at: moment(layer).state, to: stateGradient)
        }
    }

    /// - Parameter advice: What it may come from, and what to do.
    /// - Throws: `EngineError.diverged` where a gradient is infinite or not a number, so many steps back in time.
    func checkGradients(
        after steps: Int,
        advice: String = "the free phase multiplies small changes; send gradients back through fewer steps"
    ) throws(EngineError) {
        let layer = stateGradients.firstIndex { firstNonFinite(in: $0.pointer, count: $0.count) != nil }
        guard let layer else { return }
        throw .diverged(
            "the gradient became infinite or not a number on its way back, at step \(steps), in layer \(layer + 1): "
                + advice)
    }

    /// max |dL/ds| over all layers; NaN where one is not finite.
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
    /// Matrices like the states of each layer but the input, `rows` rows each.
    func layerMatrices(rows: Int) throws(EngineError) -> [Matrix<Element>] {
        var matrices: [Matrix<Element>] = []
        for size in sizes.dropFirst() { matrices.append(try Matrix(rows: rows, columns: size)) }
        return matrices
    }

    /// Adds the gradient of all parameters, times the rates, to the accumulators.
    ///
    /// - Parameters:
    ///   - driveGradients: dL/da of each layer but the input; rows may be samples of several steps.
    ///   - sent: What the layers of a connection sent, the same rows.
    func addGradient(
        driveGradients: [MatrixView<Element>], sent: (_ connection: Int) -> SentByLayers<Element>,
        rates: [UpdateRates<Element>], into accumulators: [ConnectionParameters<Element>]
    ) {
        for (k, connection) in connections.enumerated() {
            connection.addGradient(
                below: k > 0 ? driveGradients[k - 1] : nil, above: driveGradients[k], sent: sent(k), rates: rates[k],
                into: accumulators[k])
        }
    }
}
