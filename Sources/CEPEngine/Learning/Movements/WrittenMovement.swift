import CEPKernels

// Of connections so small, or batches so large, that a moved copy of the weights is cheaper than anything else: the copy
// is laid out anew after each step, in the memory that the phase multiplies with, so that drives need nothing more.

/// Of a tied connection: W(t) = (W(0) − r s(0)ᵀ s(0)) + r s(t)ᵀ s(t).
final class WrittenTiedMovement<Element: KernelScalar>: WeightMovement {
    private let connection: TiedDenseConnection<Element>
    private let room: PackingRoom<Element>
    private let rates: UpdateRates<Element>
    private let start: JoinedLayers<Element>
    private var present: JoinedLayers<Element>
    /// What the present state is added to.
    private let base: ConnectionParameters<Element>
    /// A copy for each part: to compute it twice costs less than to wait for it.
    private let moved: [ConnectionParameters<Element>]

    /// What drives the layer above, and the one below.
    var batchParts: Int { room.parts }

    init(
        of connection: TiedDenseConnection<Element>, in room: PackingRoom<Element>, rates: UpdateRates<Element>,
        from start: JoinedLayers<Element>
    ) throws(EngineError) {
        self.connection = connection
        self.room = room
        self.rates = rates
        self.start = start
        present = start
        let parameters = connection.parameters
        base = try parameters.zeros()
        moved = [try parameters.zeros(), try parameters.zeros()]
        base.copy(from: parameters)
        base.addProducts(of: start, rates: rates * -1)
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordBatch(part: Int, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
        moved[part].copy(from: base)
        moved[part].addProducts(of: newer, rates: rates)
        if part == 0 {
            present = newer
            room.packUp(moved[part])
        } else {
            room.packDown(moved[part])
        }
    }

    /// From differences, in which nothing large cancels.
    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        connection.addUpdate(from: start, to: present, rates: rates, into: accumulator)
    }
}

/// Of an untied connection: W(t) = W(0) + r Σ (s(t+1) − s(t))ᵀ r(t), and the same of the feedback weights.
final class WrittenUntiedMovement<Element: KernelScalar>: WeightMovement {
    private let connection: UntiedDenseConnection<Element>
    private let room: PackingRoom<Element>
    private let rates: UpdateRates<Element>
    /// Of the updates of all steps, at rate 1.
    private let sum: ConnectionParameters<Element>
    private let moved: ConnectionParameters<Element>

    var comparesSteps: Bool { true }
    /// Forward and feedback weights.
    var batchParts: Int { 2 }

    init(
        of connection: UntiedDenseConnection<Element>, in room: PackingRoom<Element>, rates: UpdateRates<Element>
    ) throws(EngineError) {
        self.connection = connection
        self.room = room
        self.rates = rates
        sum = try connection.parameters.zeros()
        moved = try connection.parameters.zeros()
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func recordBatch(part: Int, from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>) {
        let unit = UpdateRates<Element>(weights: 1, biases: 1)
        let parameters = connection.parameters
        if part == 0 {
            connection.addForwardUpdate(from: older, to: newer, rates: unit, into: sum)
            moved.weights.view.setToSum(of: parameters.weights.view, and: sum.weights.view, scale: rates.weights)
            moved.biases.view.setToSum(of: parameters.biases.view, and: sum.biases.view, scale: rates.biases)
            room.packUp(moved)
        } else if let weights = moved.feedbackWeights?.view, let start = parameters.feedbackWeights?.view,
            let sums = sum.feedbackWeights?.view
        {
            connection.addFeedbackUpdate(from: older, to: newer, rates: unit, into: sum)
            weights.setToSum(of: start, and: sums, scale: rates.weights)
            room.packDown(moved)
        }
    }

    func add(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        accumulator.add(sum, rates: rates)
    }
}
