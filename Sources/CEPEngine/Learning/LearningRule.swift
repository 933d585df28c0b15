import CEPKernels

/// Turns what a network does on a batch into updates of its parameters.
///
/// A rule is also an estimator of the gradient of L = (1/2B) Σ |s_L − y|², the loss at the end of the free phase: its
/// update at learning rate 1 is what it takes for minus that gradient. A new rule is a new conforming type in a file
/// of its own, and a line where the C interface lists rules.
public protocol LearningRule<Element>: Sendable {
    associatedtype Element: KernelScalar

    /// nil for a rule that is only to estimate gradients.
    var learningRates: LearningRates? { get }

    /// - Throws: `EngineError.invalidArgument` where the rule cannot be used with a network.
    func validate(for network: Network<Element>) throws(EngineError)

    /// Runs the batch, whose input is clamped and whose other states are zero, and adds the updates at learning rate
    /// 1, times `rates`, to the accumulators.
    ///
    /// - Parameters:
    ///   - network: The one that learns.
    ///   - batch: Its states, inputs and targets.
    ///   - rates: Of each connection.
    ///   - accumulators: Of each connection: the network's own parameters, or others of the same shapes, in which case
    ///     the network's parameters are in the end as they were.
    ///   - random: Where the rule takes what it leaves to chance.
    ///   - monitor: To be handed to the phases, which it may stop.
    /// - Returns: How the batch was predicted at the end of the free phase.
    /// - Throws: `EngineError.diverged`, `.stopped`, `.outOfMemory`, with the network's parameters as they were.
    func addUpdates(
        of network: Network<Element>, on batch: ClampedBatch<Element>, rates: [UpdateRates<Element>],
        into accumulators: [ConnectionParameters<Element>], random: inout RandomSource, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics
}

/// How fast each connection learns, input first.
public struct LearningRates: Sendable {
    public var weights: [Double]
    public var biases: [Double]

    /// - Parameters:
    ///   - weights: One rate a connection.
    ///   - biases: The same as for weights where not given.
    public init(weights: [Double], biases: [Double]? = nil) {
        self.weights = weights
        self.biases = biases ?? weights
    }

    func validate<Element>(for network: Network<Element>) throws(EngineError) {
        for (name, rates) in [("learning_rates", weights), ("bias_learning_rates", biases)] {
            let connections = network.connections.count
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
        zip(weights, biases).map { UpdateRates(weights: Element($0), biases: Element($1)) }
    }
}

extension LearningRates: ExpressibleByArrayLiteral {
    /// Of weights and biases alike.
    public init(arrayLiteral rates: Double...) { self.init(weights: rates) }
}

extension LearningRule {
    func validateWithRates(for network: Network<Element>) throws(EngineError) {
        try validate(for: network)
        try learningRates?.validate(for: network)
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
