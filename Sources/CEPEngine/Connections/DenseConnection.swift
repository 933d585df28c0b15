import CEPKernels

/// A connection of all units to all units, with tied or untied feedback.
enum DenseConnection<Element: KernelScalar>: NamedConnection {
    static var name: String { "dense" }

    /// `dense:UNITS`, for a layer of the chain.
    static func shape(above kind: ConnectionKind, below: [Int]) throws(EngineError) -> [Int]? {
        guard let word = kind.arguments.first else { return nil }
        guard kind.arguments.count == 1, let units = Int(word), units > 0 else {
            throw .invalidArgument("a dense layer must have a number of units, 1 or more, got \(kind.rawValue)")
        }
        return [units]
    }

    static func make(_ place: ConnectionPlace) throws(EngineError) -> any Connection<Element> {
        switch place.feedback {
        case .tied: try TiedDenseConnection(place)
        case .untied: try UntiedDenseConnection(place)
        }
    }
}

/// The products that tied and untied dense connections have in common.
final class DenseProducts<Element: KernelScalar> {
    let parameters: ConnectionParameters<Element>
    /// The parameters that products use.
    var productParameters: ConnectionParameters<Element>
    /// nil for a connection from the input, whose product is computed once a phase with unpacked weights, and before
    /// the first phase.
    private(set) var buffer: PackedWeightsBuffer<Element>?
    let isFromInput: Bool
    /// Memory for updates: rows of the layers above and below.
    private(set) var below: Matrix<Element>?
    private(set) var above: Matrix<Element>?

    init(_ place: ConnectionPlace, hasFeedback: Bool) throws(EngineError) {
        parameters = try ConnectionParameters(
            below: place.below.units, above: place.above.units, biases: place.hasBiases, feedback: hasFeedback)
        productParameters = parameters
        isFromInput = place.isFromInput
    }

    func prepare() throws(EngineError) {
        guard !isFromInput, FastPath.packedWeights.isOn else { return }
        if buffer == nil { buffer = try PackedWeightsBuffer(for: parameters) }
        buffer?.pack(productParameters)
    }

    var packed: PackedConnection<Element>? { buffer?.packed }

    func forward(
        _ below: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>?,
        into preactivation: UnsafeMutablePointer<Element>
    ) {
        if let packed { return packed.forward(below, rows: rows, addingTo: base, into: preactivation) }
        let weights = productParameters.weights
        multiplyTransposed(
            below, weights.pointer, m: rows, n: weights.rows, k: weights.columns,
            addingTo: base ?? productParameters.biases.map { UnsafePointer($0.pointer) },
            baseStride: base == nil ? 0 : weights.rows, into: preactivation)
        guard base != nil, let biases = productParameters.biases else { return }
        for row in 0..<rows {
            add(1, times: biases.pointer, to: preactivation + row * weights.rows, count: weights.rows)
        }
    }

    func feedback(
        _ above: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>,
        into preactivation: UnsafeMutablePointer<Element>
    ) {
        if let packed { return packed.feedback(above, rows: rows, addingTo: base, into: preactivation) }
        let weights = productParameters.weights
        if let feedback = productParameters.feedbackWeights {
            multiplyTransposed(
                above, feedback.pointer, m: rows, n: feedback.rows, k: feedback.columns, addingTo: base,
                baseStride: feedback.rows, into: preactivation)
        } else {
            if base != UnsafePointer(preactivation) {
                preactivation.update(from: base, count: rows * weights.columns)
            }
            addProduct(
                above, weights.pointer, m: rows, n: weights.columns, k: weights.rows, scale: 1, to: preactivation)
        }
    }

    /// values ← values + W below, without biases.
    func addForward(of below: MatrixView<Element>, to values: MatrixView<Element>) {
        guard let packed else {
            return values.addProduct(of: below, andTransposed: productParameters.weights.view)
        }
        packed.up.multiply(
            below.pointer, m: below.rows, addingTo: values.pointer, baseStride: values.columns, into: values.pointer)
    }

    /// values ← values + Wᵀ above, or V above.
    func addFeedback(of above: MatrixView<Element>, to values: MatrixView<Element>) {
        feedback(above.pointer, rows: above.rows, addingTo: values.pointer, into: values.pointer)
    }

    func reserve(batch: Int) throws(EngineError) {
        let rows = 2 * batch
        guard below?.rows != rows || above?.rows != rows else { return }
        below = try Matrix(rows: rows, columns: parameters.weights.columns)
        above = try Matrix(rows: rows, columns: parameters.weights.rows)
    }

    /// ΔW = r (s′ₐᵀ s′_b − sₐᵀ s_b), Δb = r Σ (s′ₐ − sₐ), of activities; feedback weights get ΔWᵀ.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addTiedUpdate(
        from older: LayerPair<Element>, to newer: LayerPair<Element>, rates: UpdateRates<Element>,
        into accumulator: ConnectionParameters<Element>
    ) {
        guard let above, let below else { return }
        let batch = newer.above.activity.rows
        let difference = above.rows(from: 0, count: batch)
        difference.setToDifference(of: newer.above.activity, and: older.above.activity)
        accumulator.addToBiases(rowsOf: difference, scale: rates.biases)
        if isFromInput {
            // The layer below does not move, so the update is (s′ₐ − sₐ)ᵀ s_b, half the work.
            accumulator.weights.view.addOuterProduct(
                of: difference, and: newer.below.activity, scale: rates.weights)
            return
        }
        // (s′ₐ − sₐ)ᵀ s′_b + sₐᵀ (s′_b − s_b) as one product of stacked rows, to avoid cancellation of large terms.
        above.rows(from: batch, count: batch).copy(from: older.above.activity)
        below.rows(from: 0, count: batch).copy(from: newer.below.activity)
        below.rows(from: batch, count: batch).setToDifference(
            of: newer.below.activity, and: older.below.activity)
        let (up, down) = (above.rows(from: 0, count: 2 * batch), below.rows(from: 0, count: 2 * batch))
        accumulator.weights.view.addOuterProduct(of: up, and: down, scale: rates.weights)
        accumulator.feedbackWeights?.view.addOuterProduct(of: down, and: up, scale: rates.feedback)
    }

    var multiplications: Int { 2 * parameters.weights.count }
}

/// A connection by dense products.
protocol DenseProductsConnection: Connection {
    var products: DenseProducts<Element> { get }
}

extension DenseProductsConnection {
    var parameters: ConnectionParameters<Element> { products.parameters }
    var productParameters: ConnectionParameters<Element> {
        get { products.productParameters }
        set { products.productParameters = newValue }
    }
    var packed: PackedConnection<Element>? { products.packed }
    var multiplications: Int { products.multiplications }

    func prepare() throws(EngineError) { try products.prepare() }
    func reserve(batch: Int) throws(EngineError) { try products.reserve(batch: batch) }

    func forward(
        _ below: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>?,
        into preactivation: UnsafeMutablePointer<Element>, keeping kept: UnsafeMutablePointer<Element>?
    ) {
        products.forward(below, rows: rows, addingTo: base, into: preactivation)
    }

    func feedback(
        _ above: UnsafePointer<Element>, at below: UnsafePointer<Element>, rows: Int,
        addingTo base: UnsafePointer<Element>, into preactivation: UnsafeMutablePointer<Element>,
        kept: UnsafePointer<Element>?
    ) {
        products.feedback(above, rows: rows, addingTo: base, into: preactivation)
    }
}

extension ConnectionParameters {
    /// `W += rᵂ sₐᵀ s_b`, `b += rᵇ Σ sₐ`, with the activities of two layers at the same step.
    func addProducts(of layers: LayerPair<Element>, rates: UpdateRates<Element>) {
        weights.view.addOuterProduct(of: layers.above.activity, and: layers.below.activity, scale: rates.weights)
        addToBiases(rowsOf: layers.above.activity, scale: rates.biases)
    }

    /// The gradient through the preactivation of the layer above: δₐᵀ r_b to the weights, Σ δₐ to the biases.
    func addForwardGradient(
        above: MatrixView<Element>, activityBelow: MatrixView<Element>, rates: UpdateRates<Element>
    ) {
        weights.view.setToProduct(
            of: above, transposingFirst: true, and: activityBelow, scale: rates.weights, keeping: 1)
        addToBiases(rowsOf: above, scale: rates.biases)
    }
}
