import CCEP
import CEPABI
import Testing

/// The step function sees each step, and results do not depend on it.
@Suite struct StepTests {
    private static let samples = TestSamples(3)

    @Test(arguments: ["tied", "untied"], ["synchronous", "alternating"])
    func phasesShowTheStatesOfEveryStep(_ feedback: String, _ relaxation: String) throws {
        func network() throws -> CNetwork {
            try CNetwork([4, 5, 3], ["feedback": .text(feedback), "relaxation": .text(relaxation)])
        }
        let (x, targets) = (Self.samples.x, Self.samples.targets)
        let watched = try network()
        var seen: [(cep_step_summary, [[Double]])] = []
        let probe = StepProbe { step in
            guard let summary = try? summary(of: step),
                let states = try? (0..<3).map({ try values(of: step, "states", $0) })
            else { return 1 }
            seen.append((summary, states))
            return 0
        }
        expectSuccess { outputs in
            probe.during { cep_free_phase(watched.pointer, x, 5, 0, $0, &outputs.outcome) }
        }
        expectSuccess { outputs in
            probe.during { cep_nudged_phase(watched.pointer, targets, 0.5, 3, $0, &outputs.outcome) }
        }
        #expect(seen.map { $0.0.step } == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3])
        #expect(seen.map { $0.0.beta } == Array(repeating: 0, count: 6) + Array(repeating: 0.5, count: 4))
        #expect(seen.allSatisfy { $0.0.weights_move == 0 })
        #expect(seen[0].0.residual == 0 && seen[6].0.residual == 0)
        #expect(seen[0].1[1...].joined().allSatisfy { $0 == 0 })
        #expect(seen[6].1 == seen[5].1)

        // Another network without a step function takes the same steps.
        let other = try network()
        for steps in 1...Int64(5) {
            let outcome = expectSuccess { cep_free_phase(other.pointer, x, steps, 0, noProgress, &$0.outcome) }.outcome
            #expect(try other.states() == seen[Int(steps)].1)
            #expect(outcome.residual == seen[Int(steps)].0.residual)
        }
        for steps in 1...Int64(3) {
            expectSuccess { cep_free_phase(other.pointer, x, 5, 0, noProgress, &$0.outcome) }
            let outcome = expectSuccess {
                cep_nudged_phase(other.pointer, targets, 0.5, steps, noProgress, &$0.outcome)
            }.outcome
            #expect(try other.states() == seen[6 + Int(steps)].1)
            #expect(outcome.residual == seen[6 + Int(steps)].0.residual)
        }
    }

    @Test(arguments: ["tied", "untied"], [false, true])
    func continualPhasesShowTheWeightsOfEveryStep(_ feedback: String, _ writes: Bool) throws {
        let (x, targets) = (Self.samples.x, Self.samples.targets)
        let rule = COptions.rule("cep", ["write_every_step": .integers([writes ? 1 : 0])]).pointer
        let (watched, other) = (
            try CNetwork([4, 5, 3], ["feedback": .text(feedback)]),
            try CNetwork([4, 5, 3], ["feedback": .text(feedback)])
        )
        let names = try watched.parameterNames()
        let before = try watched.parameters()
        var seen: [[[Double]]] = []
        let probe = StepProbe { step in
            guard let summary = try? summary(of: step) else { return 1 }
            guard summary.weights_move != 0 else { return summary.beta == 0 ? 0 : 1 }
            guard let parameters = try? names.map({ try values(of: step, $0.name, $0.index) }) else { return 1 }
            seen.append(parameters)
            return 0
        }
        expectSuccess { outputs in
            probe.during { cep_train_batch(watched.pointer, x, targets, rule, $0, &outputs.metrics) }
        }
        expectSuccess { cep_train_batch(other.pointer, x, targets, rule, noProgress, &$0.metrics) }
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
        let (x, targets) = (Self.samples.x, Self.samples.targets)
        for name in ["ep", "cep", "bptt", "rbp"] {
            let rule = COptions.rule(name).pointer
            var count = 0
            let probe = StepProbe { _ in
                count += 1
                return count == 3 ? -1 : 0
            }
            expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
                probe.during { cep_train_batch(network.pointer, x, targets, rule, $0, &outputs.metrics) }
            }
            #expect(count == 3)
        }
        #expect(try network.parameters() == before)
    }

    @Test func argumentsAreChecked() throws {
        let network = try CNetwork()
        expectFailure(saying: ["step is NULL"]) { _ in
            var summary = cep_step_summary()
            return cep_step_summarize(nil, &summary)
        }
        expectFailure(saying: ["step is NULL"]) { cep_step_tensor(nil, "states", 0, &$0.tensor) }
        var last: OpaquePointer?
        let probe = StepProbe { step in
            last = step
            expectFailure(saying: ["summary is NULL"]) { _ in cep_step_summarize(step, nil) }
            expectFailure(saying: ["tensor is NULL"]) { _ in cep_step_tensor(step, "states", 0, nil) }
            expectFailure(saying: ["name is NULL"]) { cep_step_tensor(step, nil, 0, &$0.tensor) }
            for (name, index, words) in [
                ("states", 3, ["layer 3 does not exist", "0 to 2"]), ("states", -1, ["layer -1 does not exist"]),
                ("states", .max, ["does not exist"]), ("weights", 2, ["connection 2 does not exist", "0 to 1"]),
                ("biases", .min, ["does not exist"]), ("feedback_weights", 1, ["connection 1 has no feedback_weights"]),
                ("state", 0, ["connection 0 has no state"]),
            ] as [(String, Int64, [String])] {
                expectFailure(saying: words) { cep_step_tensor(step, name, index, &$0.tensor) }
            }
            return 0
        }
        expectSuccess { outputs in
            probe.during { cep_free_phase(network.pointer, Self.samples.x, 1, 0, $0, &outputs.outcome) }
        }
        expectFailure(saying: ["step", "released"]) { cep_step_tensor(last, "states", 0, &$0.tensor) }
        expectFailure(saying: ["network is not"]) { cep_network_copy(last, &$0.handle) }
    }

    @Test func aTensorOutlivesItsStep() throws {
        let network = try CNetwork()
        var taken: [CTensor] = []
        let probe = StepProbe { step in
            for name in ["states", "weights"] {
                if let tensor = try? CTensor({ cep_step_tensor(step, name, 1, &$0) }) { taken.append(tensor) }
            }
            return 0
        }
        expectSuccess { outputs in
            probe.during { cep_free_phase(network.pointer, Self.samples.x, 2, 0, $0, &outputs.outcome) }
        }
        #expect(taken.count == 6)
        #expect(taken[0].values == taken[4].values, "the memory that the phase works on")
        #expect(try taken[5].values == network.tensor("weights", 1).values)
    }

    @Test func theNetworkIsBusyDuringAStep() throws {
        let network = try CNetwork()
        let (x, targets) = (Self.samples.x, Self.samples.targets)
        let probe = StepProbe { _ in
            expectFailure(CEP_BUSY, saying: ["in use"]) { cep_network_tensor(network.pointer, "states", 1, &$0.tensor) }
            return 0
        }
        // A theorem check uses a copy.
        let theoremProbe = StepProbe { _ in (try? network.parameters()) == nil ? 1 : 0 }
        probe.during { progress in
            expectSuccess { cep_free_phase(network.pointer, x, 2, 0, progress, &$0.outcome) }
            expectSuccess { cep_evaluate(network.pointer, x, targets, 2, progress, &$0.metrics) }
        }
        let theorem = expectSuccess { outputs in
            theoremProbe.during {
                cep_theorem_check(network.pointer, x, targets, COptions.theorem().pointer, $0, &outputs.handle)
            }
        }
        cep_theorem_destroy(theorem.handle)
    }
}
