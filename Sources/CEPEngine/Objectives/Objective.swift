import CEPKernels

/// What a network is trained for: scores, loss, and the pull −∂L/∂s that nudges a layer.
///
/// A new objective is one conforming type in its own file. `NamedObjective` makes it available by name.
package protocol Objective<Element>: Sendable {
    associatedtype Element: KernelScalar

    /// The number of scores of a sample: classes or target values.
    var classes: Int { get }

    /// The scores of some samples. The largest score names the class.
    ///
    /// - Parameters:
    ///   - states: Of the last layer, `rows` × units.
    ///   - rows: Samples.
    ///   - scores: `rows` × classes, to be written.
    func score(_ states: UnsafePointer<Element>, rows: Int, into scores: UnsafeMutablePointer<Element>)

    /// The loss of each sample, summed, from the scores.
    func loss(scores: MatrixView<Element>, targets: MatrixView<Element>) -> Double

    /// The negative derivative of the loss of each sample with respect to the state of the last layer. Several threads
    /// may call it at once for different samples.
    ///
    /// - Parameters:
    ///   - states: Of the last layer, `rows` × units.
    ///   - rows: Samples.
    ///   - targets: `rows` × classes.
    ///   - scores: Memory for `rows` × classes values.
    ///   - pull: `rows` × units, to be written.
    func pull(
        _ states: UnsafePointer<Element>, rows: Int, targets: UnsafePointer<Element>,
        scores: UnsafeMutablePointer<Element>, into pull: UnsafeMutablePointer<Element>)

    /// The objective's own parameters; nil if it has none.
    var parameters: ConnectionParameters<Element>? { get }

    /// Sets the parameters that scores are computed with from now on, in place of the objective's own.
    func setProductParameters(_ parameters: ConnectionParameters<Element>)

    /// Adds the gradient of the mean loss with respect to the objective's own parameters, times the rates.
    func addGradient(
        _ states: MatrixView<Element>, targets: MatrixView<Element>, rates: UpdateRates<Element>,
        into accumulator: ConnectionParameters<Element>) throws(EngineError)
}

extension Objective {
    package var parameters: ConnectionParameters<Element>? { nil }
    package func setProductParameters(_ parameters: ConnectionParameters<Element>) {}

    package func addGradient(
        _ states: MatrixView<Element>, targets: MatrixView<Element>, rates: UpdateRates<Element>,
        into accumulator: ConnectionParameters<Element>
    ) throws(EngineError) {}
}

/// An objective on the output layer with a name in options and one score per unit.
package protocol NamedObjective<Element>: Objective {
    /// Its name in the option "loss".
    static var name: String { get }

    /// The activation that the output layer must have; nil for any.
    static var outputActivation: Activation? { get }

    /// - Parameter classes: Units of the output layer.
    init(classes: Int)
}

extension KernelScalar {
    /// The objectives on the output layer. To add one, write a file and add a line here.
    static var objectives: [any NamedObjective<Self>.Type] {
        [
            SquaredError<Self>.self,
            CrossEntropy<Self>.self,
        ]
    }
}

/// What a network is trained for.
public enum ObjectiveKind: Sendable, Equatable {
    /// A loss of the output layer.
    case output(Loss)
    /// Cross-entropy of softmax(W s_L + b), scores outside the dynamics.
    case readout(classes: Int)

    /// L = ½ ‖s_L − y‖².
    public static let squaredError = ObjectiveKind.output(.squaredError)
    /// L = −Σ y log softmax(s_L), on a linear output layer.
    public static let crossEntropy = ObjectiveKind.output(.crossEntropy)

    /// The classes of a readout; nil without one.
    public var readoutClasses: Int? { if case .readout(let classes) = self { classes } else { nil } }

    var defaultNudging: Nudging { readoutClasses == nil ? .outside : .inside }

    func validate(for configuration: NetworkConfiguration) throws(EngineError) {
        if case .readout = self, configuration.setting == .prototypical, configuration.nudging == .outside {
            throw .invalidArgument(
                "nudging is outside, with a readout: expected inside, because its pull is a preactivation of the last "
                    + "hidden layer")
        }
        if case .output(let loss) = self, let activation = try loss.objective(Double.self).outputActivation,
            let output = configuration.layers.last, output.activation != activation
        {
            throw .invalidArgument(
                "\(loss.rawValue) needs the activation \(activation.rawValue) on the output layer, got "
                    + output.activation.rawValue)
        }
    }

    func make<Element: KernelScalar>(units: Int) throws(EngineError) -> any Objective<Element> {
        switch self {
        case .output(let loss): try loss.objective(Element.self).init(classes: units)
        case .readout(let classes): try SoftmaxReadout(units: units, classes: classes)
        }
    }
}

/// The loss that a network without a readout is trained with, by its name.
public struct Loss: RawRepresentable, Sendable, Hashable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let squaredError = Loss(rawValue: "squared_error")
    public static let crossEntropy = Loss(rawValue: "cross_entropy")

    /// The objective of this name.
    func objective<Element: KernelScalar>(
        _: Element.Type
    ) throws(EngineError) -> any NamedObjective<Element>.Type {
        let objectives = Element.objectives
        guard let objective = objectives.first(where: { $0.name == rawValue }) else {
            throw .invalidArgument(
                "loss must be \(objectives.map { $0.name }.joined(separator: " or ")), got \(rawValue)")
        }
        return objective
    }
}

/// Where the pull acts in the prototypical setting.
public enum Nudging: String, Sendable, CaseIterable {
    /// s ← σ(a) + β·pull (Ernoult et al.).
    case outside
    /// s ← σ(a + β·pull) (Laborieux et al.).
    case inside
}

/// The nudging of a phase: towards a target, with strength β.
package struct Nudge<Element: KernelScalar> {
    /// Batch × classes.
    package let target: Matrix<Element>
    /// Has a fixed size, so that the layout of this type does not depend on the number type.
    private let strength: Double

    package init(target: Matrix<Element>, beta: Element) {
        self.target = target
        strength = Double(beta)
    }

    package var beta: Element { Element(strength) }
}
