import CEPEngine
import CEPKernels

// The engine's calls with data in Swift arrays.

extension Network {
    @discardableResult
    func freePhase(
        _ x: [[Double]], _ type: NumberType = .float64, steps: Int, continuing: Bool = false,
        monitor: ProgressMonitor = ProgressMonitor()
    ) throws -> PhaseOutcome {
        try withMatrix(x, type) { try freePhase($0, steps: steps, continuing: continuing, monitor: monitor) }
    }

    @discardableResult
    func nudgedPhase(
        _ y: Dataset.Wanted, _ type: NumberType = .float64, beta: Double, steps: Int,
        monitor: ProgressMonitor = ProgressMonitor()
    ) throws -> PhaseOutcome {
        try y.withTargets(type) { try nudgedPhase($0, beta: beta, steps: steps, monitor: monitor) }
    }

    @discardableResult
    func trainBatch(
        _ data: Dataset, _ kind: RuleKind, _ phases: Conditions, monitor: ProgressMonitor = ProgressMonitor()
    ) throws -> Metrics {
        let rule: any LearningRule<Element> = kind.rule(phases)
        return try data.withSamples { try trainBatch($0, rule: rule, monitor: monitor) }
    }

    @discardableResult
    func trainEpoch(
        _ data: Dataset, _ kind: RuleKind, _ phases: Conditions, batchSize: Int, shuffleSeed: UInt64 = 0,
        part: EpochPart = EpochPart(), monitor: ProgressMonitor = ProgressMonitor()
    ) throws -> Metrics {
        let rule: any LearningRule<Element> = kind.rule(phases)
        return try data.withSamples {
            try trainEpoch(
                $0, rule: rule, batchSize: batchSize, shuffleSeed: shuffleSeed, part: part, monitor: monitor)
        }
    }

    @discardableResult
    func evaluate(_ data: Dataset, steps: Int, monitor: ProgressMonitor = ProgressMonitor()) throws -> Metrics {
        try data.withSamples { try evaluate($0, steps: steps, monitor: monitor) }
    }

    /// The class of each row; −1 if none was reported.
    @discardableResult
    func predict(
        _ x: [[Double]], _ type: NumberType = .float64, steps: Int, monitor: ProgressMonitor = ProgressMonitor()
    ) throws -> [Int] {
        try withMatrix(x, type) { Array(try predict($0, steps: steps, monitor: monitor)) }
    }
}

// The contents of a network as arrays.

extension Network {
    /// All parameters, matrix by matrix: first of the connections, then of a readout.
    var parameterValues: [[Double]] {
        (connections.map { $0.parameters } + [objective.parameters].compactMap { $0 }).flatMap {
            $0.matrices.map(\.values)
        }
    }

    /// All parameters as bit patterns.
    var parameterBits: [[UInt64]] { parameterValues.map { $0.map(\.bitPattern) } }

    /// The states of all layers; empty before the first phase.
    var stateValues: [[Double]] { state?.layers.map(\.values) ?? [] }

    /// All states as bit patterns; empty before the first phase.
    var stateBits: [[UInt64]] { stateValues.map { $0.map(\.bitPattern) } }

    /// All states, layer by layer, samples × units; empty before the first phase.
    var states: ReferenceNetwork.States { state?.layers.map(\.rowsAsFloat64) ?? [] }
}

extension Matrix {
    var values: [Double] { (0..<count).map { Double(pointer[$0]) } }
}

extension ReferenceNetwork {
    /// In the order of `Network.parameterValues`.
    var parameterValues: [[Double]] {
        weights.indices.flatMap { k in
            [Array(weights[k].joined())] + (biases[k].isEmpty ? [] : [biases[k]])
                + (feedback[k].isEmpty ? [] : [Array(feedback[k].joined())])
        } + (readoutWeights.isEmpty ? [] : [Array(readoutWeights.joined()), readoutBiases])
    }
}

/// max |a − b|; infinity if shapes differ or a number is NaN.
func largestDifference(_ a: [[Double]], _ b: [[Double]]) -> Double {
    guard a.map(\.count) == b.map(\.count) else { return .infinity }
    var largest = 0.0
    for (x, y) in zip(a.joined(), b.joined()) {
        let difference = abs(x - y)
        guard !difference.isNaN else { return .infinity }
        largest = max(largest, difference)
    }
    return largest
}

func largestDifference(_ a: ReferenceNetwork.States, _ b: ReferenceNetwork.States) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).map { largestDifference($0, $1) }.max() ?? 0
}
