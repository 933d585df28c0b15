import CEPKernels

/// All units to all units, with weights of their own for the way down: the vector field.
///
/// The connection from the input has no way down: the input is clamped.
public final class UntiedDenseConnection<Element: KernelScalar>: Connection {
    public let parameters: ConnectionParameters<Element>
    private let isFromInput: Bool
    private var packingRoom: PackingRoom<Element>?
    private var room = UpdateRoom<Element>()

    /// - Parameters:
    ///   - below: Units of the layer below.
    ///   - above: Units of the layer above.
    ///   - isFromInput: Whether the layer below is the clamped input.
    public init(below: Int, above: Int, isFromInput: Bool) throws(EngineError) {
        self.isFromInput = isFromInput
        parameters = try ConnectionParameters(below: below, above: above, feedback: !isFromInput)
    }

    public func driveUp(_ below: MatrixView<Element>, into drive: MatrixView<Element>) {
        parameters.driveUp(below, into: drive)
    }

    public func addDriveDown(_ above: MatrixView<Element>, to drive: MatrixView<Element>) {
        guard let feedbackWeights = parameters.feedbackWeights else { return }
        drive.addProduct(of: above, andTransposed: feedbackWeights.view)
    }

    public func pack() throws(EngineError) -> PackedConnection<Element> {
        if let packingRoom { return packingRoom.pack(parameters) }
        let room = try PackingRoom(for: parameters)
        packingRoom = room
        return room.pack(parameters)
    }

    public func part(below units: Range<Int>) throws(EngineError) -> any Connection<Element> {
        try UntiedDenseConnection(below: units.count, above: parameters.weights.rows, isFromInput: false)
    }

    public func drawn(from layer: LayerState<Element>) -> MatrixView<Element> { layer.state }

    public func reserve(batch: Int) throws(EngineError) { try room.reserve(rows: batch, for: parameters) }

    /// What a neuron sends is taken from the older moment, what it becomes from its state itself.
    public func addUpdate(
        from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>, rates: UpdateRates<Element>,
        into accumulator: ConnectionParameters<Element>
    ) {
        addForwardUpdate(from: older, to: newer, rates: rates, into: accumulator)
        addFeedbackUpdate(from: older, to: newer, rates: rates, into: accumulator)
    }

    /// ΔW = r (s′ₐ − sₐ)ᵀ s_b, Δb = r Σ (s′ₐ − sₐ)
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addForwardUpdate(
        from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>, rates: UpdateRates<Element>,
        into accumulator: ConnectionParameters<Element>
    ) {
        guard let above = room.above?.view else { return }
        above.setToDifference(of: newer.above.state, and: older.above.state)
        accumulator.biases.view.addRowSums(of: above, scale: rates.biases)
        accumulator.weights.view.addOuterProduct(of: above, and: older.below.sent, scale: rates.weights)
    }

    /// ΔV = r (s′_b − s_b)ᵀ sₐ
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func addFeedbackUpdate(
        from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>, rates: UpdateRates<Element>,
        into accumulator: ConnectionParameters<Element>
    ) {
        guard let below = room.below?.view, let feedbackWeights = accumulator.feedbackWeights else { return }
        below.setToDifference(of: newer.below.state, and: older.below.state)
        feedbackWeights.view.addOuterProduct(of: below, and: older.above.sent, scale: rates.weights)
    }

    public func makeMovement(
        from start: JoinedLayers<Element>, steps: Int, rates: UpdateRates<Element>
    ) throws(EngineError) -> any WeightMovement<Element> {
        if isFromInput {
            return try ClampedMovement(from: start, rates: rates, drawingFrom: drawn)
        }
        let (batch, below, above) = (start.above.state.rows, parameters.weights.columns, parameters.weights.rows)
        // Multiplications a step: a product with half of all rows each way, against writing both weights.
        let accumulating = Double(steps) * Double(batch) * Double(batch) * Double(below + above)
        let weights = Double(below) * Double(above)
        if let place = packingRoom?.weightsInPlace, 2 * Double(batch) * weights < accumulating {
            return try UntiedInPlaceMovement(of: parameters, in: place, rates: rates, batch: batch)
        }
        if let packingRoom, 2 * Double(batch + packingCost) * weights < accumulating {
            return try WrittenUntiedMovement(of: self, in: packingRoom, rates: rates)
        }
        return try AccumulatedMovement(from: start, steps: steps, rates: rates)
    }

    public func addGradientDown(_ driveGradient: MatrixView<Element>, to sentGradient: MatrixView<Element>) {
        sentGradient.setToProduct(of: driveGradient, and: parameters.weights.view, keeping: 1)
    }

    public func addGradientUp(_ driveGradient: MatrixView<Element>, to sentGradient: MatrixView<Element>) {
        guard let feedbackWeights = parameters.feedbackWeights else { return }
        sentGradient.setToProduct(of: driveGradient, and: feedbackWeights.view, keeping: 1)
    }

    /// dL/dW = δₐᵀ r_b, dL/dV = δ_bᵀ rₐ.
    public func addGradient(
        below: MatrixView<Element>?, above: MatrixView<Element>, sent: SentByLayers<Element>,
        rates: UpdateRates<Element>, into accumulator: ConnectionParameters<Element>
    ) {
        accumulator.addForwardGradient(above: above, sentBelow: sent.below, rates: rates)
        if let below, let feedbackWeights = accumulator.feedbackWeights {
            feedbackWeights.view.setToProduct(
                of: below, transposingFirst: true, and: sent.above, scale: rates.weights, keeping: 1)
        }
    }
}
