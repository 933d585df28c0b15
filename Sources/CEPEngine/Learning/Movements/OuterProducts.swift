import CEPKernels

/// A sum of outer products of rows: Σ_i receiving_iᵀ sending_i, in some of the rows there is room for.
final class OuterProducts<Element: KernelScalar> {
    private let receiving: Matrix<Element>
    private let sending: Matrix<Element>
    /// Batch × capacity.
    private let products: Matrix<Element>
    var count = 0

    /// - Parameters:
    ///   - capacity: Rows there is room for.
    ///   - batch: Rows of what will be multiplied.
    init(capacity: Int, batch: Int, receiving: Int, sending: Int) throws(EngineError) {
        self.receiving = try Matrix(rows: capacity, columns: receiving)
        self.sending = try Matrix(rows: capacity, columns: sending)
        products = try Matrix(rows: batch, columns: capacity)
    }

    /// Room rows, counted from `start` on.
    func receivingRows(_ range: Range<Int>, from start: Int = 0) -> MatrixView<Element> {
        receiving.rows(from: start + range.lowerBound, count: range.count)
    }

    func sendingRows(_ range: Range<Int>, from start: Int = 0) -> MatrixView<Element> {
        sending.rows(from: start + range.lowerBound, count: range.count)
    }

    /// `drive += (rᵂ Σ receivingᵀ sending) sent`, and `rᵇ Σ receiving` over the first `biasRows`, which is the same
    /// product with 1 in place of what they multiply.
    func addDrive(
        of sent: SentRows<Element>, rates: UpdateRates<Element>, biasRows: Int,
        to drive: UnsafeMutablePointer<Element>
    ) {
        addDrive(of: sent, sending, receiving, rates, biasRows, to: drive)
    }

    /// `drive += (r Σ sendingᵀ receiving) sent`: the transposed sum.
    func addTransposedDrive(of sent: SentRows<Element>, rate: Element, to drive: UnsafeMutablePointer<Element>) {
        addDrive(of: sent, receiving, sending, UpdateRates(weights: rate, biases: 0), 0, to: drive)
    }

    /// `weights += rate · Σ receivingᵀ sending`.
    func add(rate: Element, to weights: Matrix<Element>) {
        guard count > 0 else { return }
        weights.view.addOuterProduct(of: receivingRows(0..<count), and: sendingRows(0..<count), scale: rate)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    private func addDrive(
        of sent: SentRows<Element>, _ sending: Matrix<Element>, _ receiving: Matrix<Element>,
        _ rates: UpdateRates<Element>, _ biasRows: Int, to drive: UnsafeMutablePointer<Element>
    ) {
        guard count > 0, let values = sent.values else { return }
        // Each sample has its own row, whatever other threads are at.
        let products = products.pointer + sent.first * products.columns
        multiplyTransposed(
            values, sending.pointer, m: sent.count, n: count, k: sending.columns, addingTo: nil, baseStride: 0,
            into: products)
        for sample in 0..<sent.count {
            let row = products + sample * count
            scale(row, by: rates.weights, adding: rates.biases, count: biasRows)
            scale(row + biasRows, by: rates.weights, adding: 0, count: count - biasRows)
        }
        addProduct(products, receiving.pointer, m: sent.count, n: receiving.columns, k: count, scale: 1, to: drive)
    }
}

/// Of a tied connection: s(t)ᵀ s(t) − s(0)ᵀ s(0), written as (s(t) − s(0))ᵀ s(t) + s(0)ᵀ (s(t) − s(0)) so that nothing
/// large cancels.
final class TelescopedMovement<Element: KernelScalar>: WeightMovement {
    private let start: JoinedLayers<Element>
    private let rates: UpdateRates<Element>
    /// What drives come from, and what is being recorded.
    private var products: OuterProducts<Element>
    private var recorded: OuterProducts<Element>
    private let batch: Int

    init(from start: JoinedLayers<Element>, rates: UpdateRates<Element>) throws(EngineError) {
        let batch = start.above.sent.rows
        func rows() throws(EngineError) -> OuterProducts<Element> {
            let rows = try OuterProducts<Element>(
                capacity: 2 * batch, batch: batch, receiving: start.above.sent.columns,
                sending: start.below.sent.columns)
            rows.receivingRows(0..<batch, from: batch).copy(from: start.above.sent)
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
    func recordSamples(_ samples: Range<Int>, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
        recorded.receivingRows(samples).setToDifference(
            of: newer.above.sent.rows(samples), and: start.above.sent.rows(samples))
        recorded.sendingRows(samples).copy(from: newer.below.sent.rows(samples))
        recorded.sendingRows(samples, from: batch).setToDifference(
            of: newer.below.sent.rows(samples), and: start.below.sent.rows(samples))
    }

    func samplesAreRecorded() {
        recorded.count = 2 * batch
        swap(&products, &recorded)
    }

    func addDriveUp(_ below: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {
        products.addDrive(of: below, rates: rates, biasRows: batch, to: drive)
    }

    func addDriveDown(_ above: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {
        products.addTransposedDrive(of: above, rate: rates.weights, to: drive)
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        products.add(rate: rates.weights, to: accumulator.weights)
        accumulator.biases.view.addRowSums(of: products.receivingRows(0..<batch), scale: rates.biases)
    }
}

/// Of an untied connection between layers that both move: Σ (s(t+1) − s(t))ᵀ r(t), a batch of rows a step.
final class AccumulatedMovement<Element: KernelScalar>: WeightMovement {
    private let rates: UpdateRates<Element>
    private let forward: OuterProducts<Element>
    private let feedback: OuterProducts<Element>
    private let batch: Int

    var comparesSteps: Bool { true }

    init(from start: JoinedLayers<Element>, steps: Int, rates: UpdateRates<Element>) throws(EngineError) {
        batch = start.above.state.rows
        let (capacity, overflow) = steps.multipliedReportingOverflow(by: batch)
        guard !overflow else { throw .outOfMemory("\(steps) steps of \(batch) samples are too many to be kept") }
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
    func recordSamples(_ samples: Range<Int>, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
        append(samples, from: older.below, older.above, to: newer.above, forward)
        append(samples, from: older.above, older.below, to: newer.below, feedback)
    }

    private func append(
        _ samples: Range<Int>, from sender: LayerState<Element>, _ older: LayerState<Element>,
        to newer: LayerState<Element>, _ products: OuterProducts<Element>
    ) {
        products.receivingRows(samples, from: products.count).setToDifference(
            of: newer.state.rows(samples), and: older.state.rows(samples))
        products.sendingRows(samples, from: products.count).copy(from: sender.sent.rows(samples))
    }

    func samplesAreRecorded() {
        forward.count += batch
        feedback.count += batch
    }

    func addDriveUp(_ below: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {
        forward.addDrive(of: below, rates: rates, biasRows: forward.count, to: drive)
    }

    func addDriveDown(_ above: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {
        feedback.addDrive(
            of: above, rates: UpdateRates(weights: rates.weights, biases: 0), biasRows: 0, to: drive)
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        forward.add(rate: rates.weights, to: accumulator.weights)
        accumulator.biases.view.addRowSums(of: forward.receivingRows(0..<forward.count), scale: rates.biases)
        if let feedbackWeights = accumulator.feedbackWeights {
            feedback.add(rate: rates.weights, to: feedbackWeights)
        }
    }
}
