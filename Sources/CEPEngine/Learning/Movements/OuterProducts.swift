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

    func receivingRows(from start: Int, count: Int) -> MatrixView<Element> { receiving.rows(from: start, count: count) }
    func sendingRows(from start: Int, count: Int) -> MatrixView<Element> { sending.rows(from: start, count: count) }

    /// `drive += scale · (Σ receivingᵀ sending) sent`.
    func addDrive(of sent: SentRows<Element>, scale: Element, to drive: UnsafeMutablePointer<Element>) {
        addDrive(of: sent, sending, receiving, scale, to: drive)
    }

    /// `drive += scale · (Σ sendingᵀ receiving) sent`: the transposed sum.
    func addTransposedDrive(of sent: SentRows<Element>, scale: Element, to drive: UnsafeMutablePointer<Element>) {
        addDrive(of: sent, receiving, sending, scale, to: drive)
    }

    /// `weights += scale · Σ receivingᵀ sending`.
    func add(scale: Element, to weights: Matrix<Element>) {
        guard count > 0 else { return }
        weights.view.addOuterProduct(
            of: receivingRows(from: 0, count: count), and: sendingRows(from: 0, count: count), scale: scale)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    private func addDrive(
        of sent: SentRows<Element>, _ sending: Matrix<Element>, _ receiving: Matrix<Element>, _ scale: Element,
        to drive: UnsafeMutablePointer<Element>
    ) {
        guard count > 0, let values = sent.values else { return }
        // Each sample has its own row, whatever other threads are at.
        let products = products.pointer + sent.first * products.columns
        multiplyTransposed(
            values, sending.pointer, m: sent.count, n: count, k: sending.columns, accumulating: false, into: products)
        addProduct(
            products, receiving.pointer, m: sent.count, n: receiving.columns, k: count, scale: scale, to: drive)
    }
}

/// Of a tied connection: s(t)ᵀ s(t) − s(0)ᵀ s(0), written as (s(t) − s(0))ᵀ s(t) + s(0)ᵀ (s(t) − s(0)) so that nothing
/// large cancels.
final class TelescopedMovement<Element: KernelScalar>: WeightMovement {
    private let start: JoinedLayers<Element>
    private let rates: UpdateRates<Element>
    private let products: OuterProducts<Element>
    private let biasMoved: Matrix<Element>

    var comparesSteps: Bool { false }

    init(from start: JoinedLayers<Element>, rates: UpdateRates<Element>) throws(EngineError) {
        let batch = start.above.sent.rows
        self.start = start
        self.rates = rates
        products = try OuterProducts(
            capacity: 2 * batch, batch: batch, receiving: start.above.sent.columns, sending: start.below.sent.columns)
        biasMoved = try Matrix(rows: 1, columns: start.above.sent.columns)
        products.receivingRows(from: batch, count: batch).copy(from: start.above.sent)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func record(part: Int, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
        let batch = start.above.sent.rows
        let movedAbove = products.receivingRows(from: 0, count: batch)
        movedAbove.setToDifference(of: newer.above.sent, and: start.above.sent)
        products.sendingRows(from: 0, count: batch).copy(from: newer.below.sent)
        products.sendingRows(from: batch, count: batch).setToDifference(of: newer.below.sent, and: start.below.sent)
        biasMoved.view.setToRowSums(of: movedAbove)
        products.count = 2 * batch
    }

    func addDriveUp(_ below: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {
        products.addDrive(of: below, scale: rates.weights, to: drive)
        addToEachRow(
            of: drive, rows: below.count, biasMoved.pointer, columns: biasMoved.columns, scale: rates.biases)
    }

    func addDriveDown(_ above: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {
        products.addTransposedDrive(of: above, scale: rates.weights, to: drive)
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        products.add(scale: rates.weights, to: accumulator.weights)
        accumulator.biases.view.add(biasMoved.view, scale: rates.biases)
    }
}

/// Of an untied connection between layers that both move: Σ (s(t+1) − s(t))ᵀ r(t), a batch of rows a step.
final class AccumulatedMovement<Element: KernelScalar>: WeightMovement {
    private let start: JoinedLayers<Element>
    private let rates: UpdateRates<Element>
    private let forward: OuterProducts<Element>
    private let feedback: OuterProducts<Element>
    private let moved: Matrix<Element>
    private let biasMoved: Matrix<Element>

    var comparesSteps: Bool { true }

    init(from start: JoinedLayers<Element>, steps: Int, rates: UpdateRates<Element>) throws(EngineError) {
        let batch = start.above.state.rows
        let (capacity, overflow) = steps.multipliedReportingOverflow(by: batch)
        guard !overflow else { throw .outOfMemory("\(steps) steps of \(batch) samples are too many to be kept") }
        let (below, above) = (start.below.state.columns, start.above.state.columns)
        self.start = start
        self.rates = rates
        forward = try OuterProducts(capacity: capacity, batch: batch, receiving: above, sending: below)
        feedback = try OuterProducts(capacity: capacity, batch: batch, receiving: below, sending: above)
        moved = try Matrix(rows: batch, columns: above)
        biasMoved = try Matrix(rows: 1, columns: above)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func record(part: Int, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
        append(from: older.below, older.above, to: newer.above, forward)
        append(from: older.above, older.below, to: newer.below, feedback)
        moved.view.setToDifference(of: newer.above.state, and: start.above.state)
        biasMoved.view.setToRowSums(of: moved.view)
    }

    private func append(
        from sender: LayerState<Element>, _ older: LayerState<Element>, to newer: LayerState<Element>,
        _ products: OuterProducts<Element>
    ) {
        let batch = newer.state.rows
        products.receivingRows(from: products.count, count: batch).setToDifference(of: newer.state, and: older.state)
        products.sendingRows(from: products.count, count: batch).copy(from: sender.sent)
        products.count += batch
    }

    func addDriveUp(_ below: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {
        forward.addDrive(of: below, scale: rates.weights, to: drive)
        addToEachRow(
            of: drive, rows: below.count, biasMoved.pointer, columns: biasMoved.columns, scale: rates.biases)
    }

    func addDriveDown(_ above: SentRows<Element>, to drive: UnsafeMutablePointer<Element>) {
        feedback.addDrive(of: above, scale: rates.weights, to: drive)
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        forward.add(scale: rates.weights, to: accumulator.weights)
        accumulator.biases.view.add(biasMoved.view, scale: rates.biases)
        if let feedbackWeights = accumulator.feedbackWeights {
            feedback.add(scale: rates.weights, to: feedbackWeights)
        }
    }
}
