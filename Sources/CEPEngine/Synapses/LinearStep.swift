/// f₊(w) = 1 − γ_up · w / w_max, f₋(w) = 1 − γ_down · w / w_min (Gokmen et al., 2017).
package struct LinearStep: PulseStep {
    package static var name: String { "linear_step" }

    private let gammaUp: Double
    private let gammaDown: Double
    package let addsNoise: Bool

    package init(_ options: inout Options, _ bounds: SynapseBounds) throws(EngineError) {
        try checkBoundsAroundZero(bounds, Self.name)
        gammaUp = try options.finite("gamma_up", 0)
        gammaDown = try options.finite("gamma_down", 0)
        addsNoise = try !(options.flag("mult_noise") ?? true)
    }

    package var quantities: [(name: String, mean: Double)] { [("gamma_up", gammaUp), ("gamma_down", gammaDown)] }

    @inline(__always)
    package func factor(isUp: Bool, _ weight: Double, _ device: PulsedDevice) -> Double {
        linearFactor(weight, gamma: isUp ? device.first : device.second, bound: isUp ? device.highest : device.lowest)
    }
}

/// A device may draw a bound of 0. Its weight then stays at the bound, and the division is skipped.
@inline(__always)
func linearFactor(_ weight: Double, gamma: Double, bound: Double) -> Double {
    bound == 0 ? 1 : 1 - gamma * weight / bound
}
