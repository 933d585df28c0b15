import CCEP
import CEPABI
import Testing

/// Each step as C's step function sees it; that nothing depends on its being seen.
@Suite struct StepsAreShown {
    private static let samples = LentSamples(3)

    @Test(arguments: [CEP_TIED, CEP_UNTIED], [CEP_SYNCHRONOUS, CEP_ALTERNATING])
    func phasesShowTheStatesOfEveryStep(_ feedback: Int, _ relaxation: Int) throws {
        func network() throws -> CNetwork {
            try CNetwork {
                $0.feedback = cep_feedback(feedback)
                $0.relaxation = cep_relaxation(relaxation)
            }
        }
        var (x, targets) = (Self.samples.x, Self.samples.targets)
        let watched = try network()
        var seen: [(cep_step_summary, [[Double]])] = []
        let probe = StepProbe { step in
            guard let summary = try? summary(of: step),
                let states = try? (0..<3).map({ try values(of: step, CEP_STATES, $0) })
            else { return 1 }
            seen.append((summary, states))
            return 0
        }
        _ = expectSuccess { outputs in
            probe.during { cep_free_phase(watched.pointer, &x, 5, 0, $0, &outputs.outcome) }
        }
        _ = expectSuccess { outputs in
            probe.during { cep_nudged_phase(watched.pointer, &targets, 0.5, 3, $0, &outputs.outcome) }
        }
        #expect(seen.map { $0.0.step } == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3])
        #expect(seen.map { $0.0.beta } == Array(repeating: 0, count: 6) + Array(repeating: 0.5, count: 4))
        #expect(seen.allSatisfy { $0.0.weights_move == 0 })
        #expect(seen[0].0.residual == 0 && seen[6].0.residual == 0)
        #expect(seen[0].1[1...].joined().allSatisfy { $0 == 0 })
        #expect(seen[6].1 == seen[5].1)

        // Each anew, in a network nobody looks at, with as many steps.
        let other = try network()
        for steps in 1...Int64(5) {
            let outcome = expectSuccess { cep_free_phase(other.pointer, &x, steps, 0, noProgress, &$0.outcome) }.outcome
            #expect(try other.states() == seen[Int(steps)].1)
            #expect(outcome.residual == seen[Int(steps)].0.residual)
        }
        for steps in 1...Int64(3) {
            _ = expectSuccess { cep_free_phase(other.pointer, &x, 5, 0, noProgress, &$0.outcome) }
            let outcome = expectSuccess {
                cep_nudged_phase(other.pointer, &targets, 0.5, steps, noProgress, &$0.outcome)
            }.outcome
            #expect(try other.states() == seen[6 + Int(steps)].1)
            #expect(outcome.residual == seen[6 + Int(steps)].0.residual)
        }
    }

    @Test(arguments: [CEP_TIED, CEP_UNTIED], [0, 1] as [Int32])
    func continualPhasesShowTheWeightsOfEveryStep(_ feedback: Int, _ writes: Int32) throws {
        var (x, targets, rule) = (Self.samples.x, Self.samples.targets, lendRule(CEP_RULE_CEP))
        rule.write_every_step = writes
        let (watched, other) = (
            try CNetwork { $0.feedback = cep_feedback(feedback) }, try CNetwork { $0.feedback = cep_feedback(feedback) }
        )
        let before = try watched.parameters()
        var seen: [[[Double]]] = []
        let probe = StepProbe { step in
            guard let summary = try? summary(of: step) else { return 1 }
            guard summary.weights_move != 0 else { return summary.beta == 0 ? 0 : 1 }
            var parameters: [[Double]] = []
            for kind in [CEP_WEIGHTS, CEP_BIASES, CEP_FEEDBACK_WEIGHTS] {
                for index in 0..<Int64(2) where kind != CEP_FEEDBACK_WEIGHTS || (index == 1 && feedback == CEP_UNTIED) {
                    guard let numbers = try? values(of: step, kind, index) else { return 1 }
                    parameters.append(numbers)
                }
            }
            seen.append(parameters)
            return 0
        }
        _ = expectSuccess { outputs in
            probe.during { cep_train_batch(watched.pointer, &x, &targets, &rule, $0, &outputs.metrics) }
        }
        _ = expectSuccess { cep_train_batch(other.pointer, &x, &targets, &rule, noProgress, &$0.metrics) }
        #expect(try watched.parameters() == other.parameters())
        #expect(try watched.states() == other.states())
        // Two nudged steps.
        #expect(seen.count == 3)
        #expect(seen.first == before)
        #expect(try seen.last == watched.parameters())
        #expect(seen[1] != seen[0] && seen[2] != seen[1])
    }

    @Test func aStepFunctionCanStopTheWork() throws {
        let network = try CNetwork()
        let before = try network.parameters()
        for kind in [CEP_RULE_EP, CEP_RULE_CEP, CEP_RULE_BPTT] {
            var (x, targets, rule) = (Self.samples.x, Self.samples.targets, lendRule(kind))
            var count = 0
            let probe = StepProbe { _ in
                count += 1
                return count == 3 ? -1 : 0
            }
            expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
                probe.during { cep_train_batch(network.pointer, &x, &targets, &rule, $0, &outputs.metrics) }
            }
            #expect(count == 3)
        }
        #expect(try network.parameters() == before)
    }

    @Test func argumentsAreChecked() throws {
        let network = try CNetwork()
        var x = Self.samples.x
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["step is NULL"]) { _ in
            var summary = cep_step_summary()
            return cep_step_summarize(nil, &summary)
        }
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["step is NULL"]) { _ in
            var array: OpaquePointer?
            return cep_step_array(nil, cep_array_kind(CEP_STATES), 0, &array)
        }
        let probe = StepProbe { step in
            expectFailure(CEP_INVALID_ARGUMENT, saying: ["summary is NULL"]) { _ in cep_step_summarize(step, nil) }
            expectFailure(CEP_INVALID_ARGUMENT, saying: ["array is NULL"]) { _ in
                cep_step_array(step, cep_array_kind(CEP_STATES), 0, nil)
            }
            for (kind, index, words) in [
                (CEP_STATES, 3, ["no layer 3", "0 to 2"]), (CEP_STATES, -1, ["no layer -1"]),
                (CEP_STATES, .max, ["no layer"]), (CEP_WEIGHTS, 2, ["no connection 2", "0 to 1"]),
                (CEP_BIASES, .min, ["no connection"]), (CEP_FEEDBACK_WEIGHTS, 1, ["feedback weights of its own"]),
                (9, 0, ["9 is not a kind"]), (-1, 0, ["-1 is not a kind"]),
            ] as [(Int, Int64, [String])] {
                expectFailure(CEP_INVALID_ARGUMENT, saying: words) { _ in
                    var array: OpaquePointer?
                    let status = cep_step_array(step, cep_array_kind(kind), index, &array)
                    #expect(array == nil)
                    return status
                }
            }
            return 0
        }
        _ = expectSuccess { outputs in
            probe.during { cep_free_phase(network.pointer, &x, 1, 0, $0, &outputs.outcome) }
        }
    }

    /// The network is in use: what it has is asked of the step.
    @Test func theNetworkIsBusyMeanwhile() throws {
        let network = try CNetwork()
        var x = Self.samples.x
        let probe = StepProbe { _ in
            expectFailure(CEP_BUSY, saying: ["in use"]) { _ in
                var array: OpaquePointer?
                return cep_network_array(network.pointer, cep_array_kind(CEP_STATES), 1, &array)
            }
            return 0
        }
        _ = expectSuccess { outputs in
            probe.during { cep_free_phase(network.pointer, &x, 2, 0, $0, &outputs.outcome) }
        }
    }
}
