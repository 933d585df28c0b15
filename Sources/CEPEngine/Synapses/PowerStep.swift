import CEPKernels

/// f₊(w) = ω^γ, f₋(w) = (1 − ω)^γ, ω = (w_max − w) / (w_max − w_min) (Fusi and Abbott, 2007).
package struct PowerStep: PulseStep {
    package static var name: String { "power_step" }

    private let gamma: Double

    package init(_ options: inout Options, _ bounds: SynapseBounds) throws(EngineError) {
        gamma = try options.deviation("pow_gamma", 1)
    }

    package var quantities: [(name: String, mean: Double)] { [("pow_gamma", gamma)] }

    @inline(__always)
    package func factor(isUp: Bool, _ weight: Double, _ device: PulsedDevice) -> Double {
        let range = device.highest - device.lowest
        guard range > 0 else { return 0 }
        let distance = min(max((device.highest - weight) / range, 0), 1)
        return pow(isUp ? distance : 1 - distance, device.first)
    }
}
