import CCEP
import CEPABI
import Testing

/// Checks of numbers, rules and result pointers. Data is tested in DataTests.
@Suite struct ArgumentTests {
    private static let samples = TestSamples(3)
    private var x: UnsafePointer<cep_matrix> { Self.samples.x }
    private var targets: UnsafePointer<cep_targets> { Self.samples.targets }

    @Test func resultPointers() throws {
        let network = try CNetwork()
        let (rule, theorem) = (COptions.rule("ep").pointer, COptions.theorem().pointer)
        expectFailure(saying: ["outcome is NULL"]) { _ in cep_free_phase(network.pointer, x, 2, 0, noProgress, nil) }
        expectFailure(saying: ["outcome is NULL"]) { _ in
            cep_nudged_phase(network.pointer, targets, 0.5, 2, noProgress, nil)
        }
        expectFailure(saying: ["metrics is NULL"]) { _ in
            cep_train_batch(network.pointer, x, targets, rule, noProgress, nil)
        }
        expectFailure(saying: ["metrics is NULL"]) { _ in
            cep_train_epoch(network.pointer, x, targets, rule, 2, 0, nil, noProgress, nil)
        }
        expectFailure(saying: ["metrics is NULL"]) { _ in
            cep_evaluate(network.pointer, x, targets, 2, noProgress, nil)
        }
        expectFailure(saying: ["metrics is NULL"]) {
            cep_gradient_estimate(network.pointer, x, targets, rule, noProgress, nil, &$0.handle)
        }
        expectFailure(saying: ["gradient is NULL"]) {
            cep_gradient_estimate(network.pointer, x, targets, rule, noProgress, &$0.metrics, nil)
        }
        expectFailure(saying: ["theorem is NULL"]) { _ in
            cep_theorem_check(network.pointer, x, targets, theorem, noProgress, nil)
        }
        expectFailure(saying: ["degrees is NULL"]) { _ in cep_feedback_angle(network.pointer, 1, nil) }
        expectFailure(saying: ["classes is NULL"]) { _ in cep_predict(network.pointer, x, 2, noProgress, nil, 3) }
        for count in [2, 4, 0, -3, Int64.min, .max] {
            expectFailure(saying: ["classes", "\(count)", "3 rows"]) {
                cep_predict(network.pointer, x, 2, noProgress, &$0.classes, count)
            }
        }
    }

    @Test func energies() throws {
        let network = try CNetwork()
        expectFailure(CEP_INVALID_STATE, saying: ["free phase"]) { cep_energy(network.pointer, &$0.energies, 3) }
        expectSuccess { cep_free_phase(network.pointer, x, 1, 0, noProgress, &$0.outcome) }
        expectFailure(saying: ["energies is NULL"]) { _ in cep_energy(network.pointer, nil, 3) }
        for count in [0, -1, 2, 4, Int64.min, .max] {
            expectFailure(saying: ["energies has space for \(count) values"]) {
                cep_energy(network.pointer, &$0.energies, count)
            }
        }
        let energies = expectSuccess { cep_energy(network.pointer, &$0.energies, 3) }.energies
        #expect(energies[..<3].allSatisfy { $0.isFinite && $0 != -7 } && energies[3...].allSatisfy { $0 == -7 })
        let untied = try CNetwork([4, 5, 3], ["feedback": "untied"])
        expectSuccess { cep_free_phase(untied.pointer, x, 1, 0, noProgress, &$0.outcome) }
        expectFailure(saying: ["tied"]) { cep_energy(untied.pointer, &$0.energies, 3) }
    }

    @Test func feedbackAngles() throws {
        let options: COptions = ["feedback": "untied", "feedback_angle": 180, "dtype": "float64"]
        let network = try CNetwork([4, 5, 3], options)
        let degrees = expectSuccess { cep_feedback_angle(network.pointer, 1, &$0.degrees) }.degrees
        #expect(abs(degrees - 180) < 1e-5)
        expectFailure(saying: ["connection 0", "input"]) { cep_feedback_angle(network.pointer, 0, &$0.degrees) }
        for index in [-1, 2, Int64.min, .max] {
            expectFailure(saying: ["connection \(index) does not exist"]) {
                cep_feedback_angle(network.pointer, index, &$0.degrees)
            }
        }
    }

    @Test(arguments: [0, -1, Int64.min])
    func steps(_ steps: Int64) throws {
        let network = try CNetwork()
        expectSuccess { cep_free_phase(network.pointer, x, 1, 0, noProgress, &$0.outcome) }
        let parts = ["steps", "\(steps)"]
        expectFailure(saying: parts) { cep_free_phase(network.pointer, x, steps, 0, noProgress, &$0.outcome) }
        expectFailure(saying: parts) { cep_nudged_phase(network.pointer, targets, 0.5, steps, noProgress, &$0.outcome) }
        expectFailure(saying: parts) { cep_evaluate(network.pointer, x, targets, steps, noProgress, &$0.metrics) }
        expectFailure(saying: parts) { cep_predict(network.pointer, x, steps, noProgress, &$0.classes, 3) }
        for name in ["free_steps", "nudged_steps"] {
            let change = COptions(name, .integers([steps]))
            for rule in ["ep", "cep"] { try expectRuleRefused(.rule(rule, change), saying: [name, "\(steps)"]) }
            expectFailure(saying: [name, "\(steps)"]) {
                cep_theorem_check(
                    network.pointer, x, targets, COptions.theorem(change).pointer, noProgress, &$0.handle)
            }
        }
        try expectRuleRefused(.rule("bptt", ["last_steps": .integers([steps])]), saying: ["last_steps", "\(steps)"])
        try expectRuleRefused(
            .rule("rbp", ["max_iterations": .integers([steps])]), saying: ["max_iterations", "\(steps)"])
    }

    @Test(arguments: [0, Double.nan, .infinity, -.infinity])
    func beta(_ beta: Double) throws {
        let network = try CNetwork()
        expectSuccess { cep_free_phase(network.pointer, x, 1, 0, noProgress, &$0.outcome) }
        expectFailure(saying: ["beta", "\(beta)"]) {
            cep_nudged_phase(network.pointer, targets, beta, 2, noProgress, &$0.outcome)
        }
        for rule in ["ep", "cep"] {
            try expectRuleRefused(.rule(rule, ["beta": .numbers([beta])]), saying: ["beta", "\(beta)"])
        }
    }

    @Test func numbersOfRules() throws {
        for rule in ["ep", "cep", "bptt", "rbp"] {
            for name in ["learning_rates", "bias_learning_rates"] {
                for rates in [[], [0.1], [0.1, 0.1, 0.1]] {
                    let options = COptions.rule(rule, COptions(name, .numbers(rates)))
                    try expectRuleRefused(options, saying: [name, "\(rates.count) values", "2 connections"])
                }
                for rate in [-0.5, Double.nan, .infinity, 1e300] {
                    let options = COptions.rule(rule, COptions(name, .numbers([0.1, rate])))
                    try expectRuleRefused(options, saying: ["\(name)[1]", "\(rate)"])
                }
            }
        }
        for number in [-0.1, 1, Double.nan] {
            try expectRuleRefused(.rule("ep", ["momentum": .numbers([number])]), saying: ["momentum", "\(number)"])
            try expectRuleRefused(
                .rule("ep", ["optimizer": "adam", "beta2": .numbers([number])]), saying: ["beta2", "\(number)"])
        }
        for tolerance in [0, 1, -1, Double.nan] {
            try expectRuleRefused(
                .rule("rbp", ["tolerance": .numbers([tolerance])]), saying: ["tolerance", "\(tolerance)"])
        }
        try expectRuleRefused(.rule("ep", ["weight_decay": [0, 0, 0]]), saying: ["weight_decay has 3 values"])
        try expectRuleRefused(.rule("ep", ["weight_decay": [-1]]), saying: ["weight_decay", "-1"])
        try expectRuleRefused(.rule("cep", ["beta_sign": "symmetric"]), saying: ["symmetric"])
    }

    @Test func rulesThatAreNull() throws {
        let network = try CNetwork()
        expectFailure(saying: ["rule is NULL"]) {
            cep_train_batch(network.pointer, x, targets, nil, noProgress, &$0.metrics)
        }
        expectFailure(saying: ["rule is NULL"]) {
            cep_train_epoch(network.pointer, x, targets, nil, 2, 0, nil, noProgress, &$0.metrics)
        }
        expectFailure(saying: ["rule is NULL"]) {
            cep_gradient_estimate(network.pointer, x, targets, nil, noProgress, &$0.metrics, &$0.handle)
        }
        expectFailure(saying: ["rule is NULL"]) { _ in cep_optimizer_prepare(network.pointer, nil) }
        expectFailure(saying: ["options is NULL"]) {
            cep_theorem_check(network.pointer, x, targets, nil, noProgress, &$0.handle)
        }
    }

    @Test func gradientsNeedNoLearningRates() throws {
        let network = try CNetwork()
        for name in ["ep", "cep", "bptt", "rbp"] {
            let rule = COptions.rule(name).removing("learning_rates")
            let gradient = expectSuccess {
                cep_gradient_estimate(network.pointer, x, targets, rule.pointer, noProgress, &$0.metrics, &$0.handle)
            }.handle
            let weights = try CTensor { cep_gradient_tensor(gradient, "weights", 1, &$0) }
            #expect(weights.shape == [3, 5] && weights.values.contains { $0 != 0 })
            expectFailure(saying: ["connection 1 has no states"]) {
                cep_gradient_tensor(gradient, "states", 1, &$0.tensor)
            }
            expectFailure(saying: ["connection 2 does not exist"]) {
                cep_gradient_tensor(gradient, "biases", 2, &$0.tensor)
            }
            cep_gradient_destroy(gradient)
            expectFailure(saying: ["released"]) { cep_gradient_tensor(gradient, "weights", 1, &$0.tensor) }
            #expect(weights.values.contains { $0 != 0 }, "the tensor outlives the gradient")
        }
    }

    @Test func theoremCurves() throws {
        // The theorem is exact as beta tends to 0 if the dynamics descend an energy.
        let options: COptions = [
            "setting": "real-time", "activation": "tanh", "clamp": false, "follows_energy": true, "dtype": "float64",
        ]
        let network = try CNetwork([4, 5, 3], options)
        let theorem = expectSuccess {
            cep_theorem_check(network.pointer, x, targets, COptions.theorem().pointer, noProgress, &$0.handle)
        }.handle
        defer { cep_theorem_destroy(theorem) }
        for (name, index, entries) in [("weights", 0, 20), ("biases", 1, 3), ("states", 1, 5), ("states", 2, 3)] {
            var curves = cep_theorem_curves()
            try check(cep_theorem_compare(theorem, name, Int64(index), &curves))
            let (updates, gradients) = (CTensor(owning: curves.updates), CTensor(owning: curves.gradients))
            for tensor in [updates, gradients] {
                #expect(tensor.shape == [4, Int64(entries)] && tensor.tensor.dtype == CEP_FLOAT64)
                #expect(tensor.strides == [Int64(entries) * 8, 8])
            }
            #expect(curves.relative_error < 2e-3 && curves.sign_agreement > 0.9)
        }
        for (name, index, words) in [
            ("states", 0, ["layer 0 has no curves"]), ("states", 3, ["layer 3"]), ("weights", 2, ["connection 2"]),
            ("feedback_weights", 1, ["no curves for feedback_weights"]), ("weights", Int64.min, ["does not exist"]),
        ] {
            expectFailure(saying: words) { _ in
                var curves = cep_theorem_curves()
                defer { #expect(curves.updates.memory == nil && curves.gradients.memory == nil) }
                return cep_theorem_compare(theorem, name, index, &curves)
            }
        }
        expectFailure(saying: ["curves is NULL"]) { _ in cep_theorem_compare(theorem, "weights", 0, nil) }
        expectFailure(saying: ["summary is NULL"]) { _ in cep_theorem_summarize(theorem, nil) }
        var summary = cep_theorem_summary()
        try check(cep_theorem_summarize(theorem, &summary))
        #expect(summary.angle < 0.1 && summary.free_phase.converged == 1)
        expectFailure(saying: ["nudged_steps"]) {
            let options = COptions.theorem(["nudged_steps": 201]).pointer
            return cep_theorem_check(network.pointer, x, targets, options, noProgress, &$0.handle)
        }
    }

    @Test(arguments: [0, -1, Int64.min])
    func batchSize(_ size: Int64) throws {
        let network = try CNetwork()
        expectFailure(saying: ["batch_size", "\(size)"]) {
            cep_train_epoch(
                network.pointer, x, targets, COptions.rule("ep").pointer, size, 0, nil, noProgress, &$0.metrics)
        }
    }

    @Test func partsOfAnEpoch() throws {
        let network = try CNetwork()
        let before = try network.parameters()
        // Three samples in batches of two are two batches. Batches before cannot have more errors than samples.
        for (first, count, errors, loss, words) in [
            (2, 0, 0, 0, ["first_batch is 2", "0 to 1"]), (-1, 0, 0, 0, ["first_batch is -1"]),
            (.min, 1, 0, 0, ["first_batch"]), (.max, 1, 0, 0, ["first_batch"]), (0, -1, 0, 0, ["batch_count", "-1"]),
            (1, .min, 0, 0, ["batch_count"]), (1, 1, 3, 0, ["errors is 3", "0 to 2"]),
            (0, 1, 1, 0, ["errors is 1", "0 to 0"]), (1, 1, -1, 0, ["errors is -1"]),
            (1, 1, .max, 0, ["errors is 9223372036854775807"]), (1, 0, 0, -0.5, ["loss_sum", "-0.5"]),
            (1, 0, 0, .nan, ["loss_sum", "nan"]), (1, 0, 0, .infinity, ["loss_sum", "inf"]),
        ] as [(Int64, Int64, Int64, Double, [String])] {
            var part = cep_epoch_part(first_batch: first, batch_count: count, errors: errors, loss_sum: loss)
            expectFailure(saying: words) {
                cep_train_epoch(
                    network.pointer, x, targets, COptions.rule("ep").pointer, 2, 0, &part, noProgress, &$0.metrics)
            }
        }
        #expect(try network.parameters() == before)
    }

    @Test func randomStates() throws {
        let network = try CNetwork()
        var state = cep_random_state(words: (1, 2, 3, 4))
        #expect(cep_set_random_state(network.pointer, &state) == CEP_OK)
        var zeros = cep_random_state(words: (0, 0, 0, 0))
        expectFailure(saying: ["random state", "zeros"]) { _ in cep_set_random_state(network.pointer, &zeros) }
        var found = cep_random_state(words: (7, 7, 7, 7))
        expectFailure(saying: ["state is NULL"]) { _ in cep_get_random_state(network.pointer, nil) }
        expectFailure(saying: ["state is NULL"]) { _ in cep_set_random_state(network.pointer, nil) }
        #expect(cep_get_random_state(network.pointer, &found) == CEP_OK)
        #expect(found.words == (1, 2, 3, 4))
    }

    @Test func threadCounts() {
        let before = cep_get_num_threads()
        for count in [0, -1, 1025, Int64.min, .max] {
            expectFailure(saying: ["threads", "1 to 1024", "\(count)"]) { _ in cep_set_num_threads(count) }
        }
        #expect(cep_get_num_threads() == before)
    }

    @Test func phasesInTheWrongOrder() throws {
        let network = try CNetwork()
        expectFailure(CEP_INVALID_STATE, saying: ["free phase"]) {
            cep_nudged_phase(network.pointer, targets, 0.5, 2, noProgress, &$0.outcome)
        }
        expectFailure(CEP_INVALID_STATE, saying: ["free phase"]) {
            cep_free_phase(network.pointer, x, 2, 1, noProgress, &$0.outcome)
        }
        expectSuccess { cep_free_phase(network.pointer, x, 2, 0, noProgress, &$0.outcome) }
        let other = TestSamples(2)
        expectFailure(saying: ["2 rows", "have 3"]) {
            cep_free_phase(network.pointer, other.x, 2, 1, noProgress, &$0.outcome)
        }
    }

    private func expectRuleRefused(
        _ options: COptions, saying parts: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let network = try CNetwork()
        let before = try network.parameters()
        let rule = options.pointer
        expectFailure(saying: parts, sourceLocation: sourceLocation) {
            cep_train_batch(network.pointer, x, targets, rule, noProgress, &$0.metrics)
        }
        expectFailure(saying: parts, sourceLocation: sourceLocation) {
            cep_train_epoch(network.pointer, x, targets, rule, 2, 0, nil, noProgress, &$0.metrics)
        }
        expectFailure(saying: parts, sourceLocation: sourceLocation) { _ in
            cep_optimizer_prepare(network.pointer, rule)
        }
        #expect(try network.parameters() == before, sourceLocation: sourceLocation)
    }
}
