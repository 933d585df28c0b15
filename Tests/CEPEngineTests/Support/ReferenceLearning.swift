import CEPEngine
import CEPKernels
import Glibc

/// The rules, for the arguments of tests.
enum RuleKind: String, CaseIterable, Sendable {
    case ep, cep
    /// C-EP that writes the weights at every step.
    case cepWriting = "cep writing every step"

    func rule<Element: KernelScalar>(_ phases: Conditions) -> any LearningRule<Element> {
        switch self {
        case .ep: EquilibriumPropagation(phases)
        case .cep: ContinualEquilibriumPropagation(phases)
        case .cepWriting: ContinualEquilibriumPropagation(phases, writesEveryStep: true)
        }
    }
}

extension ReferenceNetwork {
    /// One batch.
    ///
    /// - Returns: Wrong predictions, and Σ ½ |s_L − y|², at the end of the free phase.
    mutating func train(_ kind: RuleKind, _ phases: Conditions, x: Matrix, y: Matrix) -> (errors: Int, lossSum: Double)
    {
        let free = relax(zeroStates(x), steps: phases.freeSteps)
        let result = compare(free, with: y)
        switch kind {
        case .ep:
            let nudged = relax(free, steps: phases.nudgedSteps, towards: y, beta: phases.beta)
            update(from: free, to: nudged, phases)
            updateReadout(at: nudged, y, phases)
        case .cep, .cepWriting:
            var old = free
            for _ in 0..<phases.nudgedSteps {
                let new = step(old, towards: y, beta: phases.beta)
                update(from: old, to: new, phases)
                old = new
            }
            updateReadout(at: old, y, phases)
        }
        return result
    }

    /// Tied: ΔW = η/(βB) (s′ᵀ s′ − sᵀ s), Δb = η/(βB) Σ (s′ − s), with activities for s. Untied: ΔW = η/(βB) (s′ − s)ᵀ
    /// s, ΔV likewise, Δb = η/(βB) Σ (s′ − s), with activities for the second factor.
    mutating func update(from old: States, to new: States, _ phases: Conditions) {
        for (k, edge) in edges.enumerated() {
            for sample in old[0].indices {
                let rate = phases.learningRates[k] / (phases.beta * Double(old[0].count))
                let (oldBelow, newBelow) = (old[edge.from][sample], new[edge.from][sample])
                let (oldAbove, newAbove) = (old[edge.to][sample], new[edge.to][sample])
                for i in oldAbove.indices {
                    let (sOld, sNew) = (oldAbove[i], newAbove[i])
                    let (rOld, rNew) = (activity(sOld, edge.to), activity(sNew, edge.to))
                    if !biases[k].isEmpty { biases[k][i] += rate * (untied ? sNew - sOld : rNew - rOld) }
                    for j in oldBelow.indices {
                        // The activity of the input is ρ(x) in the real-time setting.
                        let (below, belowNew) = (activity(oldBelow[j], edge.from), activity(newBelow[j], edge.from))
                        if untied {
                            weights[k][i][j] += rate * (sNew - sOld) * below
                            if edge.from > 0 { feedback[k][j][i] += rate * (newBelow[j] - oldBelow[j]) * rOld }
                        } else {
                            weights[k][i][j] += rate * (rNew * belowNew - rOld * below)
                        }
                    }
                }
            }
        }
    }

    /// ΔW = (η/B) Σ (y − (Σ y) softmax(o)) sᵀ, with the last of the learning rates.
    private mutating func updateReadout(at states: States, _ y: Matrix, _ phases: Conditions) {
        let before = self
        for sample in y.indices where !readoutWeights.isEmpty {
            let scores = before.scores(states, sample)
            let total = scores.map { exp($0) }.reduce(0, +)
            let rate = phases.learningRates[phases.learningRates.count - 1] / Double(y.count)
            for i in scores.indices {
                let error = y[sample][i] - y[sample].reduce(0, +) * exp(scores[i]) / total
                readoutBiases[i] += rate * error
                for j in states[last][sample].indices { readoutWeights[i][j] += rate * error * states[last][sample][j] }
            }
        }
    }

    /// The mean loss.
    func loss(_ states: States, _ y: Matrix) -> Double { compare(states, with: y).lossSum / Double(y.count) }

    /// The same network with all parameters moved along a direction, in the order of `parameterValues`.
    func moved(_ step: Double, along direction: [[Double]]) -> ReferenceNetwork {
        func add(_ values: [Double], to matrix: inout Matrix) {
            var place = 0
            for i in matrix.indices {
                for j in matrix[i].indices {
                    matrix[i][j] += step * values[place]
                    place += 1
                }
            }
        }
        var result = self
        var rest = direction[...]
        for k in weights.indices {
            add(rest.removeFirst(), to: &result.weights[k])
            if !biases[k].isEmpty {
                for (i, value) in rest.removeFirst().enumerated() { result.biases[k][i] += step * value }
            }
            if !feedback[k].isEmpty { add(rest.removeFirst(), to: &result.feedback[k]) }
        }
        if !readoutWeights.isEmpty {
            add(rest.removeFirst(), to: &result.readoutWeights)
            for (i, value) in rest.removeFirst().enumerated() { result.readoutBiases[i] += step * value }
        }
        return result
    }

    /// The class is the first largest value of a row.
    func compare(_ states: States, with y: Matrix) -> (errors: Int, lossSum: Double) {
        var errors = 0
        var lossSum = 0.0
        for (sample, wanted) in y.enumerated() {
            let scores = scores(states, sample)
            if Self.largest(scores) != Self.largest(wanted) { errors += 1 }
            if objective == .squaredError {
                for (a, b) in zip(scores, wanted) { lossSum += 0.5 * (a - b) * (a - b) }
            } else {
                let logTotal = log(scores.map { exp($0) }.reduce(0, +))
                for (a, b) in zip(scores, wanted) { lossSum += b * (logTotal - a) }
            }
        }
        return (errors, lossSum)
    }

    static func largest(_ row: [Double]) -> Int {
        var best = 0
        for i in row.indices where row[i] > row[best] { best = i }
        return best
    }
}
