import CCEP
import CEPABI
import Testing

@Suite struct ArraysReachIntoTheNetwork {
    private static let samples = LentSamples(2)

    private func freePhase(_ network: CNetwork, _ samples: LentSamples = Self.samples, steps: Int64 = 4) {
        var x = samples.x
        _ = expectSuccess { cep_free_phase(network.pointer, &x, steps, 0, noProgress, &$0.outcome) }
    }

    @Test(arguments: NumberType.allCases)
    func layoutsGiveShapesAndTypes(_ type: NumberType) throws {
        let network = try CNetwork([4, 6, 5, 3]) {
            $0.dtype = type.dtype
            $0.feedback = cep_feedback(CEP_UNTIED)
        }
        freePhase(network)
        func expectLayout(_ kind: Int, _ index: Int64, _ dimensions: Int32, _ rows: Int64, _ columns: Int64) throws {
            let layout = try CArray(network, kind, index).layout
            #expect(layout.dtype == type.dtype && layout.dimensions == dimensions)
            #expect(layout.shape.0 == rows && layout.shape.1 == columns, "kind \(kind), index \(index)")
        }
        let sizes: [Int64] = [4, 6, 5, 3]
        for k in 0..<3 as Range<Int64> {
            let (below, above) = (sizes[Int(k)], sizes[Int(k) + 1])
            try expectLayout(CEP_WEIGHTS, k, 2, above, below)
            try expectLayout(CEP_BIASES, k, 1, above, 1)
            if k > 0 { try expectLayout(CEP_FEEDBACK_WEIGHTS, k, 2, below, above) }
        }
        for layer in 0...3 as ClosedRange<Int64> { try expectLayout(CEP_STATES, layer, 2, 2, sizes[Int(layer)]) }
    }

    /// Row-major, units above × units below: with one weight that is not zero the one unit above moves.
    @Test(arguments: NumberType.allCases)
    func writingAWeightChangesTheNextPhase(_ type: NumberType) throws {
        let network = try CNetwork {
            $0.dtype = type.dtype
            $0.activation = cep_activation(CEP_HARD_SIGMOID)
        }
        let weights = try CArray(network, CEP_WEIGHTS, 0)
        for k in 0..<2 as Range<Int64> {
            for kind in [CEP_WEIGHTS, CEP_BIASES] {
                let array = try CArray(network, kind, k)
                for i in 0..<array.count { array[i] = 0 }
            }
        }
        for (unit, input) in [(0, 3), (4, 0), (2, 1)] {
            weights[unit * 4 + input] = 0.5
            freePhase(network)
            let hidden = try CArray(network, CEP_STATES, 1)
            for sample in 0..<2 {
                for other in 0..<5 {
                    let expected = other == unit ? 0.5 * Self.samples.inputs[sample][input] : 0
                    #expect(abs(hidden[sample * 5 + other] - expected) < 1e-6, "unit \(other)")
                }
            }
            weights[unit * 4 + input] = 0
        }
    }

    @Test func inputStatesAreTheClampedInput() throws {
        let network = try CNetwork { $0.dtype = cep_dtype(CEP_FLOAT64) }
        freePhase(network)
        #expect(try CArray(network, CEP_STATES, 0).values == Array(Self.samples.inputs.joined()))
    }

    @Test func twoArraysOfTheSamePlaceAreTheSameMemory() throws {
        let network = try CNetwork()
        let (first, second) = (try CArray(network, CEP_BIASES, 1), try CArray(network, CEP_BIASES, 1))
        #expect(first.layout.data == second.layout.data)
        first[2] = 0.75
        #expect(second[2] == 0.75)
    }

    @Test func anArrayOutlivesItsNetwork() throws {
        var network: CNetwork? = try CNetwork()
        let arrays = try [CEP_WEIGHTS, CEP_BIASES].map { try CArray(try #require(network), $0, 1) }
        let values = arrays.map(\.values)
        network = nil
        // Others that would take the memory, had it been given back.
        for seed in 1...20 as ClosedRange<UInt64> { _ = try CNetwork { $0.seed = seed } }
        #expect(arrays.map(\.values) == values)
        arrays[0][0] = 7
        #expect(arrays[0][0] == 7)
    }

    @Test func statesKeepTheirMemoryUntilTheBatchSizeChanges() throws {
        let network = try CNetwork()
        freePhase(network)
        let array = try CArray(network, CEP_STATES, 2)
        let before = array.values
        freePhase(network, steps: 9)
        #expect(array.values != before, "the next phase is seen in the same memory")
        let kept = array.values
        freePhase(network, LentSamples(3))
        #expect(array.values == kept, "the old states are kept")
        #expect(try CArray(network, CEP_STATES, 2).layout.shape.0 == 3)
    }

    @Test func writingStatesChangesAContinuedPhase() throws {
        let network = try CNetwork { $0.dtype = cep_dtype(CEP_FLOAT64) }
        freePhase(network)
        let output = try CArray(network, CEP_STATES, 2)
        for i in 0..<output.count { output[i] = Double(i) }
        var targets = Self.samples.targets
        // Prototypical, one step: s ← σ(a) + β (y − s), with 0 < σ < 1.
        _ = expectSuccess { cep_nudged_phase(network.pointer, &targets, 10, 1, noProgress, &$0.outcome) }
        for (i, state) in output.values.enumerated() {
            let y: Double = Int64(i % 3) == Self.samples.labels[i / 3] ? 1 : 0
            let activated = state - 10 * (y - Double(i))
            #expect(activated > 0 && activated < 1)
        }
    }

    @Test func whatThereIsNotIsRefused() throws {
        let network = try CNetwork()
        func expectRefused(_ status: Int, _ kind: Int32, _ index: Int64, saying parts: [String]) {
            expectFailure(status, saying: parts) { cep_network_array(network.pointer, kind, index, &$0.array) }
        }
        for index in [-1, 2, Int64.min, .max] {
            for kind in [CEP_WEIGHTS, CEP_BIASES, CEP_FEEDBACK_WEIGHTS] {
                expectRefused(
                    CEP_INVALID_ARGUMENT, Int32(kind), index, saying: ["no connection \(index)", "0 to 1"])
            }
        }
        for index in [-1, 3, Int64.min, .max] {
            expectRefused(CEP_INVALID_ARGUMENT, Int32(CEP_STATES), index, saying: ["no layer \(index)", "0 to 2"])
        }
        for kind in [-1, 4, Int32.max] { expectRefused(CEP_INVALID_ARGUMENT, kind, 0, saying: ["\(kind)", "array"]) }
        expectRefused(CEP_INVALID_ARGUMENT, Int32(CEP_FEEDBACK_WEIGHTS), 1, saying: ["connection 1", "feedback"])
        expectRefused(CEP_INVALID_STATE, Int32(CEP_STATES), 0, saying: ["free phase first"])

        let untied = try CNetwork { $0.feedback = cep_feedback(CEP_UNTIED) }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["connection 0", "feedback"]) {
            cep_network_array(untied.pointer, cep_array_kind(CEP_FEEDBACK_WEIGHTS), 0, &$0.array)
        }
    }

    @Test func nullPointers() throws {
        let network = try CNetwork()
        let weights = cep_array_kind(CEP_WEIGHTS)
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["network", "NULL"]) {
            cep_network_array(nil, weights, 0, &$0.array)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["array", "NULL"]) { _ in
            cep_network_array(network.pointer, weights, 0, nil)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["array", "NULL"]) { cep_array_describe(nil, &$0.layout) }
        let array = try CArray(network, CEP_WEIGHTS, 0)
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["layout", "NULL"]) { _ in cep_array_describe(array.pointer, nil) }
    }
}
