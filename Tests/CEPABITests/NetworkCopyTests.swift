import CCEP
import CEPABI
import Testing

@Suite struct CopiesGoOnAlike {
    private static let samples = LentSamples(3)

    private func copied(_ network: CNetwork) throws -> CNetwork {
        var copy: OpaquePointer?
        #expect(cep_network_copy(network.pointer, &copy) == CEP_OK)
        return CNetwork(owning: try #require(copy))
    }

    private func trainAtRandom(_ network: CNetwork) {
        var (x, targets, rule) = (Self.samples.x, Self.samples.targets, lendRule(CEP_RULE_EP))
        rule.beta_sign = cep_beta_sign(CEP_BETA_RANDOM)
        _ = expectSuccess { cep_train_batch(network.pointer, &x, &targets, &rule, noProgress, &$0.metrics) }
    }

    @Test(arguments: [CEP_PROTOTYPICAL, CEP_REAL_TIME], NumberType.allCases)
    func withParametersStatesAndRandomState(_ setting: Int, _ type: NumberType) throws {
        for feedback in [CEP_TIED, CEP_UNTIED] { try check(setting, feedback, type) }
    }

    private func check(_ setting: Int, _ feedback: Int, _ type: NumberType) throws {
        let network = try CNetwork {
            $0.setting = cep_setting(setting)
            $0.feedback = cep_feedback(feedback)
            $0.dtype = type.dtype
            $0.seed = 5
        }
        #expect(try copied(network).states().isEmpty, "there are none to copy yet")
        for _ in 0..<3 { trainAtRandom(network) }
        let copy = try copied(network)
        let (parameters, states) = (try network.parameters(), try network.states())
        #expect(try copy.parameters() == parameters && copy.states() == states)

        // From the present states, and with signs of beta from the same place of the same stream.
        func goOn(_ network: CNetwork) {
            var targets = Self.samples.targets
            _ = expectSuccess { cep_nudged_phase(network.pointer, &targets, 0.5, 2, noProgress, &$0.outcome) }
            for _ in 0..<8 { trainAtRandom(network) }
        }
        goOn(copy)
        #expect(try network.parameters() == parameters && network.states() == states, "memory of its own")
        #expect(try copy.parameters() != parameters)
        goOn(network)
        #expect(try copy.parameters() == network.parameters() && copy.states() == network.states())
    }

    @Test func pointersAreChecked() throws {
        let network = try CNetwork()
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["network is NULL"]) { cep_network_copy(nil, &$0.network) }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["copy is NULL"]) { _ in cep_network_copy(network.pointer, nil) }
    }
}
