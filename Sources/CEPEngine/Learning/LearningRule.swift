import CEPKernels

/// Turns what a network does on a batch into updates of its parameters.
///
/// A new rule is a new conforming type, and a line where the C interface lists rules.
public protocol LearningRule<Element>: Sendable {
    associatedtype Element: KernelScalar

    /// - Throws: `EngineError.invalidArgument` where the rule cannot be used with a network.
    func validate(for configuration: NetworkConfiguration) throws(EngineError)

    /// Learns from a batch whose input is clamped and whose other states are zero.
    ///
    /// - Returns: How the batch was predicted at the end of the free phase.
    /// - Throws: `EngineError.diverged`, `.stopped`, `.outOfMemory`, with the parameters as they were.
    func train(
        _ network: Network<Element>, on batch: ClampedBatch<Element>, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics
}

/// The two phases that Equilibrium Propagation, continual or not, consists of, and how fast it learns from them.
public struct TwoPhases: Sendable {
    public var freeSteps: Int
    public var nudgedSteps: Int
    public var beta: Double
    /// Of each connection, input first.
    public var learningRates: [Double]

    public init(freeSteps: Int, nudgedSteps: Int, beta: Double, learningRates: [Double]) {
        self.freeSteps = freeSteps
        self.nudgedSteps = nudgedSteps
        self.beta = beta
        self.learningRates = learningRates
    }

    func validate(for configuration: NetworkConfiguration) throws(EngineError) {
        try validateSteps(freeSteps, name: "free_steps")
        try validateSteps(nudgedSteps, name: "nudged_steps")
        try validateBeta(beta)
        let connections = configuration.sizes.count - 1
        guard learningRates.count == connections else {
            throw .invalidArgument(
                "learning_rates has \(learningRates.count) values; the network has \(connections) connections "
                    + "(one rate each, input first)")
        }
        if let k = learningRates.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
            throw .invalidArgument("learning_rates[\(k)] is \(learningRates[k]); expected a finite number, 0 or more")
        }
    }

    /// η / (βB): what the difference of two states is multiplied with.
    func rates<Element>(of connection: Int, batch: Int) -> UpdateRates<Element> {
        let rate = Element(learningRates[connection] / (beta * Double(batch)))
        return UpdateRates(weights: rate, biases: rate)
    }
}

func validateSteps(_ steps: Int, name: String) throws(EngineError) {
    guard steps >= 1 else { throw .invalidArgument("\(name) must be 1 or more, got \(steps)") }
}

func validateBeta(_ beta: Double) throws(EngineError) {
    guard beta.isFinite, beta != 0 else { throw .invalidArgument("beta must be finite and not 0, got \(beta)") }
}
