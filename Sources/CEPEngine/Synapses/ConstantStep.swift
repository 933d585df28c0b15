/// f_d(w) = 1 (Gokmen and Vlasov, 2016).
package struct ConstantStep: PulseStep {
    package static var name: String { "constant_step" }

    package init(_ options: inout Options, _ bounds: SynapseBounds) throws(EngineError) {}

    @inline(__always)
    package func factor(isUp: Bool, _ weight: Double, _ device: PulsedDevice) -> Double { 1 }
}
