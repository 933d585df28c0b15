import CEPKernels
import Testing

@Suite struct StepsFollowTheirEquations {
    static let counts = [1, 2, 15, 16, 17, 64, 100]
    static let pulls: [Double?] = [nil, 0.3, -0.7]

    @Test(arguments: NumberType.allCases, Activation.allCases)
    func prototypical(_ type: NumberType, _ activation: Activation) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for (count, beta) in cases {
                let layer = Layer<Element>(count, beta)
                var state = layer.state
                _ = layer.withPull { pull in
                    move(&state, from: layer.preactivation, activation: activation) { stepPrototypical($0, pull: pull) }
                }
                for i in 0..<count {
                    let pulled = (beta ?? 0) * Double(layer.pull[i])
                    let expected = activation.reference(Double(layer.preactivation[i])) + pulled
                    #expect(
                        abs(Double(state[i]) - expected) <= Element.tolerance, "unit \(i) of \(count), β \(beta ?? 0)")
                }
            }
        }
        check(type.scalar)
    }

    @Test(arguments: NumberType.allCases, [nil] + Activation.allCases)
    func realTime(_ type: NumberType, _ derivativeOf: Activation?) {
        func check<Element: KernelScalar>(_: Element.Type) {
            for (count, beta) in cases {
                for (timeStep, clamp) in [(0.2, true), (0.5, false), (1.0, true), (1.0, false)] {
                    let layer = Layer<Element>(count, beta)
                    var state = layer.state
                    _ = layer.withPull { pull in
                        move(&state, from: layer.preactivation, activation: derivativeOf ?? .tanh) {
                            stepRealTime(
                                $0, hasDerivative: derivativeOf != nil, pull: pull, timeStep: Element(timeStep),
                                clamp: clamp)
                        }
                    }
                    for i in 0..<count {
                        let old = Double(layer.state[i])
                        let slope = derivativeOf.map { slopeOf($0, at: old) } ?? 1
                        let pulled = (beta ?? 0) * Double(layer.pull[i])
                        var expected = old + timeStep * (-old + slope * Double(layer.preactivation[i]) + pulled)
                        if clamp { expected = min(max(expected, 0), 1) }
                        #expect(
                            abs(Double(state[i]) - expected) <= max(Element.tolerance, 1e-9),
                            "unit \(i) of \(count), β \(beta ?? 0), dt \(timeStep), clamp \(clamp)")
                    }
                }
            }
        }
        check(type.scalar)
    }

    @Test func statesCoverAllPiecesOfTheActivation() {
        let layer = Layer<Double>(100, nil)
        #expect(layer.state.contains { $0 < 0 } && layer.state.contains { $0 > 0 && $0 < 1 })
        #expect(layer.state.contains { $0 > 1 } && layer.state.contains(0) && layer.state.contains(1))
    }

    private var cases: [(Int, Double?)] { Self.counts.flatMap { count in Self.pulls.map { (count, $0) } } }

    /// ρ′; the hard sigmoid has slope 1 on the closed interval.
    private func slopeOf(_ activation: Activation, at x: Double) -> Double {
        switch activation {
        case .hardSigmoid: x >= 0 && x <= 1 ? 1 : 0
        case .halfHardSigmoid: x >= 0 && x <= 2 ? 0.5 : 0
        default: activation.referenceDerivative(x)
        }
    }
}

/// The arguments of a step: a layer of random numbers, and two states at the bounds.
private struct Layer<Element: KernelScalar> {
    let preactivation: [Element]
    let state: [Element]
    let pull: [Element]
    let beta: Double?

    init(_ count: Int, _ beta: Double?) {
        var stream = NumberStream(UInt64(count))
        preactivation = stream.array(count, in: -1.5...2)
        var state = stream.array(count, in: -0.5...1.5) as [Element]
        (state[count - 1], state[0]) = (1, 0)
        self.state = state
        pull = stream.array(count, in: -1...1)
        self.beta = beta
    }

    func withPull<Result>(_ body: (Pull<Element>?) -> Result) -> Result {
        guard let beta else { return body(nil) }
        return pull.withUnsafeBufferPointer { pull in
            guard let start = pull.baseAddress else { return body(nil) }
            return body(Pull(values: start, strength: Element(beta)))
        }
    }
}
