import CEPKernels
import Glibc

/// Layers joined by connections, in a setting that says how their states move.
public final class Network<Element: KernelScalar> {
    public let configuration: NetworkConfiguration
    /// Connection k joins layer k to layer k + 1.
    public let connections: [any Connection<Element>]
    let setting: any Setting<Element>
    /// The states of the last phase, if there was one.
    public internal(set) var state: NetworkState<Element>?

    /// Draws weights and biases from U(−1/√fan_in, 1/√fan_in).
    public init(_ configuration: NetworkConfiguration) throws(EngineError) {
        try configuration.validate()
        self.configuration = configuration
        setting = makeSetting(configuration)
        let sizes = configuration.sizes
        var connections: [any Connection<Element>] = []
        for (k, (below, above)) in zip(sizes, sizes.dropFirst()).enumerated() {
            switch configuration.feedback {
            case .tied: connections.append(try TiedDenseConnection(below: below, above: above))
            case .untied: connections.append(try UntiedDenseConnection(below: below, above: above, feedback: k > 0))
            }
        }
        self.connections = connections
        drawParameters()
    }

    public var sizes: [Int] { configuration.sizes }
    public var outputSize: Int { sizes[sizes.count - 1] }

    /// A state of zeros for a batch of this size.
    func makeState(batch: Int) throws(EngineError) -> NetworkState<Element> {
        try NetworkState(batch: batch, sizes: sizes, sendsActivation: setting.sendsActivation)
    }

    /// The network's own state, of zeros, for a batch of this size: the memory of the last one where the size is
    /// the same.
    func resetState(batch: Int) throws(EngineError) -> NetworkState<Element> {
        let state: NetworkState<Element>
        if let present = self.state, present.batch == batch {
            state = present
        } else {
            state = try makeState(batch: batch)
        }
        for layer in state.layers.dropFirst() { layer.view.fill(with: 0) }
        self.state = state
        return state
    }

    /// A copy of all parameters.
    func backUpParameters() throws(EngineError) -> [ConnectionParameters<Element>] {
        var copies: [ConnectionParameters<Element>] = []
        for connection in connections {
            let copy = try connection.parameters.zeros()
            copy.copy(from: connection.parameters)
            copies.append(copy)
        }
        return copies
    }

    func restoreParameters(from backup: [ConnectionParameters<Element>]) {
        for (connection, parameters) in zip(connections, backup) { connection.parameters.copy(from: parameters) }
    }

    private func drawParameters() {
        var random = RandomSource(seed: configuration.seed)
        for connection in connections {
            let weights = connection.parameters.weights
            let bound = 1 / Double(weights.columns).squareRoot()
            for parameter in [weights, connection.parameters.biases] {
                for i in 0..<parameter.count {
                    parameter.pointer[i] = Element(bound * (2 * random.uniform() - 1))
                }
            }
        }
        guard case .untied(let angle) = configuration.feedback else { return }
        let flipProbability = (1 - cos(angle * .pi / 180)) / 2
        for connection in connections {
            guard let feedback = connection.parameters.feedbackWeights else { continue }
            let weights = connection.parameters.weights
            for i in 0..<feedback.rows {
                for j in 0..<feedback.columns {
                    let weight = weights.pointer[j * weights.columns + i]
                    feedback.pointer[i * feedback.columns + j] = random.uniform() < flipProbability ? -weight : weight
                }
            }
        }
    }
}
