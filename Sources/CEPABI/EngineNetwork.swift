import CCEP
import CEPEngine
import CEPKernels

/// A network of either number type, as the C interface sees it.
protocol EngineNetwork: AnyObject {
    /// What arrays of its parameters reach into: always the same.
    var parameterMemory: [Range<UInt>] { get }

    /// Calls `body` with what arrays of its present states reach into.
    func forEachLayer(_ body: (Range<UInt>) throws(EngineError) -> Void) throws(EngineError)

    /// What rules draw from in batches of the caller's.
    var random: RandomSource { get set }

    /// Prepares the state of a rule's optimizer: zeros, unless it is there.
    func prepareOptimizer(of rule: RuleArgument) throws(EngineError)

    /// The name of the optimizer whose state there is, and its updates; nil if there is none.
    var optimizerSummary: (name: String, steps: Int)? { get }

    /// - Throws: `EngineError.invalidState` if there is no state of an optimizer.
    func setOptimizerSteps(_ steps: Int) throws(EngineError)

    func optimizerArray(_ name: String, _ kind: cep_array_kind, at index: Int) throws(EngineError) -> ArrayHandle

    func array(_ kind: cep_array_kind, at index: Int) throws(EngineError) -> ArrayHandle

    /// In memory of its own.
    func copied() throws(EngineError) -> Self

    func freePhase(
        _ inputs: SampleMatrix, steps: Int, continuing: Bool, monitor: ProgressMonitor
    ) throws(EngineError) -> PhaseOutcome

    func nudgedPhase(
        _ targets: Targets, beta: Double, steps: Int, monitor: ProgressMonitor
    ) throws(EngineError) -> PhaseOutcome

    func trainBatch(_ samples: Samples, rule: RuleArgument, monitor: ProgressMonitor) throws(EngineError) -> Metrics

    func trainEpoch(
        _ samples: Samples, rule: RuleArgument, batchSize: Int, shuffleSeed: UInt64, part: EpochPart,
        monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics

    func gradient(
        _ samples: Samples, estimator: RuleArgument, monitor: ProgressMonitor
    ) throws(EngineError) -> (GradientHandle, Metrics)

    func theorem(
        _ samples: Samples, _ conditions: TheoremConditions, monitor: ProgressMonitor
    ) throws(EngineError) -> TheoremHandle

    func energy() throws(EngineError) -> Matrix<Double>

    func feedbackAngle(of index: Int) throws(EngineError) -> Double

    func check(_ samples: Samples) throws(EngineError)

    func evaluate(_ samples: Samples, steps: Int, monitor: ProgressMonitor) throws(EngineError) -> Metrics

    func predict(_ inputs: SampleMatrix, steps: Int, monitor: ProgressMonitor) throws(EngineError) -> [Int]
}

extension Network: EngineNetwork {
    func array(_ kind: cep_array_kind, at index: Int) throws(EngineError) -> ArrayHandle {
        guard Int(kind) == CEP_STATES else { return try parameters.array(kind, at: index) }
        try checkLayer(index, of: configuration.layers.count)
        guard let state else { throw .invalidState("there are no states yet: run a free phase first") }
        return try state.array(at: index)
    }

    var parameterMemory: [Range<UInt>] { parameters.flatMap { $0.matrices }.map { $0.memory } }

    func forEachLayer(_ body: (Range<UInt>) throws(EngineError) -> Void) throws(EngineError) {
        guard let state else { return }
        for layer in state.layers { try body(layer.memory) }
    }

    func trainBatch(_ samples: Samples, rule: RuleArgument, monitor: ProgressMonitor) throws(EngineError) -> Metrics {
        try trainBatch(samples, rule: learningRule(rule), monitor: monitor)
    }

    func trainEpoch(
        _ samples: Samples, rule: RuleArgument, batchSize: Int, shuffleSeed: UInt64, part: EpochPart,
        monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        try trainEpoch(
            samples, rule: learningRule(rule), batchSize: batchSize, shuffleSeed: shuffleSeed, part: part,
            monitor: monitor)
    }

    func gradient(
        _ samples: Samples, estimator: RuleArgument, monitor: ProgressMonitor
    ) throws(EngineError) -> (GradientHandle, Metrics) {
        let estimate = try gradient(samples, estimator: learningRule(estimator), monitor: monitor)
        let gradient = estimate.connections
        return (
            GradientHandle { (kind, index) throws(EngineError) in try gradient.array(kind, at: index) },
            estimate.metrics
        )
    }

    func theorem(
        _ samples: Samples, _ conditions: TheoremConditions, monitor: ProgressMonitor
    ) throws(EngineError) -> TheoremHandle {
        // In float64 always: what a small beta does to float32 states is mostly rounding.
        let network = try Network<Double>(converting: self)
        return TheoremHandle(try network.checkTheorem(samples, conditions, monitor: monitor))
    }

    func check(_ samples: Samples) throws(EngineError) { try samples.validate(for: self) }

    func prepareOptimizer(of rule: RuleArgument) throws(EngineError) {
        let rule = try learningRule(rule)
        try rule.validateWithRates(for: self)
        try prepareState(of: rule.optimizer)
    }

    var optimizerSummary: (name: String, steps: Int)? { optimizerState.map { ($0.name, $0.steps) } }

    func setOptimizerSteps(_ steps: Int) throws(EngineError) { try presentOptimizerState().steps = steps }

    func optimizerArray(_ name: String, _ kind: cep_array_kind, at index: Int) throws(EngineError) -> ArrayHandle {
        let state = try presentOptimizerState()
        guard let values = state.values.first(where: { $0.name == name }) else {
            throw .invalidArgument(
                "the optimizer \(state.name) has no state \(name); expected "
                    + state.values.map { $0.name }.joined(separator: " or "))
        }
        return try values.parameters.array(kind, at: index)
    }

    private func presentOptimizerState() throws(EngineError) -> OptimizerState<Element> {
        guard let optimizerState else { throw .invalidState("there is no state of an optimizer yet") }
        return optimizerState
    }

    /// The rules there are.
    private func learningRule(_ argument: RuleArgument) throws(EngineError) -> any LearningRule<Element> {
        let (rule, rates, optimizer) = (argument.rule, argument.learningRates, argument.optimizer)
        switch Int(rule.kind) {
        case CEP_RULE_EP:
            return EquilibriumPropagation(
                try TwoPhases(rule), learningRates: rates, optimizer: optimizer, accumulates: rule.accumulate != 0)
        case CEP_RULE_CEP:
            return ContinualEquilibriumPropagation(
                try TwoPhases(rule), learningRates: rates, optimizer: optimizer,
                writesEveryStep: rule.write_every_step != 0)
        case CEP_RULE_BPTT:
            return BackpropagationThroughTime(
                freeSteps: Int(rule.free_steps), lastSteps: rule.last_steps == 0 ? nil : Int(rule.last_steps),
                learningRates: rates, optimizer: optimizer)
        case CEP_RULE_RBP:
            return RecurrentBackpropagation(
                freeSteps: Int(rule.free_steps), tolerance: rule.tolerance,
                maximumIterations: Int(rule.max_iterations), learningRates: rates, optimizer: optimizer)
        default: throw .invalidArgument("\(rule.kind) is not a kind of learning rule")
        }
    }
}

/// - Throws: `EngineError.invalidArgument` where there is no connection of this index.
func checkConnection(_ index: Int, of count: Int) throws(EngineError) {
    guard 0..<count ~= index else {
        throw .invalidArgument("there is no connection \(index); the network's connections are 0 to \(count - 1)")
    }
}

/// - Throws: `EngineError.invalidArgument` where there is no layer of this index.
func checkLayer(_ index: Int, of count: Int) throws(EngineError) {
    guard 0..<count ~= index else {
        throw .invalidArgument("there is no layer \(index); the network's layers are 0 to \(count - 1)")
    }
}

extension NetworkState {
    /// The states of a layer.
    func array(at layer: Int) throws(EngineError) -> ArrayHandle {
        try checkLayer(layer, of: layers.count)
        return ArrayHandle(layers[layer], dimensions: 2)
    }
}

extension Array {
    /// Parameters, or something of their shapes.
    func array<Scalar>(
        _ kind: cep_array_kind, at connection: Int
    ) throws(EngineError) -> ArrayHandle where Element == ConnectionParameters<Scalar> {
        try checkConnection(connection, of: count)
        return try self[connection].array(kind, connection: connection)
    }
}

extension ConnectionParameters {
    /// Those of a kind.
    ///
    /// - Parameter connection: What messages call this one.
    func array(_ kind: cep_array_kind, connection: Int) throws(EngineError) -> ArrayHandle {
        switch Int(kind) {
        case CEP_WEIGHTS: return ArrayHandle(weights, dimensions: 2)
        case CEP_BIASES:
            guard let biases else {
                throw .invalidArgument("connection \(connection) has no biases; its layer has those of the chain")
            }
            return ArrayHandle(biases, dimensions: 1)
        case CEP_FEEDBACK_WEIGHTS:
            guard let feedbackWeights else {
                throw .invalidArgument("connection \(connection) has no feedback weights of its own")
            }
            return ArrayHandle(feedbackWeights, dimensions: 2)
        default: throw .invalidArgument("\(kind) is not a kind of array of parameters")
        }
    }
}
