import CEPKernels

/// The coupling of two layers: it carries activities forward and back, gradients the other way, and turns two states
/// into an update of its parameters.
///
/// Phases, estimators and optimizers know connections only through this interface. A new kind of connection is one
/// conforming type in its own file. `NamedConnection` makes it available by name.
///
/// The layer nearer to the input is called *below*, the other *above*.
package protocol Connection<Element>: AnyObject {
    associatedtype Element: KernelScalar

    var parameters: ConnectionParameters<Element> { get }

    /// The parameters that products use: `parameters`, except on hardware with noise.
    var productParameters: ConnectionParameters<Element> { get set }

    /// Updates the memory that products use after a change of the parameters. Called before products.
    func prepare() throws(EngineError)

    /// Reserves memory for updates with batches of this size.
    func reserve(batch: Int) throws(EngineError)

    /// `preactivation ← base + W below + b` for some samples. A base of nil is zero. Several threads may call it at
    /// once for different samples.
    ///
    /// - Parameters:
    ///   - below: The activity of the layer below, `rows` × units.
    ///   - rows: Samples.
    ///   - base: `rows` × units above; it may be `preactivation` itself.
    ///   - preactivation: `rows` × units above, to be written.
    ///   - kept: `rows` × `keptCount`, for the feedback of the same step; nil if the connection keeps nothing.
    func forward(
        _ below: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>?,
        into preactivation: UnsafeMutablePointer<Element>, keeping kept: UnsafeMutablePointer<Element>?)

    /// `preactivation ← base + Wᵀ above`, or `base + V above` with feedback weights. Never called for a connection from
    /// the input, which is clamped.
    ///
    /// - Parameters:
    ///   - above: The activity of the layer above, `rows` × units.
    ///   - below: The activity of the layer below, on which the feedback of some connections depends.
    ///   - rows: Samples.
    ///   - base: `rows` × units below; it may be `preactivation` itself.
    ///   - preactivation: `rows` × units below, to be written.
    ///   - kept: The values that `forward` kept for the same `below`; nil if it has not been called.
    func feedback(
        _ above: UnsafePointer<Element>, at below: UnsafePointer<Element>, rows: Int,
        addingTo base: UnsafePointer<Element>, into preactivation: UnsafeMutablePointer<Element>,
        kept: UnsafePointer<Element>?)

    /// The number of values per sample that `forward` keeps for `feedback`.
    var keptCount: Int { get }

    /// The products of a dense connection with packed weights: a fast path that needs no call through this protocol.
    /// nil for others. Valid until the next `prepare`.
    var packed: PackedConnection<Element>? { get }

    /// Adds the update that Equilibrium Propagation derives from an older and a newer state to `accumulator`, which has
    /// the shapes of the parameters and may be the parameters. `reserve` has been called for the batch.
    ///
    /// - Parameter feedback: For connections with feedback weights: which update forward and feedback weights get.
    func addUpdate(
        from older: LayerPair<Element>, to newer: LayerPair<Element>, rates: UpdateRates<Element>,
        feedback: FeedbackUpdate, into accumulator: ConnectionParameters<Element>)

    /// The change of this connection during a continual nudged phase with plain SGD, without writing the weights: a
    /// fast path. If it is nil, the weights are written at every step.
    ///
    /// - Parameters:
    ///   - start: The layers at the start of the phase.
    ///   - steps: The maximum number of steps of the phase.
    ///   - rates: Learning rates divided by βB.
    func makeContinualUpdate(
        from start: LayerPair<Element>, steps: Int, rates: UpdateRates<Element>
    ) throws(EngineError) -> (any ContinualUpdate<Element>)?

    /// Updates the memory that the adjoints use after a change of the parameters. Called before adjoints.
    func prepareAdjoints() throws(EngineError)

    /// The adjoint of `forward`: adds the contribution of a gradient of the preactivation above to the gradient of the
    /// activity below, at the activities of both layers in the same rows.
    func addForwardAdjoint(
        _ preactivationGradient: MatrixView<Element>, at activities: ActivityPair<Element>,
        to activityGradient: MatrixView<Element>)

    /// The adjoint of `feedback`: adds the contribution of a gradient of the preactivation below to the gradient of the
    /// activity above, at the activities of both layers in the same rows.
    func addFeedbackAdjoint(
        _ preactivationGradient: MatrixView<Element>, at activities: ActivityPair<Element>,
        to activityGradient: MatrixView<Element>)

    /// Adds the gradient of the parameters, times the rates, to `accumulator`.
    ///
    /// - Parameters:
    ///   - below: The gradient of the preactivation of the layer below; nil if the layer is the input.
    ///   - above: The same of the layer above.
    ///   - activities: Of both layers, in the same rows: samples, or samples of several steps.
    ///   - rates: The factors of the gradient.
    ///   - accumulator: Values with the shapes of the parameters.
    func addGradient(
        below: MatrixView<Element>?, above: MatrixView<Element>, activities: ActivityPair<Element>,
        rates: UpdateRates<Element>, into accumulator: ConnectionParameters<Element>)

    /// Draws the initial forward parameters.
    func drawParameters(using random: inout RandomSource)

    /// Draws the initial feedback weights, if there are any: the transposed forward weights, the sign of each flipped
    /// with the given probability.
    func drawFeedback(flipProbability: Double, using random: inout RandomSource)

    /// Degrees between the feedback weights and the transposed forward weights: 0 if they are the same.
    func feedbackAngle() -> Double

    /// Multiplications of `forward` and `feedback` together for one sample.
    var multiplications: Int { get }

    /// The number of products per sample that are summed in the update of a weight.
    var terms: Int { get }
}

extension Connection {
    package var packed: PackedConnection<Element>? { nil }
    package var keptCount: Int { 0 }
    package func prepareAdjoints() throws(EngineError) {}
    package var terms: Int { 1 }

    package func makeContinualUpdate(
        from start: LayerPair<Element>, steps: Int, rates: UpdateRates<Element>
    ) throws(EngineError) -> (any ContinualUpdate<Element>)? { nil }

    /// Weights and biases from U(−1/√fan_in, 1/√fan_in).
    package func drawParameters(using random: inout RandomSource) { parameters.draw(using: &random) }
}

/// A kind of connection that options can name.
package protocol NamedConnection<Element> {
    associatedtype Element: KernelScalar

    /// Its name in the option "connection_kinds".
    static var name: String { get }

    /// The shape of a layer of the chain above a layer of the given shape; nil if the word does not determine it.
    ///
    /// - Throws: `EngineError.invalidArgument` for a malformed word, or one that does not fit the layer below.
    static func shape(above kind: ConnectionKind, below: [Int]) throws(EngineError) -> [Int]?

    /// The number of parameters, before memory is allocated for them.
    static func parameterCount(_ place: ConnectionPlace) -> Double

    /// - Throws: `EngineError.invalidArgument` if it cannot join these layers; `.outOfMemory`.
    static func make(_ place: ConnectionPlace) throws(EngineError) -> any Connection<Element>
}

extension KernelScalar {
    /// The kinds of connections. To add one, write a file and add a line here.
    static var connectionKinds: [any NamedConnection<Self>.Type] {
        [
            DenseConnection<Self>.self,
            Convolution<Self>.self,
        ]
    }
}

extension NamedConnection {
    package static func shape(above kind: ConnectionKind, below: [Int]) throws(EngineError) -> [Int]? { nil }

    package static func parameterCount(_ place: ConnectionPlace) -> Double {
        place.weightCopies * Double(place.below.units) * Double(place.above.units)
            + (place.hasBiases ? Double(place.above.units) : 0)
    }
}

/// The position of a connection in a network.
package struct ConnectionPlace {
    let below: Layer
    let above: Layer
    /// Connections outside the chain have no biases: a layer has the biases of the chain.
    let hasBiases: Bool
    /// The input is clamped, so such a connection has no feedback.
    let isFromInput: Bool
    let feedback: Feedback
    /// The word that names its kind, with the kind's parameters.
    let kind: ConnectionKind

    /// The number of copies of the weights: forward, and feedback if there is one.
    var weightCopies: Double { feedback == .tied || isFromInput ? 1 : 2 }
}

extension ConnectionKind {
    /// The type with this name.
    func type<Element: KernelScalar>(_: Element.Type) throws(EngineError) -> any NamedConnection<Element>.Type {
        let kinds = Element.connectionKinds
        guard let kind = kinds.first(where: { $0.name == name }) else {
            throw .invalidArgument(
                "the kind of a connection must be \(kinds.map { $0.name }.joined(separator: " or ")), got \(name)")
        }
        return kind
    }
}

/// A layer at one step: its state, and its activity, which is ρ(s) in the real-time setting and s in the prototypical
/// one.
package struct LayerSnapshot<Element: KernelScalar> {
    package let state: MatrixView<Element>
    package let activity: MatrixView<Element>
}

/// The two layers of a connection at one step.
package struct LayerPair<Element: KernelScalar> {
    package let below: LayerSnapshot<Element>
    package let above: LayerSnapshot<Element>
}

/// The activities of the two layers of a connection. Rows are samples, or samples of several steps.
package struct ActivityPair<Element: KernelScalar> {
    package let below: MatrixView<Element>
    package let above: MatrixView<Element>
}

/// The factors of an update: for weights, biases and feedback weights.
public struct UpdateRates<Element: KernelScalar> {
    /// Of forward weights.
    public let weights: Element
    /// Of biases.
    public let biases: Element
    /// Of feedback weights.
    public let feedback: Element

    /// - Parameters:
    ///   - weights: The factor of weights.
    ///   - biases: The factor of biases.
    ///   - feedback: The factor of feedback weights; that of weights if it is not given.
    public init(weights: Element, biases: Element, feedback: Element? = nil) {
        self.weights = weights
        self.biases = biases
        self.feedback = feedback ?? weights
    }

    /// The same factor for all.
    ///
    /// - Parameter rate: The factor.
    public init(_ rate: Element) { self.init(weights: rate, biases: rate) }

    /// All rates, times a factor.
    public static func * (rates: UpdateRates, factor: Element) -> UpdateRates {
        UpdateRates(
            weights: rates.weights * factor, biases: rates.biases * factor, feedback: rates.feedback * factor)
    }

    /// The largest magnitude.
    var largest: Element { max(weights.magnitude, biases.magnitude, feedback.magnitude) }
}
