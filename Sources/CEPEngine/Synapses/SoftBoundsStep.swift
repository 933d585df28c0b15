/// f₊(w) = 1 − w / w_max, f₋(w) = 1 − w / w_min: a linear step with γ = 1, so that steps vanish at the bounds.
package struct SoftBoundsStep: PulseStep {
    package static var name: String { "soft_bounds" }

    package init(_ options: inout Options, _ bounds: SynapseBounds) throws(EngineError) {
        try checkBoundsAroundZero(bounds, Self.name)
    }

    @inline(__always)
    package func factor(isUp: Bool, _ weight: Double, _ device: PulsedDevice) -> Double {
        linearFactor(weight, gamma: 1, bound: isUp ? device.highest : device.lowest)
    }
}
