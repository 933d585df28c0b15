import CEPKernels

/// Weights that change as requested. Networks do not call this model: their optimizer writes ideal weights.
struct IdealSynapse: SynapseModel {
    static var name: String { "ideal" }

    init(_ options: inout Options) throws(EngineError) {}

    var bounds: SynapseBounds? { nil }

    func program<Element: KernelScalar>(_ synapses: SynapseRange<Element>) {}

    func write<Element: KernelScalar>(_ synapses: SynapseRange<Element>) -> WriteCounts {
        var counts = WriteCounts()
        for i in synapses.range where synapses.weights[i] != synapses.requested[i] {
            synapses.weights[i] = synapses.requested[i]
            counts.writes += 1
        }
        return counts
    }
}
