import CEPKernels

/// All units to all units, the same weights up and (transposed) down.
public final class TiedDenseConnection<Element: KernelScalar>: Connection {
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
        parameters = try ConnectionParameters(below: below, above: above, feedback: false)
    }

    public func driveUp(_ below: MatrixView<Element>, into drive: MatrixView<Element>) {
        parameters.driveUp(below, into: drive)
    }

    public func addDriveDown(_ above: MatrixView<Element>, to drive: MatrixView<Element>) {
        drive.setToProduct(of: above, and: parameters.weights.view, keeping: 1)
    }

    public func pack() throws(EngineError) -> PackedConnection<Element> {
        if let packingRoom { return packingRoom.pack(parameters) }
        let room = try PackingRoom(for: parameters)
        packingRoom = room
        return room.pack(parameters)
    }

    public func part(below units: Range<Int>) throws(EngineError) -> any Connection<Element> {
        try TiedDenseConnection(below: units.count, above: parameters.weights.rows, isFromInput: false)
    }

    public func drawn(from layer: LayerState<Element>) -> MatrixView<Element> { layer.sent }

    public func reserve(batch: Int) throws(EngineError) { try room.reserve(rows: 2 * batch, for: parameters) }

    /// ΔW = r (s′ₐᵀ s′_b − sₐᵀ s_b), Δb = r Σ (s′ₐ − sₐ), all of them as sent.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func addUpdate(
        from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>, rates: UpdateRates<Element>,
        into accumulator: ConnectionParameters<Element>
    ) {
        guard let above = room.above, let below = room.below else { return }
        let batch = newer.above.sent.rows
        let difference = above.rows(from: 0, count: batch)
        difference.setToDifference(of: newer.above.sent, and: older.above.sent)
        accumulator.biases.view.addRowSums(of: difference, scale: rates.biases)
        if isFromInput {
            // The layer below does not move: (s′ₐ − sₐ)ᵀ s_b, half the work.
            accumulator.weights.view.addOuterProduct(
                of: difference, and: newer.below.sent, scale: rates.weights)
        } else {
            // (s′ₐ − sₐ)ᵀ s′_b + sₐᵀ (s′_b − s_b) as one product of stacked rows: nothing large cancels.
            above.rows(from: batch, count: batch).copy(from: older.above.sent)
            below.rows(from: 0, count: batch).copy(from: newer.below.sent)
            below.rows(from: batch, count: batch).setToDifference(of: newer.below.sent, and: older.below.sent)
            accumulator.weights.view.addOuterProduct(
                of: above.rows(from: 0, count: 2 * batch), and: below.rows(from: 0, count: 2 * batch),
                scale: rates.weights)
        }
    }

    public func makeMovement(
        from start: JoinedLayers<Element>, steps: Int, rates: UpdateRates<Element>
    ) throws(EngineError) -> any WeightMovement<Element> {
        if isFromInput {
            return try ClampedMovement(from: start, rates: rates, drawingFrom: drawn)
        }
        let (batch, below, above) = (start.above.sent.rows, parameters.weights.columns, parameters.weights.rows)
        // Multiplications a step: a product with the moved rows each way, against writing the weights.
        let telescoping = 2 * Double(2 * batch) * Double(batch) * Double(below + above)
        let weights = Double(below) * Double(above)
        if let place = packingRoom?.weightsInPlace, Double(batch) * weights < telescoping {
            return try TiedInPlaceMovement(of: self, in: place, rates: rates, from: start)
        }
        if let packingRoom, Double(batch + packingCost) * weights < telescoping {
            return try WrittenTiedMovement(of: self, in: packingRoom, rates: rates, from: start)
        }
        return try TelescopedMovement(from: start, rates: rates)
    }

    public func addGradientDown(_ driveGradient: MatrixView<Element>, to sentGradient: MatrixView<Element>) {
        sentGradient.setToProduct(of: driveGradient, and: parameters.weights.view, keeping: 1)
    }

    public func addGradientUp(_ driveGradient: MatrixView<Element>, to sentGradient: MatrixView<Element>) {
        sentGradient.setToProduct(of: driveGradient, and: parameters.weights.view, transposingSecond: true, keeping: 1)
    }

    /// dL/dW = δₐᵀ r_b + rₐᵀ δ_b: the weights drive the layer above, and the one below.
    public func addGradient(
        below: MatrixView<Element>?, above: MatrixView<Element>, sent: SentByLayers<Element>,
        rates: UpdateRates<Element>, into accumulator: ConnectionParameters<Element>
    ) {
        accumulator.addForwardGradient(above: above, sentBelow: sent.below, rates: rates)
        if let below {
            accumulator.weights.view.setToProduct(
                of: sent.above, transposingFirst: true, and: below, scale: rates.weights, keeping: 1)
        }
    }
}
