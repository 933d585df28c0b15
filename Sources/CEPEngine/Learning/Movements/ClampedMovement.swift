import CEPKernels

/// Of a connection from the clamped input, tied or not: Σ (s(t+1) − s(t))ᵀ x telescopes to (s(t) − s(0))ᵀ x, and the
/// products of the input with itself are taken once.
///
/// What it adds to the drive is one product, (rᵂ x xᵀ + rᵇ) (s(t) − s(0)), of which rᵇ is the biases' part.
final class ClampedMovement<Element: KernelScalar>: WeightMovement {
    private let start: JoinedLayers<Element>
    /// rᵂ x xᵀ + rᵇ, batch × batch.
    let inputProducts: Matrix<Element>
    /// Batch × units: what drives come from, and what is being recorded.
    private var moved: Matrix<Element>
    private var recorded: Matrix<Element>
    /// What of the layer above an update is drawn from: its state, or what it sends.
    private let drawn: (LayerState<Element>) -> MatrixView<Element>

    /// - Parameter inputProducts: Those of the phase, where they are known.
    init(
        from start: JoinedLayers<Element>, rates: UpdateRates<Element>, inputProducts: Matrix<Element>? = nil,
        drawingFrom drawn: @escaping (LayerState<Element>) -> MatrixView<Element>
    ) throws(EngineError) {
        let batch = start.above.state.rows
        self.start = start
        self.drawn = drawn
        if let inputProducts {
            self.inputProducts = inputProducts
        } else {
            self.inputProducts = try Self.inputProducts(of: start.below.sent, rates: rates)
        }
        moved = try Matrix(rows: batch, columns: start.above.state.columns)
        recorded = try Matrix(rows: batch, columns: start.above.state.columns)
    }

    private static func inputProducts(
        of input: MatrixView<Element>, rates: UpdateRates<Element>
    ) throws(EngineError) -> Matrix<Element> {
        let products = try Matrix<Element>(rows: input.rows, columns: input.rows)
        products.view.setToProduct(of: input, andTransposed: input)
        scale(products.pointer, by: rates.weights, adding: rates.biases, count: products.count)
        return products
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordSamples(_ samples: Range<Int>, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
        recorded.view.rows(samples).setToDifference(
            of: drawn(newer.above).rows(samples), and: drawn(start.above).rows(samples))
    }

    func samplesAreRecorded() { swap(&moved, &recorded) }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addDriveUp(_ below: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {
        addProduct(
            inputProducts.pointer + below.first * inputProducts.columns, moved.pointer, m: below.count,
            n: moved.columns, k: moved.rows, scale: 1, to: drive)
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        add(at: rates, to: accumulator, above: 0..<moved.columns)
    }

    /// Of a movement of some of the units above.
    func add(at rates: UpdateRates<Element>, to whole: ConnectionParameters<Element>, above units: Range<Int>) {
        whole.weights.rows(from: units.lowerBound, count: units.count).addOuterProduct(
            of: moved.view, and: start.below.sent, scale: rates.weights)
        addColumnSums(
            of: moved.pointer, rows: moved.rows, columns: moved.columns, scale: rates.biases,
            to: whole.biases.pointer + units.lowerBound)
    }
}
