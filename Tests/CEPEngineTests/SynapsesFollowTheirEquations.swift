import CEPEngine
import CEPKernels
import Glibc
import Testing

@Suite struct SynapsesFollowTheirEquations {
    /// One pulse from a weight: the step up or down, with the bounds and sizes of `devices`.
    typealias Step = @Sendable (_ weight: Double, _ isUp: Bool) -> Double

    static let devices: [(word: String, bounds: ClosedRange<Double>, step: Step)] = [
        ("constant_step:dw_min=0.0016:up_down=0.1:w_max=0.7", -1...0.7, { _, up in 0.0016 * (up ? 1.1 : 0.9) }),
        (
            "linear_step:dw_min=0.002:w_max=1.1724:w_min=-0.8276:gamma_up=0.1153:gamma_down=0.5085", -0.8276...1.1724,
            { w, up in 0.002 * (up ? 1 - 0.1153 * w / 1.1724 : 1 + 0.5085 * w / 0.8276) }
        ),
        ("soft_bounds:dw_min=0.004:w_min=-0.5", -0.5...1, { w, up in 0.004 * (up ? 1 - w : 1 + 2 * w) }),
        (
            "exponential_step:dw_min=0.00135:A_up=-1.18445:A_down=-0.081404:gamma_up=5:gamma_down=5:a=-0.5:b=-0.5",
            -1...1,
            { w, up in
                let z = -0.5 * w - 0.5
                return 0.00135 * max(0, up ? 1 + 1.18445 * exp(5 * z) : 1 + 0.081404 * exp(-5 * z))
            }
        ),
        (
            "power_step:dw_min=0.003:pow_gamma=1.7:w_min=-0.9", -0.9...1,
            { w, up in 0.003 * pow(up ? (1 - w) / 1.9 : (w + 0.9) / 1.9, 1.7) }
        ),
    ]

    static let directions: [[Bool]] = {
        var numbers = NumberStream(3)
        return [
            Array(repeating: true, count: 1600), Array(repeating: false, count: 1600),
            (0..<1600).map { _ in numbers.next() < 0.5 },
        ]
    }()

    @Test(arguments: devices.indices, directions.indices)
    func pulsesFollowTheEquations(_ device: Int, _ which: Int) throws {
        let (word, bounds, step) = Self.devices[device]
        let directions = Self.directions[which]
        let response = try SynapseKind(rawValue: word).pulseResponse(directions, from: 0.1, seed: 0)
        var weight = 0.1
        for (isUp, found) in zip(directions, response) {
            weight += (isUp ? 1 : -1) * step(weight, isUp)
            weight = min(max(weight, bounds.lowerBound), bounds.upperBound)
            #expect(abs(found - weight) < 1e-12)
        }
        #expect(Set(response).count > 50)
    }

    @Test func invalidSynapsesAreRefused() throws {
        for word in [
            "", "memristor", "constant_step", "constant_step:dw_min", "constant_step:dw_min=0.1:dw_min=0.1",
            "constant_step:dw_min=0.1:speed=1", "constant_step:dw_min=3", "quantized:bits=17:w_min=-1:w_max=1",
            "bounded:w_min=1:w_max=-1", "soft_bounds:dw_min=0.1:w_min=0", "constant_step:dw_min=inf",
        ] {
            #expect(throws: EngineError.self) { try SynapseKind(rawValue: word).model() }
        }
    }

    @Test(arguments: NumberType.allCases)
    func idealSynapsesChangeNoBit(_ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            var bits: [[[UInt64]]] = []
            for synapses in [[], [SynapseKind.ideal]] {
                var configuration = NetworkConfiguration(sizes: [5, 6, 3], seed: 2)
                configuration.hardware.synapses = synapses
                let network = try Network<Element>(configuration)
                var numbers = NumberStream()
                let samples = Samples(
                    inputs: try SampleMatrix(numbers.matrix(4, 5)), classes: [0, 1, 2, 0])
                let rule = ContinualEquilibriumPropagation<Element>(
                    TwoPhases(freeSteps: 5, nudgedSteps: 3, beta: 0.5), learningRates: [0.5, 0.5])
                try network.trainBatch(samples, rule: rule)
                bits.append(network.parameterBits)
            }
            #expect(bits[0] == bits[1])
        }
        try check(type.scalar)
    }
}
