import CEPKernels

/// A connection of all units to all units, with separate feedback weights: the vector field. A connection from the
/// input has no feedback weights, because the input is clamped.
final class UntiedDenseConnection<Element: KernelScalar>: DenseProductsConnection {
    let products: DenseProducts<Element>
    /// Both weights transposed, for the adjoints.
    private var packedForward: PackedMatrix<Element>?
    private var packedFeedback: PackedMatrix<Element>?

    init(_ place: ConnectionPlace) throws(EngineError) {
        products = try DenseProducts(place, hasFeedback: !place.isFromInput)
    }

    /// ΔW = r (s′ₐ − sₐ)ᵀ ρ(s_b), Δb = r Σ (s′ₐ − sₐ), ΔV = r (s′_b − s_b)ᵀ ρ(sₐ).
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addUpdate(
        from older: LayerPair<Element>, to newer: LayerPair<Element>, rates: UpdateRates<Element>,
        feedback: FeedbackUpdate, into accumulator: ConnectionParameters<Element>
    ) {
        if feedback == .shared {
            return products.addTiedUpdate(from: older, to: newer, rates: rates, into: accumulator)
        }
        let rows = newer.above.state.rows
        guard let above = products.above?.rows(from: 0, count: rows),
            let below = products.below?.rows(from: 0, count: rows)
        else { return }
        above.setToDifference(of: newer.above.state, and: older.above.state)
        accumulator.addToBiases(rowsOf: above, scale: rates.biases)
        accumulator.weights.view.addOuterProduct(of: above, and: older.below.activity, scale: rates.weights)
        guard let feedbackWeights = accumulator.feedbackWeights else { return }
        below.setToDifference(of: newer.below.state, and: older.below.state)
        feedbackWeights.view.addOuterProduct(of: below, and: older.above.activity, scale: rates.feedback)
    }

    func makeContinualUpdate(
        from start: LayerPair<Element>, steps: Int, rates: UpdateRates<Element>
    ) throws(EngineError) -> (any ContinualUpdate<Element>)? {
        if products.isFromInput { return try InputUpdate(from: start, rates: rates) { $0.state } }
        let (batch, below, above) = (start.above.state.rows, parameters.weights.columns, parameters.weights.rows)
        // Multiplications per step: a product with half of all rows each way, compared with writing both weights.
        let accumulating = Double(steps) * Double(batch) * Double(batch) * Double(below + above)
        if FastPath.updatesInPlace.isOn, let place = products.buffer?.weightsInPlace,
            2 * Double(batch) * Double(below) * Double(above) < accumulating
        {
            return try UntiedInPlaceUpdate(of: parameters, in: place, rates: rates, batch: batch)
        }
        // The update has a row for each step and sample. For very many steps it costs more than writing the weights.
        let isLong = accumulating > 16 * Double(batch + 16) * Double(below) * Double(above)
        return isLong ? nil : try LowRankUpdate(from: start, steps: steps, rates: rates)
    }

    func prepareAdjoints() throws(EngineError) {
        guard let feedback = productParameters.feedbackWeights else { return }
        let weights = productParameters.weights
        if packedForward == nil { packedForward = try .allocate(rows: weights.rows, columns: weights.columns) }
        if packedFeedback == nil { packedFeedback = try .allocate(rows: feedback.rows, columns: feedback.columns) }
        packedForward?.pack(weights.pointer, transposing: false)
        packedFeedback?.pack(feedback.pointer, transposing: false)
    }

    private func addProduct(
        of values: MatrixView<Element>, and weights: PackedMatrix<Element>?, to sums: MatrixView<Element>
    ) {
        weights?.product.multiply(
            values.pointer, m: values.rows, addingTo: sums.pointer, baseStride: sums.columns, into: sums.pointer)
    }

    func addForwardAdjoint(
        _ preactivationGradient: MatrixView<Element>, at activities: ActivityPair<Element>,
        to activityGradient: MatrixView<Element>
    ) {
        addProduct(of: preactivationGradient, and: packedForward, to: activityGradient)
    }

    func addFeedbackAdjoint(
        _ preactivationGradient: MatrixView<Element>, at activities: ActivityPair<Element>,
        to activityGradient: MatrixView<Element>
    ) {
        addProduct(of: preactivationGradient, and: packedFeedback, to: activityGradient)
    }

    /// dL/dW = δₐᵀ r_b, dL/dV = δ_bᵀ rₐ.
    func addGradient(
        below: MatrixView<Element>?, above: MatrixView<Element>, activities: ActivityPair<Element>,
        rates: UpdateRates<Element>, into accumulator: ConnectionParameters<Element>
    ) {
        accumulator.addForwardGradient(above: above, activityBelow: activities.below, rates: rates)
        if let below, let feedbackWeights = accumulator.feedbackWeights {
            feedbackWeights.view.setToProduct(
                of: below, transposingFirst: true, and: activities.above, scale: rates.feedback, keeping: 1)
        }
    }

    func drawFeedback(flipProbability: Double, using random: inout RandomSource) {
        guard let feedback = parameters.feedbackWeights else { return }
        let weights = parameters.weights
        for i in 0..<feedback.rows {
            for j in 0..<feedback.columns {
                let weight = weights.pointer[j * weights.columns + i]
                feedback.pointer[i * feedback.columns + j] = random.uniform() < flipProbability ? -weight : weight
            }
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func feedbackAngle() -> Double {
        guard let feedback = parameters.feedbackWeights else { return 0 }
        let weights = parameters.weights
        var product = 0.0
        for i in 0..<feedback.rows {
            for j in 0..<feedback.columns {
                product +=
                    Double(feedback.pointer[i * feedback.columns + j])
                    * Double(weights.pointer[j * weights.columns + i])
            }
        }
        return angle(
            product: product, squares: dotProduct(feedback.pointer, feedback.pointer, count: feedback.count),
            dotProduct(weights.pointer, weights.pointer, count: weights.count))
    }
}
