import CEPEngine
import CEPKernels
import Glibc

/// The equations of a network once more: arrays of arrays, loops, float64. Written from the paper's equations, not
/// from the engine, and slow.
struct ReferenceNetwork {
    typealias Matrix = [[Double]]
    /// Of each layer, input first: samples × units.
    typealias States = [Matrix]

    let setting: SettingKind
    let activation: Activation
    let untied: Bool
    /// Of connection k: units above × units below.
    var weights: [Matrix] = []
    var biases: [[Double]] = []
    /// Of connection k: units below × units above; empty where there is none.
    var feedback: [Matrix] = []

    /// Takes over the parameters a network has now.
    init<Element>(_ network: Network<Element>) {
        setting = network.configuration.setting
        activation = network.configuration.activation
        untied = network.configuration.feedback != .tied
        for connection in network.connections {
            weights.append(connection.parameters.weights.rowsAsFloat64)
            biases.append(connection.parameters.biases.rowsAsFloat64[0])
            feedback.append(connection.parameters.feedbackWeights?.rowsAsFloat64 ?? [])
        }
    }

    var last: Int { weights.count }

    /// ρ or σ.
    func activate(_ x: Double) -> Double {
        switch activation {
        case .shiftedSigmoid: 1 / (1 + exp(-4 * (x - 0.5)))
        case .hardSigmoid: min(max(x, 0), 1)
        case .tanh: tanh(x)
        }
    }

    /// ρ′.
    func slope(_ x: Double) -> Double {
        switch activation {
        case .shiftedSigmoid: 4 * activate(x) * (1 - activate(x))
        case .hardSigmoid: x >= 0 && x <= 1 ? 1 : 0
        case .tanh: 1 - tanh(x) * tanh(x)
        }
    }

    /// What a layer sends to its neighbours.
    func sent(_ x: Double) -> Double { setting == .prototypical ? x : activate(x) }

    /// The weight of the way down, from unit i of layer k + 1 to unit j of layer k.
    func wayDown(_ k: Int, from i: Int, to j: Int) -> Double { untied ? feedback[k][j][i] : weights[k][i][j] }

    /// Zero states with the input clamped to x.
    func zeroStates(_ x: Matrix) -> States {
        [x] + biases.map { bias in x.map { _ in [Double](repeating: 0, count: bias.count) } }
    }

    /// s(t+1) from s(t), all layers at once.
    func step(_ s: States, towards y: Matrix? = nil, beta: Double = 0) -> States {
        var new = s
        for layer in 1...last {
            for sample in s[0].indices {
                for unit in s[layer][sample].indices {
                    let drive = drive(s, layer, sample, unit)
                    let old = s[layer][sample][unit]
                    let pull = layer == last ? y.map { beta * ($0[sample][unit] - old) } ?? 0 : 0
                    switch setting {
                    case .prototypical:
                        new[layer][sample][unit] = activate(drive) + pull
                    case .realTime(let realTime):
                        let factor = untied || layer == last ? 1 : slope(old)
                        let moved = old + realTime.timeStep * (-old + factor * drive + pull)
                        new[layer][sample][unit] = realTime.clamp ? min(max(moved, 0), 1) : moved
                    }
                }
            }
        }
        return new
    }

    func relax(_ start: States, steps: Int, towards y: Matrix? = nil, beta: Double = 0) -> States {
        var s = start
        for _ in 0..<steps { s = step(s, towards: y, beta: beta) }
        return s
    }

    /// max |s(t+1) − s(t)|.
    static func largestChange(_ old: States, _ new: States) -> Double {
        var largest = 0.0
        for (a, b) in zip(old.joined().joined(), new.joined().joined()) { largest = max(largest, abs(b - a)) }
        return largest
    }

    private func drive(_ s: States, _ layer: Int, _ sample: Int, _ unit: Int) -> Double {
        var sum = biases[layer - 1][unit]
        for (j, below) in s[layer - 1][sample].enumerated() { sum += weights[layer - 1][unit][j] * sent(below) }
        guard layer < last else { return sum }
        for (i, above) in s[layer + 1][sample].enumerated() { sum += wayDown(layer, from: i, to: unit) * sent(above) }
        return sum
    }
}

extension Matrix {
    /// The values, row by row.
    var rowsAsFloat64: [[Double]] {
        (0..<rows).map { row in (0..<columns).map { Double(pointer[row * columns + $0]) } }
    }
}
