import CCEP
import CEPABI
import Testing

@Suite struct NetworkCopyTests {
    private static let samples = TestSamples(3)

    private func trainAtRandom(_ network: CNetwork) {
        let rule = COptions.rule("ep", ["beta_sign": "random"])
        expectSuccess {
            cep_train_batch(
                network.pointer, Self.samples.x, Self.samples.targets, rule.pointer, noProgress, &$0.metrics)
        }
    }

    @Test(arguments: ["prototypical", "real-time"], NumberType.allCases)
    func copiesContinueAsTheOriginalDoes(_ setting: String, _ type: NumberType) throws {
        for feedback in ["tied", "untied"] { try check(setting, feedback, type) }
    }

    private func check(_ setting: String, _ feedback: String, _ type: NumberType) throws {
        let network = try CNetwork(
            [4, 5, 3],
            ["setting": .text(setting), "feedback": .text(feedback), "dtype": type.option, "seed": 5])
        #expect(try network.copied().states().isEmpty, "there are no states yet")
        for _ in 0..<3 { trainAtRandom(network) }
        let copy = try network.copied()
        let (parameters, states) = (try network.parameters(), try network.states())
        #expect(try copy.parameters() == parameters && copy.states() == states)

        // From the present states, and with signs of beta from the same random state.
        func train(_ network: CNetwork) {
            expectSuccess { cep_nudged_phase(network.pointer, Self.samples.targets, 0.5, 2, noProgress, &$0.outcome) }
            for _ in 0..<8 { trainAtRandom(network) }
        }
        train(copy)
        #expect(try network.parameters() == parameters && network.states() == states, "separate memory")
        #expect(try copy.parameters() != parameters)
        train(network)
        #expect(try copy.parameters() == network.parameters() && copy.states() == network.states())
    }

    @Test func copiesHaveTheOptimizerState() throws {
        let network = try CNetwork()
        let rule = COptions.rule("ep", ["momentum": 0.9]).pointer
        func train(_ network: CNetwork) {
            expectSuccess {
                cep_train_batch(network.pointer, Self.samples.x, Self.samples.targets, rule, noProgress, &$0.metrics)
            }
        }
        train(network)
        let copy = try network.copied()
        for each in [network, copy] { train(each) }
        #expect(try copy.parameters() == network.parameters())
        let velocities = try [network, copy].map { each in
            try CTensor { cep_optimizer_tensor(each.pointer, "velocity", "weights", 0, &$0) }.values
        }
        #expect(velocities[0] == velocities[1] && velocities[0].contains { $0 != 0 })
    }

    @Test func nullPointers() throws {
        let network = try CNetwork()
        expectFailure(saying: ["network is NULL"]) { cep_network_copy(nil, &$0.handle) }
        expectFailure(saying: ["copy is NULL"]) { _ in cep_network_copy(network.pointer, nil) }
    }
}
