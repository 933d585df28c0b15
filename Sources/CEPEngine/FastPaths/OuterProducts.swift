import CEPKernels

/// A sum of outer products of rows, Σ_i receiving_iᵀ sending_i.
final class OuterProducts<Element: KernelScalar> {
    private let receiving: Matrix<Element>
    private let sending: Matrix<Element>
    /// Batch × capacity.
    private let products: Matrix<Element>
    var count = 0

    /// - Parameters:
    ///   - capacity: The maximum number of rows.
    ///   - batch: The rows of the matrices that will be multiplied.
    init(capacity: Int, batch: Int, receiving: Int, sending: Int) throws(EngineError) {
        self.receiving = try Matrix(rows: capacity, columns: receiving)
        self.sending = try Matrix(rows: capacity, columns: sending)
        products = try Matrix(rows: batch, columns: capacity)
    }

    /// Rows from `start` on.
    func receivingRows(_ range: Range<Int>, from start: Int = 0) -> MatrixView<Element> {
        receiving.rows(from: start + range.lowerBound, count: range.count)
    }

    func sendingRows(_ range: Range<Int>, from start: Int = 0) -> MatrixView<Element> {
        sending.rows(from: start + range.lowerBound, count: range.count)
    }

    /// `preactivation += (rᵂ Σ receivingᵀ sending) activity`, plus `rᵇ Σ receiving` over the first `biasRows`, which is
    /// the same product with 1 in place of `sending` times the activity.
    func addPreactivation(
        of activity: ActivityRows<Element>, rates: UpdateRates<Element>, biasRows: Int,
        to preactivation: UnsafeMutablePointer<Element>
    ) {
        addPreactivation(of: activity, sending, receiving, rates, biasRows, to: preactivation)
    }

    /// `preactivation += (r Σ sendingᵀ receiving) activity`: the transposed sum.
    func addTransposedPreactivation(
        of activity: ActivityRows<Element>, rate: Element, to preactivation: UnsafeMutablePointer<Element>
    ) {
        addPreactivation(of: activity, receiving, sending, UpdateRates(weights: rate, biases: 0), 0, to: preactivation)
    }

    /// `weights += rate · Σ receivingᵀ sending`.
    func add(rate: Element, to weights: Matrix<Element>) {
        guard count > 0 else { return }
        weights.view.addOuterProduct(of: receivingRows(0..<count), and: sendingRows(0..<count), scale: rate)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    private func addPreactivation(
        of activity: ActivityRows<Element>, _ sending: Matrix<Element>, _ receiving: Matrix<Element>,
        _ rates: UpdateRates<Element>, _ biasRows: Int, to preactivation: UnsafeMutablePointer<Element>
    ) {
        guard count > 0, let values = activity.values else { return }
        // Each sample has its own row, independent of other threads.
        let products = products.pointer + activity.first * products.columns
        multiplyTransposed(
            values, sending.pointer, m: activity.count, n: count, k: sending.columns, addingTo: nil, baseStride: 0,
            into: products)
        for sample in 0..<activity.count {
            let row = products + sample * count
            scale(row, by: rates.weights, adding: rates.biases, count: biasRows)
            scale(row + biasRows, by: rates.weights, adding: 0, count: count - biasRows)
        }
        addProduct(
            products, receiving.pointer, m: activity.count, n: receiving.columns, k: count, scale: 1, to: preactivation)
    }
}

/// The update of a tied connection: s(t)ᵀ s(t) − s(0)ᵀ s(0), written as (s(t) − s(0))ᵀ s(t) + s(0)ᵀ (s(t) − s(0)) to
/// avoid cancellation of large terms.
final class TelescopedUpdate<Element: KernelScalar>: ContinualUpdate {
    private let start: LayerPair<Element>
    private let rates: UpdateRates<Element>
    /// The products that preactivations use, and those that are being recorded.
    private var products: OuterProducts<Element>
    private var recorded: OuterProducts<Element>
    private let batch: Int

    init(from start: LayerPair<Element>, rates: UpdateRates<Element>) throws(EngineError) {
        let batch = start.above.activity.rows
        func rows() throws(EngineError) -> OuterProducts<Element> {
            let rows = try OuterProducts<Element>(
                capacity: 2 * batch, batch: batch, receiving: start.above.activity.columns,
                sending: start.below.activity.columns)
            rows.receivingRows(0..<batch, from: batch).copy(from: start.above.activity)
            return rows
        }
        self.start = start
        self.rates = rates
        self.batch = batch
        products = try rows()
        recorded = try rows()
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordSamples(_ samples: Range<Int>, from older: LayerPair<Element>, to newer: LayerPair<Element>) {
        recorded.receivingRows(samples).setToDifference(
            of: newer.above.activity.rows(samples), and: start.above.activity.rows(samples))
        recorded.sendingRows(samples).copy(from: newer.below.activity.rows(samples))
        recorded.sendingRows(samples, from: batch).setToDifference(
            of: newer.below.activity.rows(samples), and: start.below.activity.rows(samples))
    }

    func samplesAreRecorded() {
        recorded.count = 2 * batch
        swap(&products, &recorded)
    }

    func addForward(_ below: ActivityRows<Element>, to preactivation: UnsafeMutablePointer<Element>) {
        products.addPreactivation(of: below, rates: rates, biasRows: batch, to: preactivation)
    }

    func addFeedback(_ above: ActivityRows<Element>, to preactivation: UnsafeMutablePointer<Element>) {
        products.addTransposedPreactivation(of: above, rate: rates.weights, to: preactivation)
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        products.add(rate: rates.weights, to: accumulator.weights)
        accumulator.addToBiases(rowsOf: products.receivingRows(0..<batch), scale: rates.biases)
    }
}

/// The update of an untied connection between layers that both move: Σ (s(t+1) − s(t))ᵀ r(t), with a batch of rows per
/// step.
final class LowRankUpdate<Element: KernelScalar>: ContinualUpdate {
    private let rates: UpdateRates<Element>
    private let forward: OuterProducts<Element>
    private let feedback: OuterProducts<Element>
    private let batch: Int

    var comparesSteps: Bool { true }

    init(from start: LayerPair<Element>, steps: Int, rates: UpdateRates<Element>) throws(EngineError) {
        batch = start.above.state.rows
        let (capacity, overflow) = steps.multipliedReportingOverflow(by: batch)
        guard !overflow else { throw .outOfMemory("\(steps) steps of \(batch) samples are too many to keep in memory") }
        let (below, above) = (start.below.state.columns, start.above.state.columns)
        try checkMemory(
            values: 2 * Double(capacity) * Double(below + above + batch), of: Element.self,
            for: "what \(steps) steps of \(batch) samples keep")
        self.rates = rates
        forward = try OuterProducts(capacity: capacity, batch: batch, receiving: above, sending: below)
        feedback = try OuterProducts(capacity: capacity, batch: batch, receiving: below, sending: above)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordSamples(_ samples: Range<Int>, from older: LayerPair<Element>, to newer: LayerPair<Element>) {
        append(samples, from: older.below, older.above, to: newer.above, forward)
        append(samples, from: older.above, older.below, to: newer.below, feedback)
    }

    private func append(
        _ samples: Range<Int>, from sender: LayerSnapshot<Element>, _ older: LayerSnapshot<Element>,
        to newer: LayerSnapshot<Element>, _ products: OuterProducts<Element>
    ) {
        products.receivingRows(samples, from: products.count).setToDifference(
            of: newer.state.rows(samples), and: older.state.rows(samples))
        products.sendingRows(samples, from: products.count).copy(from: sender.activity.rows(samples))
    }

    func samplesAreRecorded() {
        forward.count += batch
        feedback.count += batch
    }

    func addForward(_ below: ActivityRows<Element>, to preactivation: UnsafeMutablePointer<Element>) {
        forward.addPreactivation(of: below, rates: rates, biasRows: forward.count, to: preactivation)
    }

    func addFeedback(_ above: ActivityRows<Element>, to preactivation: UnsafeMutablePointer<Element>) {
        feedback.addPreactivation(
            of: above, rates: UpdateRates(weights: rates.feedback, biases: 0), biasRows: 0, to: preactivation)
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        forward.add(rate: rates.weights, to: accumulator.weights)
        accumulator.addToBiases(rowsOf: forward.receivingRows(0..<forward.count), scale: rates.biases)
        if let feedbackWeights = accumulator.feedbackWeights {
            feedback.add(rate: rates.feedback, to: feedbackWeights)
        }
    }
}
