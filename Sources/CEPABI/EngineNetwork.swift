import CCEP
import CEPEngine
import CEPKernels

/// A network of either number type, as the C interface sees it.
protocol EngineNetwork: AnyObject {
    /// What arrays of its parameters reach into: always the same.
    var parameterMemory: [Range<UInt>] { get }

    /// Calls `body` with what arrays of its present states reach into.
    func forEachLayer(_ body: (Range<UInt>) throws(EngineError) -> Void) throws(EngineError)

    /// What rules leave to chance in batches of the caller's.
    var random: RandomSource { get set }

    func array(_ kind: cep_array_kind, at index: Int) throws(EngineError) -> ArrayHandle

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

    func energy() throws(EngineError) -> [Double]

    func feedbackAngle(at connection: Int) throws(EngineError) -> Double

    func check(_ samples: Samples) throws(EngineError)

    func evaluate(_ samples: Samples, steps: Int, monitor: ProgressMonitor) throws(EngineError) -> Metrics

    func predict(
        _ inputs: SampleMatrix, steps: Int, monitor: ProgressMonitor, classified: (_ row: Int, _ unit: Int) -> Void
    ) throws(EngineError)
}

extension Network: EngineNetwork {
    func array(_ kind: cep_array_kind, at index: Int) throws(EngineError) -> ArrayHandle {
        guard Int(kind) == CEP_STATES else { return try parameters.array(kind, at: index) }
        return ArrayHandle(try layer(index), dimensions: 2)
    }

    var parameterMemory: [Range<UInt>] { parameters.flatMap { $0.matrices }.map { $0.memory } }

    func forEachLayer(_ body: (Range<UInt>) throws(EngineError) -> Void) throws(EngineError) {
        guard let state else { return }
        for layer in state.layers { try body(layer.memory) }
    }

    private func layer(_ index: Int) throws(EngineError) -> Matrix<Element> {
        guard sizes.indices.contains(index) else {
            throw .invalidArgument("there is no layer \(index); the network's layers are 0 to \(sizes.count - 1)")
        }
        guard let state else { throw .invalidState("there are no states yet: run a free phase first") }
        return state.layers[index]
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

    func feedbackAngle(at connection: Int) throws(EngineError) -> Double {
        try connections.check(connection)
        guard let angle = feedbackAngle(of: connection) else {
            throw .invalidArgument("connection 0 has no feedback: the input is clamped")
        }
        return angle
    }

    /// The rules there are.
    private func learningRule(_ argument: RuleArgument) throws(EngineError) -> any LearningRule<Element> {
        let (rule, rates) = (argument.rule, argument.learningRates)
        switch Int(rule.kind) {
        case CEP_RULE_EP:
            return EquilibriumPropagation(
                try TwoPhases(rule), learningRates: rates, accumulates: rule.accumulate != 0)
        case CEP_RULE_CEP:
            return ContinualEquilibriumPropagation(
                try TwoPhases(rule), learningRates: rates, writesEveryStep: rule.write_every_step != 0)
        case CEP_RULE_BPTT:
            return BackpropagationThroughTime(
                freeSteps: Int(rule.free_steps), lastSteps: rule.last_steps == 0 ? nil : Int(rule.last_steps),
                learningRates: rates)
        case CEP_RULE_RBP:
            return RecurrentBackpropagation(
                freeSteps: Int(rule.free_steps), tolerance: rule.tolerance,
                maximumIterations: Int(rule.max_iterations), learningRates: rates)
        default: throw .invalidArgument("\(rule.kind) is not a kind of learning rule")
        }
    }
}

extension Array {
    /// - Throws: `EngineError.invalidArgument` where there is no connection of this index.
    func check(_ connection: Int) throws(EngineError) {
        guard indices.contains(connection) else {
            throw .invalidArgument(
                "there is no connection \(connection); the network's connections are 0 to \(count - 1)")
        }
    }

    /// Parameters, or something of their shapes.
    func array<Scalar>(
        _ kind: cep_array_kind, at connection: Int
    ) throws(EngineError) -> ArrayHandle where Element == ConnectionParameters<Scalar> {
        try check(connection)
        switch Int(kind) {
        case CEP_WEIGHTS: return ArrayHandle(self[connection].weights, dimensions: 2)
        case CEP_BIASES: return ArrayHandle(self[connection].biases, dimensions: 1)
        case CEP_FEEDBACK_WEIGHTS:
            guard let weights = self[connection].feedbackWeights else {
                throw .invalidArgument("connection \(connection) has no feedback weights of its own")
            }
            return ArrayHandle(weights, dimensions: 2)
        default: throw .invalidArgument("\(kind) is not a kind of array of parameters")
        }
    }
}
