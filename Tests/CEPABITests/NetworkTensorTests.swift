import CCEP
import CEPABI
import Testing

@Suite struct NetworkTensorTests {
    private static let samples = TestSamples(2)

    private func freePhase(_ network: CNetwork, _ samples: TestSamples = Self.samples, steps: Int64 = 4) {
        expectSuccess { cep_free_phase(network.pointer, samples.x, steps, 0, noProgress, &$0.outcome) }
    }

    @Test(arguments: NumberType.allCases)
    func tensorsHaveRankShapeAndStrides(_ type: NumberType) throws {
        let sizes: [Int64] = [4, 6, 5, 3]
        let network = try CNetwork(sizes, ["dtype": type.option, "feedback": "untied"])
        freePhase(network)
        func expectLayout(_ name: String, _ index: Int64, _ shape: [Int64]) throws {
            let tensor = try network.tensor(name, index)
            #expect(tensor.tensor.dtype == type.dtype && tensor.tensor.data != nil)
            #expect(tensor.rank == shape.count && tensor.shape == shape, "\(name), index \(index)")
            let strides = shape.count == 1 ? [type.size] : [shape[1] * type.size, type.size]
            #expect(tensor.strides == strides, "\(name), index \(index)")
        }
        for k in 0..<3 as Range<Int64> {
            let (below, above) = (sizes[Int(k)], sizes[Int(k) + 1])
            try expectLayout("weights", k, [above, below])
            try expectLayout("biases", k, [above])
            if k > 0 { try expectLayout("feedback_weights", k, [below, above]) }
        }
        for layer in 0...3 as ClosedRange<Int64> { try expectLayout("states", layer, [2, sizes[Int(layer)]]) }
    }

    /// Row-major, units above × units below: with a single weight that is not zero, a single unit above moves.
    @Test(arguments: NumberType.allCases)
    func writingAWeightChangesTheNextPhase(_ type: NumberType) throws {
        let network = try CNetwork([4, 5, 3], ["dtype": type.option, "activation": "hard_sigmoid"])
        for (name, index) in try network.parameterNames() {
            let tensor = try network.tensor(name, index)
            for i in 0..<tensor.count { tensor[i] = 0 }
        }
        let weights = try network.tensor("weights", 0)
        for (unit, input) in [(0, 3), (4, 0), (2, 1)] {
            weights[unit * 4 + input] = 0.5
            freePhase(network)
            let hidden = try network.tensor("states", 1)
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
        let network = try CNetwork([4, 5, 3], ["dtype": "float64"])
        freePhase(network)
        #expect(try network.tensor("states", 0).values == Array(Self.samples.inputs.joined()))
    }

    @Test func twoTensorsOfAParameterAreTheSameMemory() throws {
        let network = try CNetwork()
        let (first, second) = (try network.tensor("biases", 1), try network.tensor("biases", 1))
        #expect(first.tensor.data == second.tensor.data && first.tensor.memory != second.tensor.memory)
        first[2] = 0.75
        #expect(second[2] == 0.75)
        first.release()
        #expect(second[2] == 0.75)
    }

    @Test func aTensorOutlivesItsNetwork() throws {
        var network: CNetwork? = try CNetwork()
        let tensors = try ["weights", "biases"].map { try #require(network).tensor($0, 1) }
        let values = tensors.map(\.values)
        network = nil
        // Creates other networks, which would get the memory if it had been freed.
        for seed in 1...20 as ClosedRange<Int64> { _ = try CNetwork([4, 5, 3], ["seed": .integers([seed])]) }
        #expect(tensors.map(\.values) == values)
        tensors[0][0] = 7
        #expect(tensors[0][0] == 7)
    }

    @Test func releaseSetsATensorToZero() throws {
        let network = try CNetwork()
        var tensor = cep_tensor()
        try check(cep_network_tensor(network.pointer, "weights", 0, &tensor))
        let copy = tensor
        for _ in 0..<2 {
            cep_tensor_release(&tensor)
            #expect(withUnsafeBytes(of: &tensor) { $0.allSatisfy { $0 == 0 } })
        }
        cep_tensor_release(nil)
        // The memory of the copied struct has been released already: nothing happens.
        var second = copy
        cep_tensor_release(&second)
        #expect(second.data == nil && second.memory == nil)
    }

    @Test func statesKeepTheirMemoryUntilTheBatchSizeChanges() throws {
        let network = try CNetwork()
        freePhase(network)
        let tensor = try network.tensor("states", 2)
        let before = tensor.values
        freePhase(network, steps: 9)
        #expect(tensor.values != before, "the next phase writes the same memory")
        let kept = tensor.values
        freePhase(network, TestSamples(3))
        #expect(tensor.values == kept, "the tensor keeps the old states")
        #expect(try network.tensor("states", 2).shape == [3, 3])
    }

    @Test func writingStatesChangesAContinuedPhase() throws {
        let network = try CNetwork([4, 5, 3], ["dtype": "float64"])
        freePhase(network)
        let output = try network.tensor("states", 2)
        for i in 0..<output.count { output[i] = Double(i) }
        // Prototypical, one step: s ← σ(a) + β (y − s), with 0 < σ < 1.
        expectSuccess { cep_nudged_phase(network.pointer, Self.samples.targets, 10, 1, noProgress, &$0.outcome) }
        for (i, state) in output.values.enumerated() {
            let y: Double = Int64(i % 3) == Self.samples.classes[i / 3] ? 1 : 0
            let activated = state - 10 * (y - Double(i))
            #expect(activated > 0 && activated < 1)
        }
    }

    @Test func unknownNamesAndIndicesAreRefused() throws {
        let network = try CNetwork()
        func expectRefused(
            _ name: String, _ index: Int64, status: Int = CEP_INVALID_ARGUMENT, saying parts: [String]
        ) {
            expectFailure(status, saying: parts) { cep_network_tensor(network.pointer, name, index, &$0.tensor) }
        }
        for index in [-1, 2, Int64.min, .max] {
            for name in ["weights", "biases", "feedback_weights"] {
                expectRefused(name, index, saying: ["connection \(index) does not exist", "0 to 1"])
            }
        }
        for index in [-1, 3, Int64.min, .max] {
            expectRefused("states", index, saying: ["layer \(index) does not exist", "0 to 2"])
        }
        for name in ["weight", "", "Weights", "wéights"] {
            expectRefused(name, 0, saying: ["connection 0 has no \(name)", "weights, biases"])
        }
        expectRefused("feedback_weights", 1, saying: ["connection 1 has no feedback_weights"])
        expectRefused("states", 0, status: CEP_INVALID_STATE, saying: ["free phase first"])

        let untied = try CNetwork([4, 5, 3], ["feedback": "untied"])
        expectFailure(saying: ["connection 0 has no feedback_weights"]) {
            cep_network_tensor(untied.pointer, "feedback_weights", 0, &$0.tensor)
        }
    }

    @Test func nullPointers() throws {
        let network = try CNetwork()
        expectFailure(saying: ["network is NULL"]) { cep_network_tensor(nil, "weights", 0, &$0.tensor) }
        expectFailure(saying: ["name is NULL"]) { cep_network_tensor(network.pointer, nil, 0, &$0.tensor) }
        expectFailure(saying: ["tensor is NULL"]) { _ in cep_network_tensor(network.pointer, "weights", 0, nil) }
    }

    @Test func optimizerStatesAreTensorsOfTheParametersShapes() throws {
        let network = try CNetwork([4, 5, 3], ["dtype": "float64"])
        func tensor(_ state: String) throws -> CTensor {
            try CTensor { cep_optimizer_tensor(network.pointer, state, "weights", 1, &$0) }
        }
        expectFailure(CEP_INVALID_STATE, saying: ["no optimizer state"]) {
            cep_optimizer_tensor(network.pointer, "velocity", "weights", 1, &$0.tensor)
        }
        expectFailure(CEP_INVALID_STATE, saying: ["no optimizer state"]) { _ in
            cep_optimizer_set_steps(network.pointer, 3)
        }
        var summary = cep_optimizer_summary()
        try check(cep_optimizer_summarize(network.pointer, &summary))
        #expect(summary.name.0 == 0 && summary.steps == 0)

        try check(cep_optimizer_prepare(network.pointer, COptions.rule("ep", ["optimizer": "adam"]).pointer))
        #expect(try tensor("first_moment").shape == [3, 5])
        #expect(try tensor("second_moment").values.allSatisfy { $0 == 0 })
        try check(cep_optimizer_set_steps(network.pointer, 12))
        try check(cep_optimizer_summarize(network.pointer, &summary))
        #expect(withUnsafeBytes(of: summary.name) { $0.starts(with: "adam\0".utf8) } && summary.steps == 12)
        for (state, name, words) in [
            ("velocity", "weights", ["adam has no state velocity", "first_moment or second_moment"]),
            ("first_moment", "states", ["connection 1 has no states"]),
        ] {
            expectFailure(saying: words) { cep_optimizer_tensor(network.pointer, state, name, 1, &$0.tensor) }
        }
        for steps in [-1, (1 << 53) + 1, .max] as [Int64] {
            expectFailure(saying: ["steps", "\(steps)"]) { _ in cep_optimizer_set_steps(network.pointer, steps) }
        }
    }
}
