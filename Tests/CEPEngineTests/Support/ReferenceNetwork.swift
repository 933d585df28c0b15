import CEPEngine
import CEPKernels
import Glibc

/// An independent, slow implementation of a network's equations with arrays of arrays, loops and float64, written from
/// the paper's equations.
struct ReferenceNetwork {
    typealias Matrix = [[Double]]
    /// The states of each layer, input first: samples × units.
    typealias States = [Matrix]

    let setting: SettingKind
    let nudging: Nudging
    let objective: ObjectiveKind
    /// The activation of each layer, input first.
    let activations: [Activation]
    let untied: Bool
    /// The layers that connection k joins.
    let edges: [Edge]
    /// The weights of connection k: units above × units below.
    var weights: [Matrix] = []
    /// Empty for a connection without biases.
    var biases: [[Double]] = []
    /// The feedback weights of connection k: units below × units above; empty if it has no feedback weights.
    var feedback: [Matrix] = []
    /// The weights of a readout; empty without one.
    var readoutWeights: Matrix = []
    var readoutBiases: [Double] = []

    /// Copies the present parameters of a network.
    init<Element>(_ network: Network<Element>) {
        let configuration = network.configuration
        setting = configuration.setting
        nudging = configuration.nudging
        objective = configuration.objective
        activations = configuration.layers.map(\.activation)
        untied = configuration.feedback != .tied
        edges = network.edges
        for connection in network.connections {
            weights.append(connection.parameters.weights.rowsAsFloat64)
            biases.append(connection.parameters.biases?.rowsAsFloat64[0] ?? [])
            feedback.append(connection.parameters.feedbackWeights?.rowsAsFloat64 ?? [])
        }
        if let readout = network.objective.parameters {
            readoutWeights = readout.weights.rowsAsFloat64
            readoutBiases = readout.biases?.rowsAsFloat64[0] ?? []
        }
    }

    var last: Int { activations.count - 1 }

    /// ρ or σ of a layer.
    func activate(_ x: Double, _ layer: Int) -> Double {
        switch activations[layer] {
        case .shiftedSigmoid: 1 / (1 + exp(-4 * (x - 0.5)))
        case .hardSigmoid: min(max(x, 0), 1)
        case .tanh: tanh(x)
        case .sigmoid: 1 / (1 + exp(-x))
        case .halfHardSigmoid: min(max(x / 2, 0), 1)
        case .linear, .tabulated: x
        }
    }

    /// ρ′.
    func slope(_ x: Double, _ layer: Int) -> Double {
        let y = activate(x, layer)
        return switch activations[layer] {
        case .shiftedSigmoid: 4 * y * (1 - y)
        case .hardSigmoid: x >= 0 && x <= 1 ? 1 : 0
        case .tanh: 1 - y * y
        case .sigmoid: y * (1 - y)
        case .halfHardSigmoid: x >= 0 && x <= 2 ? 0.5 : 0
        case .linear, .tabulated: 1
        }
    }

    /// The activity of a unit.
    func activity(_ x: Double, _ layer: Int) -> Double { setting == .prototypical ? x : activate(x, layer) }

    /// The feedback weight of connection k, from unit i above to unit j below.
    func feedbackWeight(_ k: Int, from i: Int, to j: Int) -> Double { untied ? feedback[k][j][i] : weights[k][i][j] }

    /// Zero states with the input clamped to x.
    func zeroStates(_ x: Matrix) -> States {
        [x] + (0..<last).map { k in x.map { _ in [Double](repeating: 0, count: biases[k].count) } }
    }

    /// The scores of one sample.
    func scores(_ s: States, _ sample: Int) -> [Double] {
        let output = s[last][sample]
        guard !readoutWeights.isEmpty else { return output }
        return zip(readoutWeights, readoutBiases).map { row, bias in bias + zip(row, output).map(*).reduce(0, +) }
    }

    /// The negative derivative of the loss of one sample with respect to the last layer.
    func pull(_ s: States, _ sample: Int, towards y: [Double]) -> [Double] {
        let scores = scores(s, sample)
        guard objective != .squaredError else { return zip(y, scores).map { $0 - $1 } }
        let total = scores.map { exp($0) }.reduce(0, +)
        let errors = zip(y, scores).map { $0 - y.reduce(0, +) * exp($1) / total }
        guard !readoutWeights.isEmpty else { return errors }
        return s[last][sample].indices.map { j in
            readoutWeights.indices.map { readoutWeights[$0][j] * errors[$0] }.reduce(0, +)
        }
    }

    /// s(t+1) from s(t), all layers at once.
    func step(_ s: States, towards y: Matrix? = nil, beta: Double = 0) -> States {
        var new = s
        let hasReadout = !readoutWeights.isEmpty
        for sample in s[0].indices {
            let pulls = y.map { pull(s, sample, towards: $0[sample]).map { beta * $0 } }
            for layer in 1...last {
                for unit in s[layer][sample].indices {
                    let preactivation = preactivation(s, layer, sample, unit)
                    let old = s[layer][sample][unit]
                    let pull = layer == last ? pulls?[unit] ?? 0 : 0
                    switch setting {
                    case .prototypical:
                        new[layer][sample][unit] =
                            nudging == .inside
                            ? activate(preactivation + pull, layer) : activate(preactivation, layer) + pull
                    case .realTime(let realTime):
                        let factor = untied || layer == last && !hasReadout ? 1 : slope(old, layer)
                        let moved = old + realTime.timeStep * (-old + factor * preactivation + pull)
                        let clamps = realTime.clamp && activations[layer] != .linear
                        new[layer][sample][unit] = clamps ? min(max(moved, 0), 1) : moved
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

    private func preactivation(_ s: States, _ layer: Int, _ sample: Int, _ unit: Int) -> Double {
        var sum = 0.0
        for (k, edge) in edges.enumerated() {
            if edge.to == layer {
                sum += biases[k].isEmpty ? 0 : biases[k][unit]
                for (j, below) in s[edge.from][sample].enumerated() {
                    sum += weights[k][unit][j] * activity(below, edge.from)
                }
            }
            if edge.from == layer {
                for (i, above) in s[edge.to][sample].enumerated() {
                    sum += feedbackWeight(k, from: i, to: unit) * activity(above, edge.to)
                }
            }
        }
        return sum
    }
}

extension Matrix {
    /// The values, row by row.
    var rowsAsFloat64: [[Double]] {
        (0..<rows).map { row in (0..<columns).map { Double(pointer[row * columns + $0]) } }
    }
}
