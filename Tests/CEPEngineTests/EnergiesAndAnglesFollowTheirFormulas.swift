import CEPEngine
import CEPKernels
import Glibc
import Testing

@Suite struct EnergiesAndAnglesFollowTheirFormulas {
    static let tied = NetworkCase.all.filter { $0.type == .float64 && $0.configuration.feedback == .tied }

    /// E = ½ Σ s² − Σ ρ(s_{k+1})ᵀ W_k ρ(s_k) − Σ bᵀ ρ(s); in the prototypical setting without the squares and with s
    /// for ρ(s).
    @Test(arguments: tied)
    func energies(_ example: NetworkCase) throws {
        let network = try Network<Double>(example.configuration)
        let reference = ReferenceNetwork(network)
        let data = Dataset.random(example.batch, inputs: example.inputs, classes: example.outputs)
        try network.freePhase(data.inputs, steps: 3)
        let states = reference.relax(reference.zeroStates(data.inputs), steps: 3)
        let found = try network.energy().values
        #expect(found.count == example.batch)
        for (sample, energy) in found.enumerated() {
            var expected = 0.0
            for k in reference.weights.indices {
                for (i, above) in states[k + 1][sample].enumerated() {
                    let products = zip(reference.weights[k][i], states[k][sample]).map {
                        $0 * reference.activity($1, k)
                    }
                    expected -= reference.activity(above, k + 1) * (products.reduce(0, +) + reference.biases[k][i])
                    if example.configuration.setting != .prototypical { expected += above * above / 2 }
                }
            }
            #expect(abs(energy - expected) < 1e-12)
        }
    }

    @Test func energiesThatAreNotDefined() throws {
        expectError(EngineError.invalidState, saying: ["free phase"]) {
            _ = try Network<Double>(NetworkConfiguration(sizes: [3, 4, 2])).energy()
        }
        expectError(EngineError.invalidArgument, saying: ["untied"]) {
            _ = try Network<Double>(NetworkConfiguration(sizes: [3, 4, 2], feedback: .untied(angle: 10))).energy()
        }
    }

    /// The angle whose cosine is ⟨V, Wᵀ⟩ / (|V| |W|).
    @Test(arguments: [0.0, 30, 90, 150, 180])
    func anglesOfFeedback(_ initial: Double) throws {
        let network = try Network<Double>(
            NetworkConfiguration(sizes: [3, 9, 7, 2], feedback: .untied(angle: initial), seed: 4))
        let reference = ReferenceNetwork(network)
        expectError(EngineError.invalidArgument, saying: ["connection 0", "input"]) {
            _ = try network.feedbackAngle(of: 0)
        }
        for index in [-1, 3, .max] {
            expectError(EngineError.invalidArgument, saying: ["connection \(index)", "0 to 2"]) {
                _ = try network.feedbackAngle(of: index)
            }
        }
        for k in 1...2 {
            var (product, squares) = (0.0, 0.0)
            for (i, row) in reference.weights[k].enumerated() {
                for (j, weight) in row.enumerated() {
                    product += weight * reference.feedback[k][j][i]
                    squares += weight * weight
                }
            }
            // Both have the same length, because only signs differ.
            let expected = acos(max(-1, min(1, product / squares))) * 180 / .pi
            let found = try network.feedbackAngle(of: k)
            #expect(abs(found - expected) < 1e-5, "connection \(k)")
            if initial == 0 || initial == 180 { #expect(abs(found - initial) < 1e-5) }
        }
    }

    @Test func anglesOfTiedAndZeroWeights() throws {
        #expect(try Network<Double>(NetworkConfiguration(sizes: [3, 4, 2])).feedbackAngle(of: 1) == 0)
        let network = try Network<Double>(NetworkConfiguration(sizes: [3, 4, 2], feedback: .untied(angle: 10)))
        let weights = network.connections[1].parameters.weights
        for i in 0..<weights.count { weights.pointer[i] = 0 }
        #expect(try network.feedbackAngle(of: 1).isNaN, "a vector of no length")
    }
}
