import CEPKernels

/// All units to all units, the same weights forward and, transposed, back.
package final class TiedDenseConnection<Element: KernelScalar>: Connection {
    package let parameters: ConnectionParameters<Element>
    private let isFromInput: Bool
    private let products: DenseProducts<Element>

    /// - Parameters:
    ///   - below: Units of the layer below.
    ///   - above: Units of the layer above.
    ///   - hasBiases: Whether it has the biases of the layer above.
    ///   - isFromInput: Whether the layer below is the clamped input.
    package init(below: Int, above: Int, hasBiases: Bool = true, isFromInput: Bool) throws(EngineError) {
        self.isFromInput = isFromInput
        parameters = try ConnectionParameters(below: below, above: above, biases: hasBiases, feedback: false)
        products = DenseProducts(parameters, isFromInput: isFromInput)
    }

    package func prepare() throws(EngineError) { try products.prepare() }

    package func reserve(batch: Int) throws(EngineError) { try products.reserve(rows: 2 * batch) }

    package func forward(
        _ below: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>?,
        into preactivation: UnsafeMutablePointer<Element>
    ) {
        products.forward(below, rows: rows, addingTo: base, into: preactivation)
    }

    package func feedback(
        _ above: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>,
        into preactivation: UnsafeMutablePointer<Element>
    ) {
        products.feedback(above, rows: rows, addingTo: base, into: preactivation)
    }

    package var packed: PackedConnection<Element>? { products.packed }

    package var multiplications: Int { products.multiplications }

    /// ΔW = r (s′ₐᵀ s′_b − sₐᵀ s_b), Δb = r Σ (s′ₐ − sₐ), of activities.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    package func addUpdate(
        from older: LayerPair<Element>, to newer: LayerPair<Element>, rates: UpdateRates<Element>,
        into accumulator: ConnectionParameters<Element>
    ) {
        guard let above = products.above, let below = products.below else { return }
        let batch = newer.above.activity.rows
        let difference = above.rows(from: 0, count: batch)
        difference.setToDifference(of: newer.above.activity, and: older.above.activity)
        accumulator.addToBiases(rowsOf: difference, scale: rates.biases)
        if isFromInput {
            // The layer below does not move: (s′ₐ − sₐ)ᵀ s_b, half the work.
            accumulator.weights.view.addOuterProduct(
                of: difference, and: newer.below.activity, scale: rates.weights)
        } else {
            // (s′ₐ − sₐ)ᵀ s′_b + sₐᵀ (s′_b − s_b) as one product of stacked rows: nothing large cancels.
            above.rows(from: batch, count: batch).copy(from: older.above.activity)
            below.rows(from: 0, count: batch).copy(from: newer.below.activity)
            below.rows(from: batch, count: batch).setToDifference(
                of: newer.below.activity, and: older.below.activity)
            accumulator.weights.view.addOuterProduct(
                of: above.rows(from: 0, count: 2 * batch), and: below.rows(from: 0, count: 2 * batch),
                scale: rates.weights)
        }
    }

    package func makeContinualUpdate(
        from start: LayerPair<Element>, steps: Int, rates: UpdateRates<Element>
    ) throws(EngineError) -> (any ContinualUpdate<Element>)? {
        if isFromInput { return try InputUpdate(from: start, rates: rates) { $0.activity } }
        let (batch, below, above) = (start.above.activity.rows, parameters.weights.columns, parameters.weights.rows)
        // Multiplications a step: a product with the rows of the update each way, against writing the weights.
        let telescoping = 2 * Double(2 * batch) * Double(batch) * Double(below + above)
        if FastPath.updatesInPlace.isOn, let place = products.buffer?.weightsInPlace,
            Double(batch) * Double(below) * Double(above) < telescoping
        {
            return try TiedInPlaceUpdate(of: self, in: place, rates: rates, from: start)
        }
        return try TelescopedUpdate(from: start, rates: rates)
    }

    package func addForwardAdjoint(
        _ preactivationGradient: MatrixView<Element>, to activityGradient: MatrixView<Element>
    ) {
        activityGradient.setToProduct(of: preactivationGradient, and: parameters.weights.view, keeping: 1)
    }

    package func addFeedbackAdjoint(
        _ preactivationGradient: MatrixView<Element>, to activityGradient: MatrixView<Element>
    ) {
        activityGradient.setToProduct(
            of: preactivationGradient, and: parameters.weights.view, transposingSecond: true, keeping: 1)
    }

    /// dL/dW = δₐᵀ r_b + rₐᵀ δ_b: the weights act on the layer above and on the one below.
    package func addGradient(
        below: MatrixView<Element>?, above: MatrixView<Element>, activities: ActivityPair<Element>,
        rates: UpdateRates<Element>, into accumulator: ConnectionParameters<Element>
    ) {
        accumulator.addForwardGradient(above: above, activityBelow: activities.below, rates: rates)
        if let below {
            accumulator.weights.view.setToProduct(
                of: activities.above, transposingFirst: true, and: below, scale: rates.weights, keeping: 1)
        }
    }

    package func drawFeedback(flipProbability: Double, using random: inout RandomSource) {}

    package func feedbackAngle() -> Double { 0 }
}
