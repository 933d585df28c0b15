import CEPKernels

// Small connections, to few units above, have weights that products use unpacked. Their weights are changed in the
// memory that the phase multiplies with, after each step, so preactivations need no correction.

/// The update of a tied connection: W(t) = (W(0) − r s(0)ᵀ s(0)) + r s(t)ᵀ s(t).
final class TiedInPlaceUpdate<Element: KernelScalar>: ContinualUpdate {
    private let connection: TiedDenseConnection<Element>
    private let place: WeightsInPlace<Element>
    private let rates: UpdateRates<Element>
    private let start: LayerPair<Element>
    private var present: LayerPair<Element>
    /// W(0) − r s(0)ᵀ s(0), to which the present state is added.
    private let base: ConnectionParameters<Element>

    /// Each part updates half of the units above.
    var batchParts: Int { 2 }

    init(
        of connection: TiedDenseConnection<Element>, in place: WeightsInPlace<Element>, rates: UpdateRates<Element>,
        from start: LayerPair<Element>
    ) throws(EngineError) {
        self.connection = connection
        self.place = place
        self.rates = rates
        self.start = start
        present = start
        base = try connection.parameters.zeros()
        base.copy(from: connection.parameters)
        base.addProducts(of: start, rates: rates * -1)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordBatch(part: Int, from older: LayerPair<Element>, to newer: LayerPair<Element>) {
        let (above, below) = (newer.above.activity, newer.below.activity)
        let units = above.columns
        setToTransposedProduct(
            above.pointer, below.pointer, m: units, n: below.columns, k: above.rows,
            rows: part * units / batchParts..<(part + 1) * units / batchParts, scale: rates.weights,
            addingTo: base.weights.pointer, into: place.up)
        if part == 0 {
            present = newer
            guard let biases = base.biases else { return }
            place.biases.copy(from: biases)
            place.biases.view.addRowSums(of: above, scale: rates.biases)
        }
    }

    /// Computed from differences, to avoid cancellation of large terms.
    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        connection.addUpdate(from: start, to: present, rates: rates, feedback: .own, into: accumulator)
    }
}

/// The update of an untied connection: W(t) = W(0) + r Σ (s(t+1) − s(t))ᵀ r(t), and the same for the feedback weights.
final class UntiedInPlaceUpdate<Element: KernelScalar>: ContinualUpdate {
    private let place: WeightsInPlace<Element>
    private let rates: UpdateRates<Element>
    private let start: ConnectionParameters<Element>
    /// Units above × units below, as in products.
    private let feedbackStart: Matrix<Element>
    /// The sum of the updates of all steps, at rate 1.
    private let sum: ConnectionParameters<Element>
    private let feedbackSum: Matrix<Element>
    /// The change of the layers in the step.
    private let movedAbove: Matrix<Element>
    private let movedBelow: Matrix<Element>

    var comparesSteps: Bool { true }
    /// Forward and feedback weights.
    var batchParts: Int { 2 }

    init(
        of parameters: ConnectionParameters<Element>, in place: WeightsInPlace<Element>, rates: UpdateRates<Element>,
        batch: Int
    ) throws(EngineError) {
        let (above, below) = (parameters.weights.rows, parameters.weights.columns)
        self.place = place
        self.rates = rates
        start = parameters
        feedbackStart = try Matrix(rows: above, columns: below)
        feedbackStart.pointer.update(from: place.down, count: feedbackStart.count)
        sum = try ConnectionParameters(below: below, above: above, biases: parameters.biases != nil, feedback: false)
        feedbackSum = try Matrix(rows: above, columns: below)
        movedAbove = try Matrix(rows: batch, columns: above)
        movedBelow = try Matrix(rows: batch, columns: below)
    }

    func recordSamples(_ samples: Range<Int>, from older: LayerPair<Element>, to newer: LayerPair<Element>) {
        movedAbove.view.rows(samples).setToDifference(
            of: newer.above.state.rows(samples), and: older.above.state.rows(samples))
        movedBelow.view.rows(samples).setToDifference(
            of: newer.below.state.rows(samples), and: older.below.state.rows(samples))
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordBatch(part: Int, from older: LayerPair<Element>, to newer: LayerPair<Element>) {
        if part == 0 {
            move(
                movedAbove.view, older.below.activity, from: start.weights, by: sum.weights, rate: rates.weights,
                in: place.up)
            guard let sums = sum.biases, let biases = start.biases else { return }
            sums.view.addRowSums(of: movedAbove.view, scale: 1)
            place.biases.view.setToSum(of: biases.view, and: sums.view, scale: rates.biases)
        } else {
            move(
                older.above.activity, movedBelow.view, from: feedbackStart, by: feedbackSum, rate: rates.feedback,
                in: place.down)
        }
    }

    @inline(__always)
    private func move(
        _ above: MatrixView<Element>, _ below: MatrixView<Element>, from start: Matrix<Element>,
        by sum: Matrix<Element>, rate: Element, in weights: UnsafeMutablePointer<Element>
    ) {
        setToTransposedProduct(
            above.pointer, below.pointer, m: above.columns, n: below.columns, k: above.rows, rows: 0..<above.columns,
            scale: 1, addingTo: sum.pointer, into: sum.pointer)
        setToSum(of: start.pointer, and: sum.pointer, scale: rate, into: weights, count: start.count)
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        accumulator.weights.view.add(sum.weights.view, scale: rates.weights)
        if let biases = accumulator.biases, let sums = sum.biases { biases.view.add(sums.view, scale: rates.biases) }
        if let feedbackWeights = accumulator.feedbackWeights {
            addTransposed(
                feedbackSum.pointer, rows: feedbackSum.rows, columns: feedbackSum.columns, scale: rates.feedback,
                to: feedbackWeights.pointer)
        }
    }
}
