import CEPKernels

/// How the parameters of one connection have moved since a continual nudged phase began, kept as a product of a few
/// rows: what a step needs of the moved weights comes from that product, and the weights are written once, at the end.
///
/// It stands for the weights W + rᵂ Σ aᵀ b, and equals updating them at every step in exact arithmetic.
public protocol WeightMovement<Element>: AnyObject {
    associatedtype Element: KernelScalar

    /// To be called after each step of the phase.
    func record(from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>)

    /// Adds to the drive of the layer above what the movement adds to `W below + b`.
    func addDriveUp(_ below: MatrixView<Element>, to drive: MatrixView<Element>)

    /// Adds to the drive of the layer below what the movement adds to the feedback.
    func addDriveDown(_ above: MatrixView<Element>, to drive: MatrixView<Element>)

    /// Adds the movement at the given rates to an accumulator.
    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>)
}

/// A sum of outer products of rows: Σ_i receiving_iᵀ sending_i, in some of the rows there is room for.
final class OuterProducts<Element: KernelScalar> {
    private let receiving: Matrix<Element>
    private let sending: Matrix<Element>
    private let products: Matrix<Element>
    private let transposed: Matrix<Element>
    var count = 0

    /// - Parameters:
    ///   - capacity: Rows there is room for.
    ///   - batch: Rows of what will be multiplied.
    init(capacity: Int, batch: Int, receiving: Int, sending: Int) throws(EngineError) {
        self.receiving = try Matrix(rows: capacity, columns: receiving)
        self.sending = try Matrix(rows: capacity, columns: sending)
        products = try Matrix(rows: batch, columns: capacity)
        transposed = try Matrix(rows: receiving, columns: capacity)
    }

    func receivingRows(from start: Int, count: Int) -> MatrixView<Element> { receiving.rows(from: start, count: count) }
    func sendingRows(from start: Int, count: Int) -> MatrixView<Element> { sending.rows(from: start, count: count) }

    /// `drive += scale · (Σ receivingᵀ sending) sent`.
    func addDrive(of sent: MatrixView<Element>, scale: Element, to drive: MatrixView<Element>) {
        addDrive(of: sent, sendingRows(from: 0, count: count), receivingRows(from: 0, count: count), scale, to: drive)
    }

    /// `drive += scale · (Σ sendingᵀ receiving) sent`: the transposed sum.
    func addTransposedDrive(of sent: MatrixView<Element>, scale: Element, to drive: MatrixView<Element>) {
        addDrive(of: sent, receivingRows(from: 0, count: count), sendingRows(from: 0, count: count), scale, to: drive)
    }

    /// `weights += scale · Σ receivingᵀ sending`.
    func add(scale: Element, to weights: Matrix<Element>) {
        guard count > 0 else { return }
        weights.view.addOuterProduct(
            of: receivingRows(from: 0, count: count), and: sendingRows(from: 0, count: count), scale: scale,
            room: transposed)
    }

    private func addDrive(
        of sent: MatrixView<Element>, _ sending: MatrixView<Element>, _ receiving: MatrixView<Element>,
        _ scale: Element, to drive: MatrixView<Element>
    ) {
        guard count > 0 else { return }
        let products = products.reshaped(columns: count)
        products.setToProduct(of: sent, andTransposed: sending)
        drive.addProduct(of: products, and: receiving, scale: scale)
    }
}

/// Of a connection from the clamped input, tied or not: Σ (s(t+1) − s(t))ᵀ x telescopes to (s(t) − s(0))ᵀ x, and the
/// products of the input with itself are taken once.
final class ClampedMovement<Element: KernelScalar>: WeightMovement {
    private let start: JoinedLayers<Element>
    private let rates: UpdateRates<Element>
    private let gram: Matrix<Element>
    private let moved: Matrix<Element>
    private let transposed: Matrix<Element>
    private let biasMoved: Matrix<Element>
    /// What of the layer above an update is drawn from: its state, or what it sends.
    private let drawn: (LayerState<Element>) -> MatrixView<Element>

    init(
        from start: JoinedLayers<Element>, rates: UpdateRates<Element>,
        drawingFrom drawn: @escaping (LayerState<Element>) -> MatrixView<Element>
    ) throws(EngineError) {
        let batch = start.above.state.rows
        self.start = start
        self.rates = rates
        self.drawn = drawn
        gram = try Matrix(rows: batch, columns: batch)
        moved = try Matrix(rows: batch, columns: start.above.state.columns)
        transposed = try Matrix(rows: start.above.state.columns, columns: batch)
        biasMoved = try Matrix(rows: 1, columns: start.above.state.columns)
        gram.view.setToProduct(of: start.below.sent, andTransposed: start.below.sent)
    }

    func record(from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
        moved.view.setToDifference(of: drawn(newer.above), and: drawn(start.above))
        biasMoved.view.setToRowSums(of: moved.view)
    }

    func addDriveUp(_ below: MatrixView<Element>, to drive: MatrixView<Element>) {
        drive.addProduct(of: gram.view, and: moved.view, scale: rates.weights)
        drive.addToEachRow(biasMoved.view, scale: rates.biases)
    }

    func addDriveDown(_ above: MatrixView<Element>, to drive: MatrixView<Element>) {}

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        accumulator.weights.view.addOuterProduct(
            of: moved.view, and: start.below.sent, scale: rates.weights, room: transposed)
        accumulator.biases.view.add(biasMoved.view, scale: rates.biases)
    }
}

/// Of a tied connection: s(t)ᵀ s(t) − s(0)ᵀ s(0), written as (s(t) − s(0))ᵀ s(t) + s(0)ᵀ (s(t) − s(0)) so that nothing
/// large cancels.
final class TelescopedMovement<Element: KernelScalar>: WeightMovement {
    private let start: JoinedLayers<Element>
    private let rates: UpdateRates<Element>
    private let products: OuterProducts<Element>
    private let biasMoved: Matrix<Element>

    init(from start: JoinedLayers<Element>, rates: UpdateRates<Element>) throws(EngineError) {
        let batch = start.above.sent.rows
        self.start = start
        self.rates = rates
        products = try OuterProducts(
            capacity: 2 * batch, batch: batch, receiving: start.above.sent.columns, sending: start.below.sent.columns)
        biasMoved = try Matrix(rows: 1, columns: start.above.sent.columns)
        products.receivingRows(from: batch, count: batch).copy(from: start.above.sent)
    }

    func record(from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
        let batch = start.above.sent.rows
        let movedAbove = products.receivingRows(from: 0, count: batch)
        movedAbove.setToDifference(of: newer.above.sent, and: start.above.sent)
        products.sendingRows(from: 0, count: batch).copy(from: newer.below.sent)
        products.sendingRows(from: batch, count: batch).setToDifference(of: newer.below.sent, and: start.below.sent)
        biasMoved.view.setToRowSums(of: movedAbove)
        products.count = 2 * batch
    }

    func addDriveUp(_ below: MatrixView<Element>, to drive: MatrixView<Element>) {
        products.addDrive(of: below, scale: rates.weights, to: drive)
        drive.addToEachRow(biasMoved.view, scale: rates.biases)
    }

    func addDriveDown(_ above: MatrixView<Element>, to drive: MatrixView<Element>) {
        products.addTransposedDrive(of: above, scale: rates.weights, to: drive)
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        products.add(scale: rates.weights, to: accumulator.weights)
        accumulator.biases.view.add(biasMoved.view, scale: rates.biases)
    }
}

/// Of an untied connection between layers that both move: Σ (s(t+1) − s(t))ᵀ r(t), a few rows a step.
final class AccumulatedMovement<Element: KernelScalar>: WeightMovement {
    private let start: JoinedLayers<Element>
    private let rates: UpdateRates<Element>
    private let forward: OuterProducts<Element>
    private let feedback: OuterProducts<Element>
    private let moved: Matrix<Element>
    private let biasMoved: Matrix<Element>

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

    func record(from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
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

    func addDriveUp(_ below: MatrixView<Element>, to drive: MatrixView<Element>) {
        forward.addDrive(of: below, scale: rates.weights, to: drive)
        drive.addToEachRow(biasMoved.view, scale: rates.biases)
    }

    func addDriveDown(_ above: MatrixView<Element>, to drive: MatrixView<Element>) {
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
