import CEPKernels

/// Indices of the quantities of a device; those of its step come last.
private enum Place { static let stepSize = 0, asymmetry = 1, highest = 2, lowest = 3, lifetime = 4, step = 5 }

/// A device that changes by pulses. One pulse in the direction d = ±1 changes the weight by
///
///     Δw = d · dw_min · (1 + d · up_down) · f_d(w) · (1 + dw_min_std · ξ),    then w ← clip(w, w_min, w_max)
///
/// with ξ standard normal, drawn at each pulse. A requested change Δ gets |Δ| / dw_min pulses, rounded and limited to
/// `max_pulses`. The step f_d depends on the model (Gokmen and Vlasov, 2016).
///
/// A synapse with a negative drawn step size does not move in that direction. If its drawn bounds are in the wrong
/// order, they are swapped.
package struct PulsedSynapse<Step: PulseStep>: PulsedModel {
    package static var name: String { Step.name }

    private let step: Step
    private let limits: SynapseBounds
    private let stepSize: Double
    private let stepNoise: Double
    private let asymmetry: Double
    private let rounding: Rounding
    private let largestCount: Double
    private let lifetime: Double
    private let diffusion: Double
    package let writeNoise: Double
    package let quantities: [SynapseQuantity]

    package init(_ options: inout Options) throws(EngineError) {
        limits = try SynapseBounds(&options, lowest: -1, highest: 1)
        stepSize = try options.finite("dw_min", nil)
        guard stepSize > 0 else { throw .invalidArgument("dw_min must be above 0, got \(stepSize)") }
        let range = limits.highest - limits.lowest
        guard stepSize <= range else {
            throw .invalidArgument("dw_min must be at most the range w_max − w_min, which is \(range), got \(stepSize)")
        }
        stepNoise = try options.deviation("dw_min_std")
        asymmetry = try options.finite("up_down", 0)
        rounding = try options.choice("rounding") ?? .stochastic
        let count = try options.integer("max_pulses") ?? 1000
        guard 1...1_000_000 ~= count else {
            throw .invalidArgument("max_pulses must be 1 to 1000000, got \(count)")
        }
        largestCount = Double(count)
        lifetime = try options.deviation("lifetime")
        guard lifetime == 0 || lifetime >= 1 else {
            throw .invalidArgument("lifetime must be 0, for none, or 1 batch or more, got \(lifetime)")
        }
        diffusion = try options.deviation("diffusion")
        writeNoise = try options.deviation("write_noise_std") * stepSize
        func relative(_ name: String, _ mean: Double) throws(EngineError) -> SynapseQuantity {
            SynapseQuantity(name: name, mean: mean, deviation: try options.deviation(name + "_dtod") * mean.magnitude)
        }
        var quantities = [
            try relative("dw_min", stepSize),
            SynapseQuantity(name: "up_down", mean: asymmetry, deviation: try options.deviation("up_down_dtod")),
            try relative("w_max", limits.highest), try relative("w_min", limits.lowest),
            try relative("lifetime", lifetime),
        ]
        step = try Step(&options, limits)
        for (name, mean) in step.quantities { quantities.append(try relative(name, mean)) }
        self.quantities = quantities
    }

    package var bounds: SynapseBounds? { limits }

    package var drifts: Bool { lifetime > 0 || diffusion > 0 }

    package func program<Element: KernelScalar>(_ synapses: SynapseRange<Element>) {
        for i in synapses.range {
            let device = device(i, synapses)
            synapses.weights[i] = Element(device.clipped(Double(synapses.weights[i])))
            guard let noise = synapses.noise else { continue }
            var stream = synapses.key.stream(i)
            noise[i] = Element(writeNoise * stream.normal())
        }
    }

    @specialized(where Step == ConstantStep, Element == Float)
    @specialized(where Step == ConstantStep, Element == Double)
    @specialized(where Step == LinearStep, Element == Float)
    @specialized(where Step == LinearStep, Element == Double)
    @specialized(where Step == SoftBoundsStep, Element == Float)
    @specialized(where Step == SoftBoundsStep, Element == Double)
    @specialized(where Step == ExponentialStep, Element == Float)
    @specialized(where Step == ExponentialStep, Element == Double)
    @specialized(where Step == PowerStep, Element == Float)
    @specialized(where Step == PowerStep, Element == Double)
    package func write<Element: KernelScalar>(_ synapses: SynapseRange<Element>) -> WriteCounts {
        var counts = WriteCounts()
        let inverse = 1 / stepSize
        for i in synapses.range {
            let change = Double(synapses.requested[i] - synapses.weights[i])
            guard change != 0 else { continue }
            guard change.isFinite else {
                synapses.weights[i] = .nan
                continue
            }
            var stream = synapses.key.stream(i)
            let count = rounding.round(min(change.magnitude * inverse, largestCount), &stream)
            guard count > 0 else { continue }
            let isUp = change > 0
            let device = device(i, synapses)
            var weight = Double(synapses.weights[i])
            for _ in 0..<count { weight = pulsed(weight, isUp: isUp, device, &stream) }
            synapses.weights[i] = Element(weight)
            if let noise = synapses.noise { noise[i] = Element(writeNoise * stream.normal()) }
            counts.writes += 1
            if isUp { counts.pulsesUp += count } else { counts.pulsesDown += count }
        }
        return counts
    }

    /// Decay, w ← w (1 − 1 / lifetime), and diffusion, w ← w + diffusion · ξ.
    @specialized(where Step == ConstantStep, Element == Float)
    @specialized(where Step == ConstantStep, Element == Double)
    @specialized(where Step == LinearStep, Element == Float)
    @specialized(where Step == LinearStep, Element == Double)
    @specialized(where Step == SoftBoundsStep, Element == Float)
    @specialized(where Step == SoftBoundsStep, Element == Double)
    @specialized(where Step == ExponentialStep, Element == Float)
    @specialized(where Step == ExponentialStep, Element == Double)
    @specialized(where Step == PowerStep, Element == Float)
    @specialized(where Step == PowerStep, Element == Double)
    package func drift<Element: KernelScalar>(_ synapses: SynapseRange<Element>) {
        for i in synapses.range {
            var weight = Double(synapses.weights[i])
            if lifetime > 0 {
                weight *= 1 - 1 / max(1, synapses.value(Place.lifetime, of: i, mean: lifetime))
            }
            if diffusion > 0 {
                var stream = synapses.key.stream(i)
                weight += diffusion * stream.normal()
            }
            synapses.weights[i] = Element(device(i, synapses).clipped(weight))
        }
    }

    /// The weight of a synapse after each of some pulses; true means up.
    package func response(_ directions: [Bool], from weight: Double, _ synapse: SynapseRange<Double>) -> [Double] {
        let device = device(0, synapse)
        var stream = synapse.key.stream(0)
        var weight = device.clipped(weight)
        return directions.map { isUp in
            weight = pulsed(weight, isUp: isUp, device, &stream)
            return weight
        }
    }

    @inline(__always)
    private func pulsed(_ weight: Double, isUp: Bool, _ device: PulsedDevice, _ stream: inout KeyedStream) -> Double {
        var factor = step.factor(isUp: isUp, weight, device)
        if stepNoise > 0 {
            let noise = stepNoise * stream.normal()
            factor = step.addsNoise ? factor + noise : factor * (1 + noise)
        }
        return device.clipped(isUp ? weight + device.stepUp * factor : weight - device.stepDown * factor)
    }

    @inline(__always)
    private func device<Element>(_ element: Int, _ synapses: SynapseRange<Element>) -> PulsedDevice {
        let size = synapses.value(Place.stepSize, of: element, mean: stepSize)
        let asymmetry = synapses.value(Place.asymmetry, of: element, mean: asymmetry)
        let highest = synapses.value(Place.highest, of: element, mean: limits.highest)
        let lowest = synapses.value(Place.lowest, of: element, mean: limits.lowest)
        var device = PulsedDevice(
            stepUp: max(0, size * (1 + asymmetry)), stepDown: max(0, size * (1 - asymmetry)),
            lowest: min(lowest, highest), highest: max(lowest, highest))
        let own = quantities.count - Place.step
        if own > 0 {
            device.first = synapses.value(Place.step, of: element, mean: quantities[Place.step].mean)
        }
        if own > 1 {
            device.second = synapses.value(Place.step + 1, of: element, mean: quantities[Place.step + 1].mean)
        }
        return device
    }
}

/// A model whose synapses change by pulses.
protocol PulsedModel: SynapseModel {
    func response(_ directions: [Bool], from weight: Double, _ synapse: SynapseRange<Double>) -> [Double]
}

extension SynapseKind {
    /// The weight of one device after each of some pulses, in float64.
    ///
    /// - Parameters:
    ///   - directions: true means up.
    ///   - weight: The weight before the first pulse; clipped to the bounds of the device.
    ///   - seed: Determines the device and its pulses.
    /// - Throws: `EngineError.invalidArgument` for a model without pulses, and for a weight that is not finite.
    package func pulseResponse(
        _ directions: [Bool], from weight: Double, seed: UInt64
    ) throws(EngineError) -> [Double] {
        guard let model = try model() as? any PulsedModel else {
            throw .invalidArgument("the synapse \(rawValue) has no pulses; expected a model with dw_min")
        }
        guard weight.isFinite else { throw .invalidArgument("weight must be finite, got \(weight)") }
        let array = try SynapseArray(model, of: try Matrix<Double>(rows: 1, columns: 1), key: RandomKey(seed: seed))
        return array.response(directions, from: weight, of: model)
    }
}

/// f_d(w): how a step depends on the weight.
package protocol PulseStep: Sendable {
    /// The name of the model.
    static var name: String { get }

    /// Takes its parameters out of `options`.
    init(_ options: inout Options, _ bounds: SynapseBounds) throws(EngineError)

    /// At most two further quantities of the model, which vary from synapse to synapse.
    var quantities: [(name: String, mean: Double)] { get }

    /// Whether the noise of a pulse is added to f_d(w), instead of multiplying it.
    var addsNoise: Bool { get }

    func factor(isUp: Bool, _ weight: Double, _ device: PulsedDevice) -> Double
}

extension PulseStep {
    package var quantities: [(name: String, mean: Double)] { [] }
    package var addsNoise: Bool { false }
}

/// One synapse, with the quantities drawn for it.
package struct PulsedDevice {
    let stepUp: Double
    let stepDown: Double
    let lowest: Double
    let highest: Double
    /// The quantities of the step.
    var first = 0.0
    var second = 0.0

    /// NaN stays NaN.
    @inline(__always)
    func clipped(_ weight: Double) -> Double { weight < lowest ? lowest : weight > highest ? highest : weight }
}

/// Checks that the bounds enclose zero, for steps that divide by them.
func checkBoundsAroundZero(_ bounds: SynapseBounds, _ name: String) throws(EngineError) {
    guard bounds.lowest < 0, bounds.highest > 0 else {
        throw .invalidArgument(
            "\(name) needs w_min below 0 and w_max above 0, got w_min \(bounds.lowest) and w_max \(bounds.highest)")
    }
}
