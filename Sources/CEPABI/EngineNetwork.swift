import CCEP
import CEPEngine
import CEPKernels

/// A network of either number type.
protocol EngineNetwork: AnyObject {
    var random: RandomSource { get set }
    var parameterNames: [(name: String, index: Int)] { get }
    var deviceTensorNames: [(name: String, index: Int)] { get }
    /// The name of the optimizer and the number of its updates; nil without an optimizer state.
    var optimizerSummary: (name: String, steps: Int)? { get }

    func exclusively<Result>(_ body: () throws(EngineError) -> Result) throws(EngineError) -> Result
    func tensor(_ name: String, at index: Int) throws(EngineError) -> TensorMemory
    /// - Throws: `EngineError.invalidState` without an optimizer state.
    func optimizerTensor(_ state: String, _ name: String, at index: Int) throws(EngineError) -> TensorMemory
    func setOptimizerSteps(_ steps: Int) throws(EngineError)
    func prepareOptimizer(of rule: Options) throws(EngineError)
    func copied() throws(EngineError) -> Self
    func freePhase(
        _ inputs: SampleMatrix, steps: Int, continuing: Bool, monitor: ProgressMonitor
    ) throws(EngineError) -> PhaseOutcome
    func nudgedPhase(
        _ targets: Targets, beta: Double, steps: Int, monitor: ProgressMonitor
    ) throws(EngineError) -> PhaseOutcome
    func trainBatch(_ samples: Samples, rule: Options, monitor: ProgressMonitor) throws(EngineError) -> Metrics
    func trainEpoch(
        _ samples: Samples, rule: Options, batchSize: Int, shuffleSeed: UInt64, part: EpochPart,
        monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics
    func gradient(
        _ samples: Samples, rule: Options, monitor: ProgressMonitor
    ) throws(EngineError) -> (GradientHandle, Metrics)
    func theorem(
        _ samples: Samples, _ conditions: TheoremConditions, monitor: ProgressMonitor
    ) throws(EngineError) -> TheoremHandle
    func energy() throws(EngineError) -> Matrix<Double>
    func feedbackAngle(of index: Int) throws(EngineError) -> Double
    func check(_ samples: Samples) throws(EngineError)
    func evaluate(_ samples: Samples, steps: Int, monitor: ProgressMonitor) throws(EngineError) -> Metrics
    func classes(of inputs: SampleMatrix, steps: Int, monitor: ProgressMonitor) throws(EngineError) -> Integers
}

extension Network: EngineNetwork {
    var parameterNames: [(name: String, index: Int)] {
        parameters.enumerated().flatMap { k, each in each.tensors.map { ($0.name, k) } }
    }

    var optimizerSummary: (name: String, steps: Int)? { optimizerState.map { ($0.name, $0.steps) } }

    func tensor(_ name: String, at index: Int) throws(EngineError) -> TensorMemory {
        if let (values, shape) = deviceTensor(name, at: index) {
            switch values {
            case .numbers(let matrix): return TensorMemory(matrix, shape: shape)
            case .counters(let matrix): return TensorMemory(matrix, shape: shape)
            }
        }
        guard name == "states" else { return try parameters.tensor(name, at: index) }
        try checkIndex(index, of: configuration.layers.count, "layer")
        guard let state else { throw .invalidState("there are no states yet: run a free phase first") }
        return state.tensor(at: index)
    }

    func optimizerTensor(_ state: String, _ name: String, at index: Int) throws(EngineError) -> TensorMemory {
        let present = try presentOptimizerState()
        guard let values = present.values.first(where: { $0.name == state }) else {
            throw .invalidArgument(
                "the optimizer \(present.name) has no state \(state); expected "
                    + present.values.map { $0.name }.joined(separator: " or "))
        }
        return try values.parameters.tensor(name, at: index)
    }

    func setOptimizerSteps(_ steps: Int) throws(EngineError) { try presentOptimizerState().steps = steps }

    func prepareOptimizer(of rule: Options) throws(EngineError) {
        let rule: any LearningRule<Element> = try rule.learningRule()
        try rule.validateWithRates(for: self)
        try prepareState(of: rule.optimizer)
    }

    private func presentOptimizerState() throws(EngineError) -> OptimizerState<Element> {
        guard let optimizerState else { throw .invalidState("the network has no optimizer state yet: train it first") }
        return optimizerState
    }

    func trainBatch(_ samples: Samples, rule: Options, monitor: ProgressMonitor) throws(EngineError) -> Metrics {
        let rule: any LearningRule<Element> = try rule.learningRule()
        return try trainBatch(samples, rule: rule, monitor: monitor)
    }

    func trainEpoch(
        _ samples: Samples, rule: Options, batchSize: Int, shuffleSeed: UInt64, part: EpochPart,
        monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let rule: any LearningRule<Element> = try rule.learningRule()
        try exclusively { () throws(EngineError) in try checkApart(samples) }
        return try trainEpoch(
            samples, rule: rule, batchSize: batchSize, shuffleSeed: shuffleSeed, part: part, monitor: monitor)
    }

    /// - Throws: `EngineError.invalidArgument` if samples are memory of the network, which training overwrites.
    private func checkApart(_ samples: Samples) throws(EngineError) {
        let matrices = parameters.flatMap { $0.matrices } + (state?.layers ?? [])
        var inputs = [("x", samples.inputs.memory)]
        if case .values(let values) = samples.targets { inputs.append(("y", values.memory)) }
        for (name, memory) in inputs where matrices.contains(where: { $0.memory.overlaps(memory) }) {
            throw .invalidArgument("\(name) is memory of the network, which training changes: pass a copy")
        }
    }

    func gradient(
        _ samples: Samples, rule: Options, monitor: ProgressMonitor
    ) throws(EngineError) -> (GradientHandle, Metrics) {
        let rule: any LearningRule<Element> = try rule.learningRule()
        let estimate = try gradient(samples, estimator: rule, monitor: monitor)
        let gradient = estimate.connections
        return (
            GradientHandle { (name, index) throws(EngineError) in try gradient.tensor(name, at: index) },
            estimate.metrics
        )
    }

    func theorem(
        _ samples: Samples, _ conditions: TheoremConditions, monitor: ProgressMonitor
    ) throws(EngineError) -> TheoremHandle {
        // Always in float64: the effect of a small beta on float32 states is mostly rounding.
        let network = try exclusively { () throws(EngineError) in try Network<Double>(idealizing: self) }
        return TheoremHandle(try network.checkTheorem(samples, conditions, monitor: monitor))
    }

    func check(_ samples: Samples) throws(EngineError) { try samples.validate(for: self) }
}

/// - Throws: `EngineError.invalidArgument` if the index is out of range.
func checkIndex(_ index: Int, of count: Int, _ name: String) throws(EngineError) {
    guard 0..<count ~= index else {
        throw .invalidArgument("\(name) \(index) does not exist; the network's \(name)s are 0 to \(count - 1)")
    }
}

extension NetworkState {
    /// The states of a layer, in the layer's shape.
    func tensor(at layer: Int) -> TensorMemory { TensorMemory(layers[layer], shape: [batch] + shape(of: layer)) }
}

extension Array {
    /// A tensor of parameters, or of values of the same shapes.
    func tensor<Scalar>(
        _ name: String, at index: Int
    ) throws(EngineError) -> TensorMemory where Element == ConnectionParameters<Scalar> {
        try checkIndex(index, of: count, "connection")
        return try self[index].tensor(name, of: index)
    }
}

extension ConnectionParameters {
    func tensor(_ name: String, of index: Int) throws(EngineError) -> TensorMemory {
        guard let tensor = tensors.first(where: { $0.name == name }) else {
            throw .invalidArgument(
                "connection \(index) has no \(name); it has \(tensors.map(\.name).joined(separator: ", "))")
        }
        return TensorMemory(tensor.values, shape: tensor.shape)
    }
}

extension SampleMatrix {
    fileprivate var memory: Range<UInt> {
        let (start, stride) =
            switch values {
            case .float32(let pointer): (UInt(bitPattern: pointer), MemoryLayout<Float>.stride)
            case .float64(let pointer): (UInt(bitPattern: pointer), MemoryLayout<Double>.stride)
            }
        return start..<start + UInt(rows * columns * stride)
    }
}

extension Matrix {
    fileprivate var memory: Range<UInt> {
        let start = UInt(bitPattern: pointer)
        return start..<start + UInt(count * MemoryLayout<Element>.stride)
    }
}
