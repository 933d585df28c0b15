import CCEP
import CEPABI
import Testing

/// After a failed call, the network is as the header describes.
@Suite struct FailureTests {
    private static let samples = TestSamples(6)

    @Test(arguments: ["ep", "cep", "bptt", "rbp"], [0, 1, 2])
    func aDivergedEpochLeavesTheParametersAfterTheLastWholeBatch(_ name: String, _ wholeBatches: Int) throws {
        let rule = COptions.rule(name, ["learning_rates": [0.01, 0.01]]).pointer
        var order = SplitOrder(rows: 6, seed: 5)
        let batches = (0..<3).map { _ in order.next(2) }
        // Linear units, and one sample that is large enough for its loss to overflow.
        func makeNetwork() throws -> CNetwork {
            try CNetwork([4, 5, 3], ["dtype": "float64", "activation": "linear"])
        }
        var inputs = Self.samples.inputs
        inputs[batches[wholeBatches][1]] = [1e300, 0, 0, 0]
        var x = matrix(inputs)
        let network = try makeNetwork()
        expectFailure(CEP_DIVERGED, saying: []) {
            cep_train_epoch(
                network.pointer, &x, Self.samples.targets, rule, 2, 5, nil, noProgress, &$0.metrics)
        }
        let other = try makeNetwork()
        for rows in batches.prefix(wholeBatches) {
            var x = matrix(rows.map { Self.samples.inputs[$0] })
            var targets = labels(rows.map { Self.samples.classes[$0] })
            expectSuccess { cep_train_batch(other.pointer, &x, &targets, rule, noProgress, &$0.metrics) }
        }
        #expect(try network.parameters() == other.parameters())
    }

    @Test func divergenceLeavesTheParameters() throws {
        let network = try CNetwork()
        try network.tensor("weights", 1)[0] = .infinity
        let before = try network.parameters()
        let (x, targets) = (Self.samples.x, Self.samples.targets)
        let parts = ["step 1", "layer 1", "connection 1"]
        for continuing in [0, 1] as [Int32] {
            expectFailure(CEP_DIVERGED, saying: continuing == 0 ? parts : ["connection 1"]) {
                cep_free_phase(network.pointer, x, 2, continuing, noProgress, &$0.outcome)
            }
        }
        for name in ["ep", "cep", "bptt", "rbp"] {
            let rule = COptions.rule(name).pointer
            expectFailure(CEP_DIVERGED, saying: parts) {
                cep_train_batch(network.pointer, x, targets, rule, noProgress, &$0.metrics)
            }
            expectFailure(CEP_DIVERGED, saying: parts) {
                cep_train_epoch(network.pointer, x, targets, rule, 2, 0, nil, noProgress, &$0.metrics)
            }
            expectFailure(CEP_DIVERGED, saying: parts) {
                cep_gradient_estimate(network.pointer, x, targets, rule, noProgress, &$0.metrics, &$0.handle)
            }
        }
        expectFailure(CEP_DIVERGED, saying: parts) {
            cep_evaluate(network.pointer, x, targets, 2, noProgress, &$0.metrics)
        }
        expectFailure(CEP_DIVERGED, saying: parts) { cep_predict(network.pointer, x, 2, noProgress, &$0.classes, 6) }
        expectFailure(CEP_DIVERGED, saying: parts) {
            cep_theorem_check(network.pointer, x, targets, COptions.theorem().pointer, noProgress, &$0.handle)
        }
        #expect(try network.parameters() == before)
    }

    /// The parameters are unchanged after a batch is stopped and after a call is refused.
    @Test func otherFailuresLeaveTheParameters() throws {
        let network = try CNetwork([4, 5, 3], ["dtype": "float64"])
        let before = try network.parameters()
        let (x, targets) = (Self.samples.x, Self.samples.targets)
        for name in ["ep", "cep", "bptt", "rbp"] {
            let rule = COptions.rule(name).pointer
            // A free phase of 3 steps and its start, then the nudged phase of EP and C-EP.
            for stopAt in 1...(["ep", "cep"].contains(name) ? 6 : 4) {
                var count = 0
                let probe = StepProbe { _ in
                    count += 1
                    return count == stopAt ? 1 : 0
                }
                expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
                    probe.during { cep_train_batch(network.pointer, x, targets, rule, $0, &outputs.metrics) }
                }
                count = 0
                expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
                    probe.during {
                        cep_gradient_estimate(
                            network.pointer, x, targets, rule, $0, &outputs.metrics, &outputs.handle)
                    }
                }
            }
            var wrong = labels([0, 1, 2, 0, 1, 3])
            expectFailure(saying: ["label 3"]) {
                cep_train_epoch(network.pointer, x, &wrong, rule, 2, 0, nil, noProgress, &$0.metrics)
            }
            var notFinite = Self.samples.inputs
            notFinite[5][3] = .nan
            var wrongInputs = matrix(notFinite)
            expectFailure(saying: ["x", "row 5"]) {
                cep_train_epoch(network.pointer, &wrongInputs, targets, rule, 2, 0, nil, noProgress, &$0.metrics)
            }
            let steps = COptions.rule(name, ["free_steps": 0]).pointer
            expectFailure(saying: ["free_steps"]) {
                cep_train_epoch(network.pointer, x, targets, steps, 2, 0, nil, noProgress, &$0.metrics)
            }
        }
        #expect(try network.parameters() == before)
    }

    /// Data in memory of the network would change while it is used.
    @Test func epochsRefuseDataInMemoryOfTheNetwork() throws {
        let network = try CNetwork([4, 4, 4], ["dtype": "float64"])
        let samples = TestSamples(4)
        let weights = try network.tensor("weights", 1)
        let before = try network.parameters()
        var own = cep_matrix(data: weights.tensor.data, dtype: weights.tensor.dtype, rows: 4, columns: 4)
        let rule = COptions.rule("ep").pointer
        expectFailure(saying: ["x is memory of the network"]) {
            cep_train_epoch(network.pointer, &own, samples.targets, rule, 2, 0, nil, noProgress, &$0.metrics)
        }
        var values = cep_targets(labels: nil, label_count: 0, values: own)
        expectFailure(saying: ["y is memory of the network"]) {
            cep_train_epoch(network.pointer, samples.x, &values, rule, 2, 0, nil, noProgress, &$0.metrics)
        }
        #expect(try network.parameters() == before)
    }
}
