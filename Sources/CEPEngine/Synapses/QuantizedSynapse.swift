import CEPKernels

/// Weights on a grid of 2^bits levels, w_min + k (w_max − w_min) / (2^bits − 1). A requested change is rounded to levels.
struct QuantizedSynapse: SynapseModel {
    static var name: String { "quantized" }

    private let limits: SynapseBounds
    private let rounding: Rounding
    private let largestLevel: Double
    private let levelSize: Double

    init(_ options: inout Options) throws(EngineError) {
        limits = try SynapseBounds(&options)
        let bits = try required(options.integer("bits"), "bits")
        guard 1...16 ~= bits else { throw .invalidArgument("bits must be 1 to 16, got \(bits)") }
        rounding = try options.choice("rounding") ?? .nearest
        guard rounding != .truncate else {
            throw .invalidArgument("rounding must be nearest or stochastic, got truncate")
        }
        largestLevel = Double((1 << bits) - 1)
        levelSize = (limits.highest - limits.lowest) / largestLevel
    }

    var bounds: SynapseBounds? { limits }

    func program<Element: KernelScalar>(_ synapses: SynapseRange<Element>) {
        for i in synapses.range { synapses.weights[i] = weight(level(synapses.weights[i])) }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func write<Element: KernelScalar>(_ synapses: SynapseRange<Element>) -> WriteCounts {
        var counts = WriteCounts()
        for i in synapses.range where synapses.weights[i] != synapses.requested[i] {
            let change = Double(synapses.requested[i] - synapses.weights[i]) / levelSize
            guard change.isFinite else {
                synapses.weights[i] = .nan
                continue
            }
            var stream = synapses.key.stream(i)
            let levels = Double(rounding.round(min(change.magnitude, largestLevel), &stream))
            guard levels > 0 else { continue }
            let new: Element = weight(level(synapses.weights[i]) + (change < 0 ? -levels : levels))
            if new != synapses.weights[i] { counts.writes += 1 }
            synapses.weights[i] = new
        }
        return counts
    }

    private func level<Element: KernelScalar>(_ weight: Element) -> Double {
        ((Double(weight) - limits.lowest) / levelSize).rounded()
    }

    private func weight<Element: KernelScalar>(_ level: Double) -> Element {
        Element(limits.lowest + min(max(level, 0), largestLevel) * levelSize)
    }
}
