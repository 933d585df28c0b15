import CEPKernels

/// Turns a gradient into a change of each parameter.
///
/// A new optimizer is one conforming type in its own file, here or in another package. `NamedOptimizer` makes it
/// available to C and Python by its name.
public protocol Optimizer: Sendable {
    /// Its name in files and in the C interface, different from those of other optimizers.
    static var name: String { get }

    /// The names of the values that are kept for each parameter between updates.
    var stateNames: [String] { get }

    /// λ, one for all connections or one for each: λθ is added to the gradient.
    var weightDecay: [Double] { get }

    /// - Throws: `EngineError.invalidArgument` for an option out of its range.
    func validate() throws(EngineError)

    /// Changes some parameters.
    ///
    /// - Parameters:
    ///   - parameters: `count` values, to be changed.
    ///   - gradient: The gradient of the loss.
    ///   - count: The number of values.
    ///   - rate: The learning rate.
    ///   - decay: The weight decay.
    ///   - state: The values kept between updates, in the order of `stateNames`.
    ///   - step: 1 at the first update.
    func update<Element: KernelScalar>(
        _ parameters: UnsafeMutablePointer<Element>, gradient: UnsafePointer<Element>, count: Int, rate: Double,
        decay: Double, state: [UnsafeMutablePointer<Element>], step: Int)
}

/// An optimizer with a name in options.
package protocol NamedOptimizer: Optimizer {
    /// Takes the options of the optimizer out of `options`.
    init(_ options: inout Options) throws(EngineError)
}

/// The optimizers. To add one, write a file and add a line here.
let optimizers: [any NamedOptimizer.Type] = [
    SGD.self,
    Adam.self,
]

extension Optimizer {
    var name: String { Self.name }

    /// Whether an update only adds a multiple of the gradient, as plain SGD does. Estimators then add to the parameters
    /// directly.
    var isPlain: Bool { self is SGD && stateNames.isEmpty && weightDecay.allSatisfy { $0 == 0 } }

    func validate<Element>(for network: Network<Element>) throws(EngineError) {
        try validate()
        guard [0, 1, network.parameters.count].contains(weightDecay.count) else {
            throw .invalidArgument(
                "weight_decay has \(weightDecay.count) values; expected one, or one for each of the network's "
                    + "\(network.parameters.count) connections")
        }
        if let decay = weightDecay.first(where: { !($0 >= 0 && $0.isFinite) }) {
            throw .invalidArgument("weight_decay must be finite and 0 or more, got \(decay)")
        }
    }

    func decay(of connection: Int) -> Double {
        weightDecay.isEmpty ? 0 : weightDecay[weightDecay.count == 1 ? 0 : connection]
    }
}

/// The values that an optimizer keeps between updates: zeros at first.
public final class OptimizerState<Element: KernelScalar> {
    /// The optimizer's name.
    public let name: String
    /// Updates made.
    public package(set) var steps = 0
    /// By name, then by connection.
    public let values: [(name: String, parameters: [ConnectionParameters<Element>])]

    init(of optimizer: any Optimizer, for network: Network<Element>) throws(EngineError) {
        name = optimizer.name
        var values: [(name: String, parameters: [ConnectionParameters<Element>])] = []
        for name in optimizer.stateNames { values.append((name, try network.zeroParameters())) }
        self.values = values
    }

    private init(copying other: OptimizerState) throws(EngineError) {
        name = other.name
        steps = other.steps
        var values: [(name: String, parameters: [ConnectionParameters<Element>])] = []
        for (name, theirs) in other.values {
            var copies: [ConnectionParameters<Element>] = []
            for each in theirs {
                let copy = try each.zeros()
                copy.copy(from: each)
                copies.append(copy)
            }
            values.append((name, copies))
        }
        self.values = values
    }

    func copied() throws(EngineError) -> OptimizerState { try OptimizerState(copying: self) }

    /// Copies the values of another state of the same optimizer.
    func restore(from backup: OptimizerState) {
        steps = backup.steps
        for (mine, theirs) in zip(values, backup.values) {
            for (each, saved) in zip(mine.parameters, theirs.parameters) { each.copy(from: saved) }
        }
    }
}

extension Network {
    /// The state of an optimizer: that of the last update, or zeros if another optimizer made it.
    ///
    /// - Throws: `EngineError.outOfMemory`.
    @discardableResult
    package func prepareState(of optimizer: any Optimizer) throws(EngineError) -> OptimizerState<Element> {
        if let optimizerState, optimizerState.name == optimizer.name,
            optimizerState.values.map({ $0.name }) == optimizer.stateNames
        {
            return optimizerState
        }
        let state = try OptimizerState(of: optimizer, for: self)
        optimizerState = state
        return state
    }

    /// Updates some sets of parameters by an optimizer. Ideal synapses make the change that it requests.
    func update(
        _ indices: [Int], by optimizer: any Optimizer, gradient: [ConnectionParameters<Element>], rates: LearningRates,
        state: OptimizerState<Element>
    ) {
        for k in indices {
            for (place, tensor) in parameters[k].tensors.enumerated() {
                let rate =
                    switch tensor.kind {
                    case .weights: rates.weights[k]
                    case .biases: rates.biases[k]
                    case .feedback: rates.feedback[k]
                    }
                func update(_ values: UnsafeMutablePointer<Element>) {
                    optimizer.update(
                        values, gradient: gradient[k].tensors[place].values.pointer, count: tensor.values.count,
                        rate: rate, decay: optimizer.decay(of: k),
                        state: state.values.map { $0.parameters[k].tensors[place].values.pointer },
                        step: state.steps + 1)
                }
                if let synapses = hardware?.synapses[k][place] {
                    synapses.write(update)
                } else {
                    update(tensor.values.pointer)
                }
            }
        }
    }
}
