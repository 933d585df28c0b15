import CEPKernels

/// The coupling of two layers: it carries activities forward and back, gradients the other way, and turns two states
/// into an update of its parameters.
///
/// Phases, estimators and optimizers know connections only through this interface. A new kind of connection is one
/// conforming type in a file of its own. `NamedConnection` makes it available by name.
///
/// The layer nearer to the input is called *below*, the other *above*.
package protocol Connection<Element>: AnyObject {
    associatedtype Element: KernelScalar

    var parameters: ConnectionParameters<Element> { get }

    /// The parameters that products are taken with: `parameters`, except on hardware that reads others.
    var productParameters: ConnectionParameters<Element> { get set }

    /// Brings whatever products use up to date with the parameters. Called before products wherever parameters may have
    /// changed.
    func prepare() throws(EngineError)

    /// Reserves memory for updates of batches of this size.
    func reserve(batch: Int) throws(EngineError)

    /// `preactivation ← base + W below + b` for some samples. Where `base` is nil, it is zero. May be called by several
    /// threads at once, for different samples.
    ///
    /// - Parameters:
    ///   - below: The activity of the layer below, `rows` × units.
    ///   - rows: Samples.
    ///   - base: `rows` × units above; it may be `preactivation` itself.
    ///   - preactivation: `rows` × units above, to be written.
    ///   - kept: `rows` × `keptCount`, for the feedback of the same step; nil where there is none.
    func forward(
        _ below: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>?,
        into preactivation: UnsafeMutablePointer<Element>, keeping kept: UnsafeMutablePointer<Element>?)

    /// `preactivation ← base + Wᵀ above`, or `base + V above` with feedback weights. Never called for a connection from
    /// the input, which is clamped.
    ///
    /// - Parameters:
    ///   - above: The activity of the layer above, `rows` × units.
    ///   - below: That of the layer below, on which the feedback of some connections depends.
    ///   - rows: Samples.
    ///   - base: `rows` × units below; it may be `preactivation` itself.
    ///   - preactivation: `rows` × units below, to be written.
    ///   - kept: What `forward` has kept of the same `below`; nil where it has not been called.
    func feedback(
        _ above: UnsafePointer<Element>, at below: UnsafePointer<Element>, rows: Int,
        addingTo base: UnsafePointer<Element>, into preactivation: UnsafeMutablePointer<Element>,
        kept: UnsafePointer<Element>?)

    /// How many numbers of each sample `forward` keeps for `feedback`.
    var keptCount: Int { get }

    /// The products above for a dense connection whose weights are packed: a fast path that needs no call through this
    /// protocol. nil otherwise. Valid until the next `prepare`.
    var packed: PackedConnection<Element>? { get }

    /// Adds the update that Equilibrium Propagation derives from an older and a newer state to `accumulator`, which has
    /// the shapes of the parameters and may be the parameters. The batch has been reserved.
    ///
    /// - Parameter feedback: With feedback weights, which update they and the forward weights get.
    func addUpdate(
        from older: LayerPair<Element>, to newer: LayerPair<Element>, rates: UpdateRates<Element>,
        feedback: FeedbackUpdate, into accumulator: ConnectionParameters<Element>)

    /// The change of this connection during a continual nudged phase with plain SGD, in a form that needs no writing of
    /// weights: a fast path. nil where there is none; then the weights are written at every step.
    ///
    /// - Parameters:
    ///   - start: The layers at the start of the phase.
    ///   - steps: The most steps the phase takes.
    ///   - rates: Learning rates divided by βB.
    func makeContinualUpdate(
        from start: LayerPair<Element>, steps: Int, rates: UpdateRates<Element>
    ) throws(EngineError) -> (any ContinualUpdate<Element>)?

    /// Brings what the adjoints use up to date with the parameters. Called before adjoints wherever parameters may have
    /// changed.
    func prepareAdjoints() throws(EngineError)

    /// The adjoint of `forward`: adds what a gradient of the preactivation above contributes to that of the activity
    /// below, at the activities of both layers in the same rows.
    func addForwardAdjoint(
        _ preactivationGradient: MatrixView<Element>, at activities: ActivityPair<Element>,
        to activityGradient: MatrixView<Element>)

    /// The adjoint of `feedback`: adds what a gradient of the preactivation below contributes to that of the activity
    /// above, at the activities of both layers in the same rows.
    func addFeedbackAdjoint(
        _ preactivationGradient: MatrixView<Element>, at activities: ActivityPair<Element>,
        to activityGradient: MatrixView<Element>)

    /// Adds the gradient of the parameters, times the rates, to `accumulator`.
    ///
    /// - Parameters:
    ///   - below: The gradient of the preactivation of the layer below; nil if that is the input.
    ///   - above: The same of the layer above.
    ///   - activities: Of both layers, in the same rows: samples, or samples of several steps.
    ///   - rates: What the gradient is multiplied by.
    ///   - accumulator: Numbers of the shapes of the parameters.
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

    /// Of how many products of one sample the update of a weight is a sum.
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

    /// The shape of a layer in the chain that the word of a kind describes, above a layer of the given shape; nil if the
    /// word does not.
    ///
    /// - Throws: `EngineError.invalidArgument` for a word that is not as it should be, or does not go with the layer below.
    static func shape(above kind: ConnectionKind, below: [Int]) throws(EngineError) -> [Int]?

    /// The number of parameters, before there is memory for them.
    static func parameterCount(_ place: ConnectionPlace) -> Double

    /// - Throws: `EngineError.invalidArgument` if it cannot join these layers; `.outOfMemory`.
    static func make(_ place: ConnectionPlace) throws(EngineError) -> any Connection<Element>
}

extension KernelScalar {
    /// The kinds of connections. A new one is a file of its own and a line here.
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

/// Where a connection stands in a network.
package struct ConnectionPlace {
    let below: Layer
    let above: Layer
    /// Connections beside the chain have none: a layer has the biases of the chain.
    let hasBiases: Bool
    /// Then there is no feedback, because the input is clamped.
    let isFromInput: Bool
    let feedback: Feedback
    /// The word that names its kind, with what that needs to know.
    let kind: ConnectionKind

    /// Forward weights, and feedback weights if there are any.
    var weightCopies: Double { feedback == .tied || isFromInput ? 1 : 2 }
}

extension ConnectionKind {
    /// The type that its name stands for.
    func type<Element: KernelScalar>(_: Element.Type) throws(EngineError) -> any NamedConnection<Element>.Type {
        let kinds = Element.connectionKinds
        guard let kind = kinds.first(where: { $0.name == name }) else {
            throw .invalidArgument(
                "the kind of a connection must be \(kinds.map { $0.name }.joined(separator: " or ")), got \(name)")
        }
        return kind
    }
}

/// A layer at one moment: its state, and its activity, which is ρ(s) in the real-time setting and s itself in the
/// prototypical one.
package struct LayerSnapshot<Element: KernelScalar> {
    package let state: MatrixView<Element>
    package let activity: MatrixView<Element>
}

/// The two layers of a connection at one moment.
package struct LayerPair<Element: KernelScalar> {
    package let below: LayerSnapshot<Element>
    package let above: LayerSnapshot<Element>
}

/// The activities of the two layers of a connection. Rows are samples, or samples of several steps.
package struct ActivityPair<Element: KernelScalar> {
    package let below: MatrixView<Element>
    package let above: MatrixView<Element>
}

/// What an update is multiplied by before it is added: for weights, biases and feedback weights.
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
