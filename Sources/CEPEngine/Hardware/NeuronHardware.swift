import CEPKernels

/// Neurons that are not ideal.
///
/// - The activation is ρ(g · u + o), with a gain g and an offset o of each neuron: drawn once, g from N(1, gain_dtod),
///   o from N(0, offset_dtod). In the prototypical setting u is the preactivation, plus the pull if it acts inside.
/// - States get s ← s + state_noise · ξ after every step.
/// - The states that are sent, and that updates read, are rounded to 2^state_bits levels of the activation's range.
///   Layers with a linear activation have no range and are not rounded.
final class NeuronHardware<Element: KernelScalar> {
    /// Gains and offsets of layers 1 ... L, 1 × units each. nil without variation.
    let gains: [Matrix<Element>]?
    let offsets: [Matrix<Element>]?
    private let noise: Double
    /// The levels of layers 1 ... L; nil for layers that are not rounded.
    private let levels: [Levels?]
    private let couplesThroughActivation: Bool
    private let nudgesInside: Bool

    private struct Levels {
        let lowest: Element
        let highest: Element
        let largest: Element
    }

    init(_ configuration: NetworkConfiguration, key: RandomKey) throws(EngineError) {
        let hardware = configuration.hardware
        let layers = configuration.layers.dropFirst()
        func drawn(_ deviation: Double, mean: Double, _ key: RandomKey) throws(EngineError) -> [Matrix<Element>]? {
            guard deviation > 0 else { return nil }
            var matrices: [Matrix<Element>] = []
            for (layer, each) in layers.enumerated() {
                let values = try Matrix<Element>(rows: 1, columns: each.units)
                let key = key.part(layer)
                for i in 0..<values.count {
                    var stream = key.stream(i)
                    values.pointer[i] = Element(mean + deviation * stream.normal())
                }
                matrices.append(values)
            }
            return matrices
        }
        gains = try drawn(hardware.gainDeviation, mean: 1, key.part(0))
        offsets = try drawn(hardware.offsetDeviation, mean: 0, key.part(1))
        noise = hardware.stateNoise
        var levels: [Levels?] = []
        for layer in layers {
            guard let bits = hardware.stateBits, let range = layer.activation.range(configuration.table) else {
                levels.append(nil)
                continue
            }
            levels.append(
                Levels(
                    lowest: Element(range.lowest), highest: Element(range.highest), largest: Element((1 << bits) - 1)))
        }
        self.levels = levels
        if case .prototypical = configuration.setting {
            couplesThroughActivation = false
        } else {
            couplesThroughActivation = true
        }
        nudgesInside = !couplesThroughActivation && configuration.nudging == .inside
    }

    /// For one layer: u ← g · u + o; also scales the pull that is to be added to u.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func vary(
        layer: Int, preactivation: UnsafeMutablePointer<Element>, pull: UnsafeMutablePointer<Element>?, rows: Int,
        units: Int
    ) {
        if let gains = gains?[layer - 1].pointer {
            for row in 0..<rows {
                for i in 0..<units { preactivation[row * units + i] *= gains[i] }
                if nudgesInside, let pull { for i in 0..<units { pull[row * units + i] *= gains[i] } }
            }
        }
        if let offsets = offsets?[layer - 1].pointer {
            for row in 0..<rows { for i in 0..<units { preactivation[row * units + i] += offsets[i] } }
        }
    }

    /// Turns the gradient with respect to g · u + o into that with respect to u.
    func varyBack(layer: Int, _ gradient: MatrixView<Element>) {
        guard let gains = gains?[layer - 1].pointer else { return }
        for row in 0..<gradient.rows {
            for i in 0..<gradient.columns { gradient.pointer[row * gradient.columns + i] *= gains[i] }
        }
    }

    /// To be called after a step of some samples of a layer: adds the noise, and rounds the states if they are sent
    /// directly.
    ///
    /// - Parameter key: The key of the step.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func finishStep(
        layer: Int, _ state: UnsafeMutablePointer<Element>, first: Int, rows: Int, units: Int, key: RandomKey
    ) {
        if noise > 0 {
            let key = key.part(layer)
            for i in 0..<rows * units {
                var stream = key.stream(first * units + i)
                state[i] += Element(noise * stream.normal())
            }
        }
        if !couplesThroughActivation { round(layer: layer, state, count: rows * units) }
    }

    /// Rounds states or activities of a layer to the values that are sent.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func round(layer: Int, _ values: UnsafeMutablePointer<Element>, count: Int) {
        guard layer > 0, let levels = levels[layer - 1] else { return }
        let scale = levels.largest / (levels.highest - levels.lowest)
        for i in 0..<count {
            // NaN stays NaN.
            let value = min(max(values[i], levels.lowest), levels.highest)
            values[i] = values[i].isNaN ? .nan : levels.lowest + ((value - levels.lowest) * scale).rounded() / scale
        }
    }
}

extension Activation {
    /// The lowest and the highest value; nil if the range is unbounded.
    fileprivate func range(_ table: ActivationTable?) -> (lowest: Double, highest: Double)? {
        switch self {
        case .shiftedSigmoid, .hardSigmoid, .sigmoid, .halfHardSigmoid: (0, 1)
        case .tanh: (-1, 1)
        case .linear: nil
        case .tabulated: table?.range
        }
    }
}
