import CEPKernels

/// f_d(w) = max(0, 1 − A_d exp(d γ_d z)), z = 2 a w / (w_max − w_min) + b (Gong et al., 2018).
package struct ExponentialStep: PulseStep {
    package static var name: String { "exponential_step" }

    private let amplitudeUp: Double
    private let amplitudeDown: Double
    private let gammaUp: Double
    private let gammaDown: Double
    private let slope: Double
    private let offset: Double

    package init(_ options: inout Options, _ bounds: SynapseBounds) throws(EngineError) {
        amplitudeUp = try options.finite("A_up", nil)
        amplitudeDown = try options.finite("A_down", nil)
        gammaUp = try options.finite("gamma_up", nil)
        gammaDown = try options.finite("gamma_down", nil)
        slope = try options.finite("a", nil)
        offset = try options.finite("b", nil)
    }

    package var quantities: [(name: String, mean: Double)] { [("gamma_up", gammaUp), ("gamma_down", gammaDown)] }

    @inline(__always)
    package func factor(isUp: Bool, _ weight: Double, _ device: PulsedDevice) -> Double {
        let range = device.highest - device.lowest
        let z = (range > 0 ? 2 * slope * weight / range : 0) + offset
        return isUp
            ? max(0, 1 - amplitudeUp * exp(device.first * z)) : max(0, 1 - amplitudeDown * exp(-device.second * z))
    }
}
