import CCEP
import CEPEngine
import CEPKernels

/// A network of either number type, as the C interface sees it.
protocol EngineNetwork: AnyObject {
    func array(_ kind: cep_array_kind, at index: Int) throws(EngineError) -> ArrayHandle

    func freePhase(
        _ inputs: SampleMatrix, steps: Int, continuing: Bool, monitor: ProgressMonitor
    ) throws(EngineError) -> PhaseOutcome

    func nudgedPhase(
        _ targets: Targets, beta: Double, steps: Int, monitor: ProgressMonitor
    ) throws(EngineError) -> PhaseOutcome

    func trainBatch(_ samples: Samples, rule: cep_rule, monitor: ProgressMonitor) throws(EngineError) -> Metrics

    func trainEpoch(
        _ samples: Samples, rule: cep_rule, batchSize: Int, shuffleSeed: UInt64, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics

    func evaluate(_ samples: Samples, steps: Int, monitor: ProgressMonitor) throws(EngineError) -> Metrics

    func predict(
        _ inputs: SampleMatrix, steps: Int, monitor: ProgressMonitor, classified: (_ row: Int, _ unit: Int) -> Void
    ) throws(EngineError)
}

extension Network: EngineNetwork {
    func array(_ kind: cep_array_kind, at index: Int) throws(EngineError) -> ArrayHandle {
        switch Int(kind) {
        case CEP_WEIGHTS: ArrayHandle(try parameters(of: index).weights, dimensions: 2)
        case CEP_BIASES: ArrayHandle(try parameters(of: index).biases, dimensions: 1)
        case CEP_FEEDBACK_WEIGHTS: ArrayHandle(try feedbackWeights(of: index), dimensions: 2)
        case CEP_STATES: ArrayHandle(try layer(index), dimensions: 2)
        default: throw .invalidArgument("\(kind) is not a kind of array")
        }
    }

    private func parameters(of connection: Int) throws(EngineError) -> ConnectionParameters<Element> {
        guard connections.indices.contains(connection) else {
            throw .invalidArgument(
                "there is no connection \(connection); the network's connections are 0 to \(connections.count - 1)")
        }
        return connections[connection].parameters
    }

    private func feedbackWeights(of connection: Int) throws(EngineError) -> Matrix<Element> {
        guard let weights = try parameters(of: connection).feedbackWeights else {
            throw .invalidArgument("connection \(connection) has no feedback weights of its own")
        }
        return weights
    }

    private func layer(_ index: Int) throws(EngineError) -> Matrix<Element> {
        guard sizes.indices.contains(index) else {
            throw .invalidArgument("there is no layer \(index); the network's layers are 0 to \(sizes.count - 1)")
        }
        guard let state else { throw .invalidState("there are no states yet: run a free phase first") }
        return state.layers[index]
    }

    func trainBatch(_ samples: Samples, rule: cep_rule, monitor: ProgressMonitor) throws(EngineError) -> Metrics {
        try trainBatch(samples, rule: learningRule(rule), monitor: monitor)
    }

    func trainEpoch(
        _ samples: Samples, rule: cep_rule, batchSize: Int, shuffleSeed: UInt64, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        try trainEpoch(
            samples, rule: learningRule(rule), batchSize: batchSize, shuffleSeed: shuffleSeed, monitor: monitor)
    }

    /// The rules there are.
    private func learningRule(_ rule: cep_rule) throws(EngineError) -> any LearningRule<Element> {
        switch Int(rule.kind) {
        case CEP_RULE_EP: EquilibriumPropagation(try TwoPhases(rule))
        case CEP_RULE_CEP: ContinualEquilibriumPropagation(try TwoPhases(rule))
        default: throw .invalidArgument("\(rule.kind) is not a kind of learning rule")
        }
    }
}
