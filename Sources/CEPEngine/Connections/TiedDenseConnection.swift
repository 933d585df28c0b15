import CEPKernels

/// A connection of all units to all units, with the same weights forward and, transposed, backward.
final class TiedDenseConnection<Element: KernelScalar>: DenseProductsConnection {
    let products: DenseProducts<Element>

    init(_ place: ConnectionPlace) throws(EngineError) {
        products = try DenseProducts(place, hasFeedback: false)
    }

    func addUpdate(
        from older: LayerPair<Element>, to newer: LayerPair<Element>, rates: UpdateRates<Element>,
        feedback: FeedbackUpdate, into accumulator: ConnectionParameters<Element>
    ) {
        products.addTiedUpdate(from: older, to: newer, rates: rates, into: accumulator)
    }

    func makeContinualUpdate(
        from start: LayerPair<Element>, steps: Int, rates: UpdateRates<Element>
    ) throws(EngineError) -> (any ContinualUpdate<Element>)? {
        if products.isFromInput { return try InputUpdate(from: start, rates: rates) { $0.activity } }
        let (batch, below, above) = (start.above.activity.rows, parameters.weights.columns, parameters.weights.rows)
        // Multiplications per step: a product with the rows of the update each way, compared with writing the weights.
        let telescoping = 2 * Double(2 * batch) * Double(batch) * Double(below + above)
        if FastPath.updatesInPlace.isOn, let place = products.buffer?.weightsInPlace,
            Double(batch) * Double(below) * Double(above) < telescoping
        {
            return try TiedInPlaceUpdate(of: self, in: place, rates: rates, from: start)
        }
        return try TelescopedUpdate(from: start, rates: rates)
    }

    func addForwardAdjoint(
        _ preactivationGradient: MatrixView<Element>, at activities: ActivityPair<Element>,
        to activityGradient: MatrixView<Element>
    ) {
        products.addFeedback(of: preactivationGradient, to: activityGradient)
    }

    func addFeedbackAdjoint(
        _ preactivationGradient: MatrixView<Element>, at activities: ActivityPair<Element>,
        to activityGradient: MatrixView<Element>
    ) {
        products.addForward(of: preactivationGradient, to: activityGradient)
    }

    /// dL/dW = δₐᵀ r_b + rₐᵀ δ_b: the weights act on both layers.
    func addGradient(
        below: MatrixView<Element>?, above: MatrixView<Element>, activities: ActivityPair<Element>,
        rates: UpdateRates<Element>, into accumulator: ConnectionParameters<Element>
    ) {
        accumulator.addForwardGradient(above: above, activityBelow: activities.below, rates: rates)
        if let below {
            accumulator.weights.view.setToProduct(
                of: activities.above, transposingFirst: true, and: below, scale: rates.weights, keeping: 1)
        }
    }

    func drawFeedback(flipProbability: Double, using random: inout RandomSource) {}

    func feedbackAngle() -> Double { 0 }
}
