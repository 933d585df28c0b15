import CEPKernels

/// The update of a connection from the clamped input, tied or untied: Σ (s(t+1) − s(t))ᵀ x telescopes to (s(t) − s(0))ᵀ
/// x, and the products of the inputs with each other are computed once.
///
/// It adds one product to the preactivation, (rᵂ x xᵀ + rᵇ) (s(t) − s(0)); rᵇ is the contribution of the biases.
final class InputUpdate<Element: KernelScalar>: ContinualUpdate {
    private let start: LayerPair<Element>
    /// rᵂ x xᵀ + rᵇ, batch × batch.
    private let inputProducts: Matrix<Element>
    /// Batch × units: the change that preactivations use, and the one that is being recorded.
    private var moved: Matrix<Element>
    private var recorded: Matrix<Element>
    /// The quantity of the layer above that the update is derived from: its state or its activity.
    private let derivedFrom: (LayerSnapshot<Element>) -> MatrixView<Element>

    init(
        from start: LayerPair<Element>, rates: UpdateRates<Element>,
        derivedFrom: @escaping (LayerSnapshot<Element>) -> MatrixView<Element>
    ) throws(EngineError) {
        let (batch, units) = (start.above.state.rows, start.above.state.columns)
        self.start = start
        self.derivedFrom = derivedFrom
        inputProducts = try Matrix<Element>(rows: batch, columns: batch)
        inputProducts.view.setToProduct(of: start.below.activity, andTransposed: start.below.activity)
        scale(inputProducts.pointer, by: rates.weights, adding: rates.biases, count: inputProducts.count)
        moved = try Matrix(rows: batch, columns: units)
        recorded = try Matrix(rows: batch, columns: units)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordSamples(_ samples: Range<Int>, from older: LayerPair<Element>, to newer: LayerPair<Element>) {
        recorded.view.rows(samples).setToDifference(
            of: derivedFrom(newer.above).rows(samples), and: derivedFrom(start.above).rows(samples))
    }

    func samplesAreRecorded() { swap(&moved, &recorded) }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addForward(_ below: ActivityRows<Element>, to preactivation: UnsafeMutablePointer<Element>) {
        addProduct(
            inputProducts.pointer + below.first * inputProducts.columns, moved.pointer, m: below.count,
            n: moved.columns, k: moved.rows, scale: 1, to: preactivation)
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        accumulator.weights.view.addOuterProduct(of: moved.view, and: start.below.activity, scale: rates.weights)
        accumulator.addToBiases(rowsOf: moved.view, scale: rates.biases)
    }
}
