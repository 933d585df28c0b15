import CCEP
import CEPABI
import Testing

/// The numbers, rules and places to write to that calls take beside data.
@Suite struct CallsAreChecked {
    private static let samples = LentSamples(3)

    @Test func placesToWriteTo() throws {
        let network = try CNetwork()
        var (x, targets, rule) = (Self.samples.x, Self.samples.targets, lendRule(CEP_RULE_EP))
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["outcome", "NULL"]) { _ in
            cep_free_phase(network.pointer, &x, 2, 0, noProgress, nil)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["outcome", "NULL"]) { _ in
            cep_nudged_phase(network.pointer, &targets, 0.5, 2, noProgress, nil)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["metrics", "NULL"]) { _ in
            cep_train_batch(network.pointer, &x, &targets, &rule, noProgress, nil)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["metrics", "NULL"]) { _ in
            cep_train_epoch(network.pointer, &x, &targets, &rule, 2, 0, nil, noProgress, nil)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["metrics", "NULL"]) { _ in
            cep_evaluate(network.pointer, &x, &targets, 2, noProgress, nil)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["classes", "NULL"]) { _ in
            cep_predict(network.pointer, &x, 2, noProgress, nil, 3)
        }
        for count in [2, 4, 0, -3, Int64.min, .max] {
            expectFailure(CEP_INVALID_ARGUMENT, saying: ["classes", "\(count)", "3 rows"]) {
                cep_predict(network.pointer, &x, 2, noProgress, &$0.classes, count)
            }
        }
    }

    @Test(arguments: [0, -1, Int64.min])
    func steps(_ steps: Int64) throws {
        let network = try CNetwork()
        var (x, targets) = (Self.samples.x, Self.samples.targets)
        _ = expectSuccess { cep_free_phase(network.pointer, &x, 1, 0, noProgress, &$0.outcome) }
        let parts = ["steps", "\(steps)"]
        expectFailure(CEP_INVALID_ARGUMENT, saying: parts) {
            cep_free_phase(network.pointer, &x, steps, 0, noProgress, &$0.outcome)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: parts) {
            cep_nudged_phase(network.pointer, &targets, 0.5, steps, noProgress, &$0.outcome)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: parts) {
            cep_evaluate(network.pointer, &x, &targets, steps, noProgress, &$0.metrics)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: parts) {
            cep_predict(network.pointer, &x, steps, noProgress, &$0.classes, 3)
        }
        try expectRuleRefused(saying: ["free_steps", "\(steps)"]) { $0.free_steps = steps }
        try expectRuleRefused(saying: ["nudged_steps", "\(steps)"]) { $0.nudged_steps = steps }
    }

    @Test(arguments: [0, Double.nan, .infinity, -.infinity])
    func beta(_ beta: Double) throws {
        let network = try CNetwork()
        var (x, targets) = (Self.samples.x, Self.samples.targets)
        _ = expectSuccess { cep_free_phase(network.pointer, &x, 1, 0, noProgress, &$0.outcome) }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["beta", "\(beta)"]) {
            cep_nudged_phase(network.pointer, &targets, beta, 2, noProgress, &$0.outcome)
        }
        try expectRuleRefused(saying: ["beta", "\(beta)"]) { $0.beta = beta }
    }

    @Test func rules() throws {
        for kind in [-1, 1000, Int32.max] { try expectRuleRefused(saying: ["\(kind)", "rule"]) { $0.kind = kind } }
        try expectRuleRefused(saying: ["learning_rates", "NULL"]) { $0.learning_rates = nil }
        for count in [0, -1, Int64.min, .max] {
            try expectRuleRefused(saying: ["learning_rates", "\(count) values"]) { $0.learning_rate_count = count }
        }
        try expectRuleRefused(saying: ["1 values", "2 connections"]) { $0.learning_rate_count = 1 }
        try expectRuleRefused(saying: ["3 values", "2 connections"]) {
            $0 = lendRule(CEP_RULE_EP, learningRates: [0.1, 0.1, 0.1])
        }
        for rate in [-0.5, Double.nan, .infinity] {
            try expectRuleRefused(saying: ["learning_rates[1]", "\(rate)"]) {
                $0 = lendRule(CEP_RULE_EP, learningRates: [0.1, rate])
            }
        }
        let network = try CNetwork()
        var (x, targets) = (Self.samples.x, Self.samples.targets)
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["rule is NULL"]) {
            cep_train_batch(network.pointer, &x, &targets, nil, noProgress, &$0.metrics)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["rule is NULL"]) {
            cep_train_epoch(network.pointer, &x, &targets, nil, 2, 0, nil, noProgress, &$0.metrics)
        }
    }

    @Test(arguments: [0, -1, Int64.min])
    func batchSize(_ size: Int64) throws {
        let network = try CNetwork()
        var (x, targets, rule) = (Self.samples.x, Self.samples.targets, lendRule(CEP_RULE_EP))
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["batch_size", "\(size)"]) {
            cep_train_epoch(network.pointer, &x, &targets, &rule, size, 0, nil, noProgress, &$0.metrics)
        }
    }

    @Test func partsOfAnEpoch() throws {
        let network = try CNetwork()
        let before = try network.parameters()
        // Three samples in batches of two are two batches.
        for (first, count, errors, words) in [
            (2, 0, 0, ["first_batch is 2", "0 to 1"]), (-1, 0, 0, ["first_batch is -1"]),
            (.min, 1, 0, ["first_batch"]), (.max, 1, 0, ["first_batch"]), (0, -1, 0, ["batch_count", "-1"]),
            (1, .min, 0, ["batch_count"]), (1, 1, 3, ["errors is 3", "0 to 2"]), (0, 1, 1, ["errors is 1", "0 to 0"]),
            (1, 1, -1, ["errors is -1"]), (1, 1, .max, ["errors is 9223372036854775807"]),
        ] as [(Int64, Int64, Int64, [String])] {
            var (x, targets, rule) = (Self.samples.x, Self.samples.targets, lendRule(CEP_RULE_EP))
            var part = cep_epoch_part(first_batch: first, batch_count: count, errors: errors, loss_sum: 0)
            expectFailure(CEP_INVALID_ARGUMENT, saying: words) {
                cep_train_epoch(network.pointer, &x, &targets, &rule, 2, 0, &part, noProgress, &$0.metrics)
            }
        }
        // Batches before cannot have come to more errors than they have samples.
        for (first, errors, loss, words) in [
            (0, 1, 0, ["errors is 1", "0 to 0"]), (1, 3, 0, ["errors is 3", "0 to 2"]), (1, -1, 0, ["errors is -1"]),
            (1, .max, 0, ["errors"]), (1, 0, -0.5, ["loss_sum", "-0.5"]), (1, 0, .nan, ["loss_sum", "nan"]),
            (1, 0, .infinity, ["loss_sum", "inf"]),
        ] as [(Int64, Int64, Double, [String])] {
            var (x, targets, rule) = (Self.samples.x, Self.samples.targets, lendRule(CEP_RULE_EP))
            var part = cep_epoch_part(first_batch: first, batch_count: 0, errors: errors, loss_sum: loss)
            expectFailure(CEP_INVALID_ARGUMENT, saying: words) {
                cep_train_epoch(network.pointer, &x, &targets, &rule, 2, 0, &part, noProgress, &$0.metrics)
            }
        }
        #expect(try network.parameters() == before)
    }

    @Test func randomStates() throws {
        let network = try CNetwork()
        var state = cep_random_state(words: (1, 2, 3, 4))
        #expect(cep_set_random_state(network.pointer, &state) == CEP_OK)
        var zeros = cep_random_state(words: (0, 0, 0, 0))
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["random state", "zeros"]) { _ in
            cep_set_random_state(network.pointer, &zeros)
        }
        var found = cep_random_state(words: (7, 7, 7, 7))
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["state is NULL"]) { _ in
            cep_get_random_state(network.pointer, nil)
        }
        #expect(cep_get_random_state(network.pointer, &found) == CEP_OK)
        #expect(found.words == (1, 2, 3, 4))
    }

    private func expectRuleRefused(saying parts: [String], _ change: (inout cep_rule) -> Void) throws {
        let network = try CNetwork()
        let before = try network.parameters()
        for kind in [CEP_RULE_EP, CEP_RULE_CEP] {
            var (x, targets, rule) = (Self.samples.x, Self.samples.targets, lendRule(kind))
            change(&rule)
            expectFailure(CEP_INVALID_ARGUMENT, saying: parts) {
                cep_train_batch(network.pointer, &x, &targets, &rule, noProgress, &$0.metrics)
            }
            expectFailure(CEP_INVALID_ARGUMENT, saying: parts) {
                cep_train_epoch(network.pointer, &x, &targets, &rule, 2, 0, nil, noProgress, &$0.metrics)
            }
        }
        #expect(try network.parameters() == before)
    }

    @Test func phasesInTheWrongOrder() throws {
        let network = try CNetwork()
        var (x, targets) = (Self.samples.x, Self.samples.targets)
        expectFailure(CEP_INVALID_STATE, saying: ["free phase"]) {
            cep_nudged_phase(network.pointer, &targets, 0.5, 2, noProgress, &$0.outcome)
        }
        expectFailure(CEP_INVALID_STATE, saying: ["free phase"]) {
            cep_free_phase(network.pointer, &x, 2, 1, noProgress, &$0.outcome)
        }
        _ = expectSuccess { cep_free_phase(network.pointer, &x, 2, 0, noProgress, &$0.outcome) }
        var other = LentSamples(2).x
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["2 rows", "have 3"]) {
            cep_free_phase(network.pointer, &other, 2, 1, noProgress, &$0.outcome)
        }
    }

    @Test func divergence() throws {
        let network = try CNetwork()
        let weights = try CArray(network, CEP_WEIGHTS, 1)
        weights[0] = .infinity
        let before = try network.parameters()
        var (x, targets) = (Self.samples.x, Self.samples.targets)
        let parts = ["step 1", "layer 1", "connection 1"]
        expectFailure(CEP_DIVERGED, saying: parts) {
            cep_free_phase(network.pointer, &x, 2, 0, noProgress, &$0.outcome)
        }
        for kind in [CEP_RULE_EP, CEP_RULE_CEP] {
            var rule = lendRule(kind)
            expectFailure(CEP_DIVERGED, saying: parts) {
                cep_train_batch(network.pointer, &x, &targets, &rule, noProgress, &$0.metrics)
            }
            expectFailure(CEP_DIVERGED, saying: parts) {
                cep_train_epoch(network.pointer, &x, &targets, &rule, 2, 0, nil, noProgress, &$0.metrics)
            }
        }
        expectFailure(CEP_DIVERGED, saying: parts) {
            cep_evaluate(network.pointer, &x, &targets, 2, noProgress, &$0.metrics)
        }
        expectFailure(CEP_DIVERGED, saying: parts) {
            cep_predict(network.pointer, &x, 2, noProgress, &$0.classes, 3)
        }
        #expect(try network.parameters() == before)
    }
}
