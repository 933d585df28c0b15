import CEPKernels

/// Of a connection from the clamped input, tied or not: Σ (s(t+1) − s(t))ᵀ x telescopes to (s(t) − s(0))ᵀ x, and the
/// products of the input with itself are taken once.
///
/// What it adds to the drive is one product, [rᵂ x xᵀ | rᵇ 1] [s(t) − s(0); Σ (s(t) − s(0))], the last row and column of
/// which are the biases'.
final class ClampedMovement<Element: KernelScalar>: WeightMovement {
    private let start: JoinedLayers<Element>
    /// Batch × (batch + 1).
    private let inputProducts: Matrix<Element>
    /// (Batch + 1) × units.
    private let moved: Matrix<Element>
    /// What of the layer above an update is drawn from: its state, or what it sends.
    private let drawn: (LayerState<Element>) -> MatrixView<Element>

    var comparesSteps: Bool { false }

    init(
        from start: JoinedLayers<Element>, rates: UpdateRates<Element>,
        drawingFrom drawn: @escaping (LayerState<Element>) -> MatrixView<Element>
    ) throws(EngineError) {
        let batch = start.above.state.rows
        self.start = start
        self.drawn = drawn
        inputProducts = try Matrix(rows: batch, columns: batch + 1)
        moved = try Matrix(rows: batch + 1, columns: start.above.state.columns)
        let gram = try Matrix<Element>(rows: batch, columns: batch)
        gram.view.setToProduct(of: start.below.sent, andTransposed: start.below.sent)
        for i in 0..<batch {
            let row = inputProducts.pointer + i * inputProducts.columns
            CEPKernels.add(rates.weights, times: gram.pointer + i * batch, to: row, count: batch)
            row[batch] = rates.biases
        }
    }

    private var movedStates: MatrixView<Element> { moved.rows(from: 0, count: moved.rows - 1) }
    private var movedBiases: MatrixView<Element> { moved.rows(from: moved.rows - 1, count: 1) }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func record(part: Int, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
        movedStates.setToDifference(of: drawn(newer.above), and: drawn(start.above))
        movedBiases.setToRowSums(of: movedStates)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addDriveUp(_ below: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {
        addProduct(
            inputProducts.pointer + below.first * inputProducts.columns, moved.pointer, m: below.count,
            n: moved.columns, k: moved.rows, scale: 1, to: drive)
    }

    func addDriveDown(_ above: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {}

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        accumulator.weights.view.addOuterProduct(of: movedStates, and: start.below.sent, scale: rates.weights)
        accumulator.biases.view.add(movedBiases, scale: rates.biases)
    }
}
