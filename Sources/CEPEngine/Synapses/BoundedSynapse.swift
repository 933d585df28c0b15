import CEPKernels

/// Weights that change as requested within bounds: w ← min(max(w + Δ, w_min), w_max).
struct BoundedSynapse: SynapseModel {
    static var name: String { "bounded" }

    private let limits: SynapseBounds

    init(_ options: inout Options) throws(EngineError) { limits = try SynapseBounds(&options) }

    var bounds: SynapseBounds? { limits }

    func program<Element: KernelScalar>(_ synapses: SynapseRange<Element>) {
        for i in synapses.range { synapses.weights[i] = clipped(synapses.weights[i]) }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func write<Element: KernelScalar>(_ synapses: SynapseRange<Element>) -> WriteCounts {
        var counts = WriteCounts()
        for i in synapses.range where synapses.weights[i] != synapses.requested[i] {
            let weight = clipped(synapses.requested[i])
            if weight != synapses.weights[i] { counts.writes += 1 }
            synapses.weights[i] = weight
        }
        return counts
    }

    /// NaN stays NaN, so that a divergence is found.
    @inline(__always)
    private func clipped<Element: KernelScalar>(_ weight: Element) -> Element {
        weight < Element(limits.lowest)
            ? Element(limits.lowest) : weight > Element(limits.highest) ? Element(limits.highest) : weight
    }
}
