import CEPKernels

/// An estimator of the gradient of the loss L at the end of the free phase (the mean over the batch), with learning
/// rates and an optimizer.
///
/// A new rule is one conforming type in its own file, here or in another package. `NamedRule` makes it available to C
/// and Python by its name.
public protocol LearningRule<Element>: Sendable {
    associatedtype Element: KernelScalar

    /// nil for a rule that only estimates gradients.
    var learningRates: LearningRates? { get }

    /// Turns gradients into changes of parameters. Plain SGD by default.
    var optimizer: any Optimizer { get }

    /// Whether the rule updates the parameters itself, with its optimizer, while the batch runs.
    var isContinual: Bool { get }

    /// - Throws: `EngineError.invalidArgument` if the rule cannot be used with a network.
    func validate(for network: Network<Element>) throws(EngineError)

    /// Runs the batch, whose input is clamped and whose other states are zero, and adds the negative of the estimated
    /// gradient, times `rates`, to the accumulators.
    ///
    /// - Parameters:
    ///   - network: The network that learns.
    ///   - batch: Its states, inputs and targets.
    ///   - rates: One for each set of the network's parameters.
    ///   - accumulators: The network's own parameters, or others of the same shapes. In the latter case the network's
    ///     parameters are unchanged after the call.
    ///   - random: The source of random signs.
    ///   - monitor: Is passed to the phases, and may stop them.
    /// - Returns: Errors and loss of the batch at the end of the free phase.
    /// - Throws: `EngineError.diverged`, `.stopped`, `.outOfMemory`, with the network's parameters as they were.
    func addUpdates(
        of network: Network<Element>, on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics
}

extension LearningRule {
    public var optimizer: any Optimizer { SGD() }
    public var isContinual: Bool { false }
}

/// The learning rate of each connection, in the order of `Network.parameters`.
public struct LearningRates: Sendable {
    /// Of weights.
    public var weights: [Double]
    /// Of biases.
    public var biases: [Double]
    /// Of feedback weights; 0 keeps them as they are.
    public var feedback: [Double]

    /// - Parameters:
    ///   - weights: One rate for each connection.
    ///   - biases: Default: the rates of the weights.
    ///   - feedback: Default: the rates of the weights.
    public init(weights: [Double], biases: [Double]? = nil, feedback: [Double]? = nil) {
        self.weights = weights
        self.biases = biases ?? weights
        self.feedback = feedback ?? weights
    }

    func validate<Element>(for network: Network<Element>) throws(EngineError) {
        for (name, rates) in [
            ("learning_rates", weights), ("bias_learning_rates", biases), ("feedback_learning_rates", feedback),
        ] {
            let connections = network.parameters.count
            guard rates.count == connections else {
                throw .invalidArgument(
                    "\(name) has \(rates.count) values; the network has \(connections) connections "
                        + "(one rate each, input first)")
            }
            if let k = rates.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
                throw .invalidArgument("\(name)[\(k)] is \(rates[k]); expected a finite number, 0 or more")
            }
            if let k = rates.firstIndex(where: { !Element($0).isFinite }) {
                throw .invalidArgument("\(name)[\(k)] is \(rates[k]), which the network's dtype cannot hold")
            }
        }
    }

    func rates<Element>() -> [UpdateRates<Element>] {
        weights.indices.map {
            UpdateRates(weights: Element(weights[$0]), biases: Element(biases[$0]), feedback: Element(feedback[$0]))
        }
    }
}

extension LearningRates: ExpressibleByArrayLiteral {
    /// Of weights and biases alike.
    public init(arrayLiteral rates: Double...) { self.init(weights: rates) }
}

extension LearningRule {
    /// - Throws: `EngineError.invalidArgument` if the rule cannot train the network.
    package func validateWithRates(for network: Network<Element>) throws(EngineError) {
        try validate(for: network)
        try learningRates?.validate(for: network)
        try optimizer.validate(for: network)
    }
}

func validateSteps(_ steps: Int, name: String) throws(EngineError) {
    guard steps >= 1 else { throw .invalidArgument("\(name) must be 1 or more, got \(steps)") }
}

func validateBeta<Element: KernelScalar>(_ beta: Double, as type: Element.Type) throws(EngineError) {
    guard beta.isFinite, beta != 0 else { throw .invalidArgument("beta must be finite and not 0, got \(beta)") }
    guard type.init(beta).isNormal else {
        throw .invalidArgument("beta is \(beta), which the network's dtype cannot hold")
    }
}
