import CEPKernels

/// What joins one layer to the next: carries states up and down and gradients the other way, and turns them into an
/// update of itself.
///
/// Dynamics, rules and gradients know connections only through this interface; a new kind of connection is a
/// new conforming type.
public protocol Connection<Element>: AnyObject {
    associatedtype Element: KernelScalar

    var parameters: ConnectionParameters<Element> { get }

    /// The drive of the layer above: `drive ← W below + b`.
    func driveUp(_ below: MatrixView<Element>, into drive: MatrixView<Element>)

    /// Adds to the drive of the layer below what the layer above sends back: `drive += Wᵀ above`, or `V above`.
    func addDriveDown(_ above: MatrixView<Element>, to drive: MatrixView<Element>)

    /// Lays the weights out, as they are now, for a phase in which they stay so. What it returns is valid until the
    /// next call.
    func pack() throws(EngineError) -> PackedConnection<Element>

    /// A connection of the same kind from some units of the layer below, itself not the input. Its parameters are zero.
    func part(below units: Range<Int>) throws(EngineError) -> any Connection<Element>

    /// What of the layer above updates are drawn from.
    func drawn(from layer: LayerState<Element>) -> MatrixView<Element>

    /// Makes room for updates drawn from batches of this size.
    func reserve(batch: Int) throws(EngineError)

    /// Adds the update that Equilibrium Propagation draws from two states, an older and a newer one, to
    /// `accumulator`, which has the shape of this connection's parameters and may be them. Room for the batch has
    /// been reserved.
    func addUpdate(
        from older: JoinedLayers<Element>, to newer: JoinedLayers<Element>, rates: UpdateRates<Element>,
        into accumulator: ConnectionParameters<Element>)

    /// How the connection will move in a continual nudged phase. It has been packed for the phase.
    ///
    /// - Parameters:
    ///   - start: The layers as the phase begins.
    ///   - steps: The most the phase takes.
    ///   - rates: With which the connection moves while the phase runs.
    func makeMovement(
        from start: JoinedLayers<Element>, steps: Int, rates: UpdateRates<Element>
    ) throws(EngineError) -> any WeightMovement<Element>

    /// Backwards through `driveUp`: from the gradient of the upper layer's drive, adds to that of what the lower one
    /// sends.
    func addGradientDown(_ driveGradient: MatrixView<Element>, to sentGradient: MatrixView<Element>)

    /// Backwards through `addDriveDown`: from the gradient of the lower layer's drive, adds to that of what the upper
    /// one sends.
    func addGradientUp(_ driveGradient: MatrixView<Element>, to sentGradient: MatrixView<Element>)

    /// Adds the gradient of the parameters, times the rates, to `accumulator`.
    ///
    /// - Parameters:
    ///   - below: The lower layer's drive gradient; nil for the clamped input, which has no drive.
    ///   - above: The upper layer's.
    ///   - sent: What the two layers send.
    ///   - rates: What the gradient is multiplied with.
    ///   - accumulator: What it is added to.
    func addGradient(
        below: MatrixView<Element>?, above: MatrixView<Element>, sent: SentByLayers<Element>,
        rates: UpdateRates<Element>, into accumulator: ConnectionParameters<Element>)
}

/// The numbers a connection learns.
public final class ConnectionParameters<Element: KernelScalar> {
    /// Units above × units below.
    public let weights: Matrix<Element>
    /// 1 × units above.
    public let biases: Matrix<Element>
    /// Units below × units above, where feedback has weights of its own.
    public let feedbackWeights: Matrix<Element>?

    public init(below: Int, above: Int, feedback: Bool) throws(EngineError) {
        weights = try Matrix(rows: above, columns: below)
        biases = try Matrix(rows: 1, columns: above)
        feedbackWeights = feedback ? try Matrix(rows: below, columns: above) : nil
    }

    /// Zeros of the same shapes.
    public func zeros() throws(EngineError) -> ConnectionParameters {
        try ConnectionParameters(below: weights.columns, above: weights.rows, feedback: feedbackWeights != nil)
    }

    public func copy(from other: ConnectionParameters) {
        weights.copy(from: other.weights)
        biases.copy(from: other.biases)
        if let mine = feedbackWeights, let theirs = other.feedbackWeights { mine.copy(from: theirs) }
    }

    func add(_ other: ConnectionParameters, rates: UpdateRates<Element> = UpdateRates(weights: 1, biases: 1)) {
        weights.view.add(other.weights.view, scale: rates.weights)
        biases.view.add(other.biases.view, scale: rates.biases)
        if let mine = feedbackWeights, let theirs = other.feedbackWeights {
            mine.view.add(theirs.view, scale: rates.weights)
        }
    }

    var isFinite: Bool {
        matrices.allSatisfy { firstNonFinite(in: $0.pointer, count: $0.count) == nil }
    }

    func setToZero() {
        for matrix in matrices { matrix.view.setToZero() }
    }

    public var matrices: [Matrix<Element>] { [weights, biases] + (feedbackWeights.map { [$0] } ?? []) }
}

/// One layer at one moment: its state, and what it sends to its neighbours (the same in the prototypical
/// setting, ρ(s) in the real-time one).
public struct LayerState<Element: KernelScalar> {
    public let state: MatrixView<Element>
    public let sent: MatrixView<Element>
}

/// The two layers a connection joins, at one moment.
public struct JoinedLayers<Element: KernelScalar> {
    public let below: LayerState<Element>
    public let above: LayerState<Element>
}

/// What the two layers a connection joins send; rows may be samples, or samples of several steps.
public struct SentByLayers<Element: KernelScalar> {
    public let below: MatrixView<Element>
    public let above: MatrixView<Element>
}

/// What an update is multiplied with before it is added: for weights (forward and feedback) and for biases.
public struct UpdateRates<Element: KernelScalar> {
    public let weights: Element
    public let biases: Element

    public init(weights: Element, biases: Element) {
        self.weights = weights
        self.biases = biases
    }

    static func * (rates: UpdateRates, factor: Element) -> UpdateRates {
        UpdateRates(weights: rates.weights * factor, biases: rates.biases * factor)
    }
}
