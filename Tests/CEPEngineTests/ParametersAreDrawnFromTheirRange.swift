import CEPEngine
import CEPKernels
import Glibc
import Testing

@Suite struct ParametersAreDrawnFromTheirRange {
    /// All widths differ, so that fan_in and fan_out cannot be confused.
    static let sizes = [400, 100, 30, 10]

    @Test(arguments: NumberType.allCases, [Feedback.tied, .untied(angle: 90)])
    func weightsAndBiasesAreUniformWithinOneOverRootOfFanIn(_ type: NumberType, _ feedback: Feedback) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            for seed in [0, 1, UInt64.max] {
                let network = try Network<Element>(
                    NetworkConfiguration(sizes: Self.sizes, feedback: feedback, seed: seed))
                for (k, connection) in network.connections.enumerated() {
                    let bound = 1 / Double(Self.sizes[k]).squareRoot()
                    let parameters = connection.parameters
                    #expect(parameters.weights.rows == Self.sizes[k + 1] && parameters.weights.columns == Self.sizes[k])
                    let biases = try #require(parameters.biases)
                    #expect(biases.count == Self.sizes[k + 1])
                    expectUniform(parameters.weights.values, Element(bound), "weights \(k)")
                    expectUniform(biases.values, Element(bound), "biases \(k)")
                }
            }
        }
        try check(type.scalar)
    }

    /// Within ±bound, close to the bounds, and with the mean 0, variance bound²/3 and quarters of a uniform
    /// distribution.
    private func expectUniform<Element: KernelScalar>(_ values: [Double], _ bound: Element, _ name: String) {
        let (bound, count) = (Double(bound), Double(values.count))
        #expect(values.allSatisfy { abs($0) <= bound }, "\(name)")
        // The largest of n draws is below 1 − 20/n with probability e^−10.
        #expect((values.max() ?? 0) > bound * (1 - 20 / count), "\(name)")
        #expect((values.min() ?? 0) < -bound * (1 - 20 / count), "\(name)")
        let deviation = bound / 3.0.squareRoot()
        let mean = values.reduce(0, +) / count
        #expect(abs(mean) < 5 * deviation / count.squareRoot(), "\(name)")
        let variance = values.map { $0 * $0 }.reduce(0, +) / count
        // The variance of u² for u uniform in ±1 is 4/45.
        #expect(abs(variance / (bound * bound) - 1.0 / 3) < 5 * (4.0 / 45 / count).squareRoot(), "\(name)")
        #expect(Set(values).count > values.count * 9 / 10, "\(name)")
    }

    @Test func theSameSeedGivesTheSameParametersUpToRounding() throws {
        for feedback in [Feedback.tied, .untied(angle: 50)] {
            let configuration = NetworkConfiguration(sizes: [7, 5, 4, 3], feedback: feedback, seed: 11)
            let (first, second) = (try Network<Double>(configuration), try Network<Double>(configuration))
            let narrow = try Network<Float>(configuration)
            #expect(first.parameterBits == second.parameterBits)
            #expect(narrow.parameterValues == first.parameterValues.map { $0.map { Double(Float($0)) } })
        }
    }

    @Test(arguments: NumberType.allCases)
    func differentSeedsGiveDifferentParameters(_ type: NumberType) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            var seen: [[Double]] = []
            for seed in [0, 1, 2, 1 << 32, UInt64.max] {
                let values = try Network<Element>(NetworkConfiguration(sizes: [5, 4, 3], seed: seed)).parameterValues
                seen.append(Array(values.joined()))
            }
            for (i, one) in seen.enumerated() {
                for other in seen[..<i] {
                    let equal = zip(one, other).filter { $0 == $1 }
                    #expect(equal.isEmpty)
                }
            }
        }
        try check(type.scalar)
    }

    /// Only the seed, the sizes and the feedback determine the parameters.
    @Test func theSettingAndTheActivationDoNotMatter() throws {
        let plain = try Network<Double>(NetworkConfiguration(sizes: [5, 4, 3], seed: 3))
        let other = try Network<Double>(
            NetworkConfiguration(
                sizes: [5, 4, 3], setting: .realTime(RealTime(timeStep: 0.1, clamp: false)), activation: .tanh, seed: 3)
        )
        #expect(plain.parameterBits == other.parameterBits)
    }

    @Test(arguments: NumberType.allCases, [0.0, 30, 90, 180])
    func untiedForwardWeightsAreThoseOfTheTiedNetwork(_ type: NumberType, _ angle: Double) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let tied = try Network<Element>(NetworkConfiguration(sizes: [7, 6, 5, 3], seed: 4))
            let untied = try Network<Element>(
                NetworkConfiguration(sizes: [7, 6, 5, 3], feedback: .untied(angle: angle), seed: 4))
            for (a, b) in zip(tied.connections, untied.connections) {
                #expect(a.parameters.weights.values == b.parameters.weights.values)
                #expect(a.parameters.biases?.values == b.parameters.biases?.values)
            }
        }
        try check(type.scalar)
    }

    /// Feedback is the transpose, with signs flipped with probability ½ (1 − cos angle).
    @Test(arguments: NumberType.allCases, [0.0, 45, 90, 135, 180])
    func feedbackIsTheTransposeWithSignsFlipped(_ type: NumberType, _ angle: Double) throws {
        func check<Element: KernelScalar>(_: Element.Type) throws {
            let sizes = [3, 90, 70, 50]
            let network = try Network<Element>(
                NetworkConfiguration(sizes: sizes, feedback: .untied(angle: angle), seed: 5))
            #expect(network.connections[0].parameters.feedbackWeights == nil, "the input is clamped")
            for k in 1...2 {
                let forward = network.connections[k].parameters.weights.rowsAsFloat64
                let matrix = try #require(network.connections[k].parameters.feedbackWeights)
                #expect(matrix.rows == sizes[k] && matrix.columns == sizes[k + 1])
                let feedback = matrix.rowsAsFloat64
                var flipped = 0
                for i in 0..<matrix.rows {
                    for j in 0..<matrix.columns {
                        #expect(abs(feedback[i][j]) == abs(forward[j][i]))
                        if feedback[i][j] != forward[j][i] { flipped += 1 }
                    }
                }
                let probability = (1 - cos(angle * .pi / 180)) / 2
                let (mean, count) = (probability * Double(matrix.count), Double(matrix.count))
                let deviation = (count * probability * (1 - probability)).squareRoot()
                #expect(abs(Double(flipped) - mean) <= 4 * deviation + 1e-9, "\(flipped) of \(matrix.count)")
            }
        }
        try check(type.scalar)
    }

    @Test func tiedConnectionsHaveNoFeedbackWeights() throws {
        let network = try Network<Float>(NetworkConfiguration(sizes: [3, 4, 2]))
        for connection in network.connections { #expect(connection.parameters.feedbackWeights == nil) }
    }
}
