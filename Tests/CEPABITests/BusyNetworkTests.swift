import CCEP
import CEPABI
import Testing

@Suite struct BusyNetworkTests {
    private static let samples = TestSamples(3)

    /// A network whose phase does not come to rest before it is stopped.
    private func slowNetwork() throws -> CNetwork {
        try CNetwork([4, 5, 3], ["setting": "real-time", "dt": 1e-6, "dtype": "float64"])
    }

    /// Every function that uses a network, with valid arguments, in this order: the first one creates states.
    private static let calls: [@Sendable (OpaquePointer, inout Outputs) -> cep_status] = [
        { cep_free_phase($0, samples.x, 1, 0, noProgress, &$1.outcome) },
        { cep_nudged_phase($0, samples.targets, 0.5, 1, noProgress, &$1.outcome) },
        { cep_energy($0, &$1.energies, 3) },
        { cep_network_tensor($0, "states", 1, &$1.tensor) },
        { cep_train_batch($0, samples.x, samples.targets, COptions.rule("ep").pointer, noProgress, &$1.metrics) },
        { network, outputs in
            cep_train_epoch(
                network, samples.x, samples.targets, COptions.rule("cep").pointer, 2, 0, nil, noProgress,
                &outputs.metrics)
        },
        { network, _ in cep_check_samples(network, samples.x, samples.targets) },
        { cep_evaluate($0, samples.x, samples.targets, 1, noProgress, &$1.metrics) },
        { cep_predict($0, samples.x, 1, noProgress, &$1.classes, 3) },
        { network, outputs in
            cep_gradient_estimate(
                network, samples.x, samples.targets, COptions.rule("bptt").pointer, noProgress, &outputs.metrics,
                &outputs.handle)
        },
        { network, outputs in
            cep_theorem_check(
                network, samples.x, samples.targets, COptions.theorem().pointer, noProgress, &outputs.handle)
        },
        { cep_feedback_angle($0, 1, &$1.degrees) },
        { cep_network_copy($0, &$1.handle) },
        { network, _ in
            var state = cep_random_state()
            return cep_get_random_state(network, &state)
        },
        { network, _ in
            var state = cep_random_state(words: (1, 2, 3, 4))
            return cep_set_random_state(network, &state)
        },
        { network, _ in cep_optimizer_prepare(network, COptions.rule("ep", ["optimizer": "adam"]).pointer) },
        { network, _ in cep_optimizer_set_steps(network, 1) },
        { network, _ in
            var summary = cep_optimizer_summary()
            return cep_optimizer_summarize(network, &summary)
        },
        { cep_optimizer_tensor($0, "first_moment", "weights", 0, &$1.tensor) },
    ]

    private func releaseResults(_ outputs: Outputs) {
        var outputs = outputs
        cep_network_destroy(outputs.handle)
        cep_gradient_destroy(outputs.handle)
        cep_theorem_destroy(outputs.handle)
        cep_tensor_release(&outputs.tensor)
    }

    private func expectAllSucceed(_ network: CNetwork) {
        for call in Self.calls { releaseResults(expectSuccess { call(network.pointer, &$0) }) }
    }

    private func expectAllBusy(_ network: CNetwork) {
        for call in Self.calls { expectFailure(CEP_BUSY, saying: ["in use"]) { call(network.pointer, &$0) } }
    }

    /// Runs `body` during a phase of the network.
    private func whileBusy(_ network: CNetwork, _ body: @escaping () -> Void) {
        let progress = Progress { _ in
            body()
            return true
        }
        expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
            progress.during {
                cep_free_phase(network.pointer, Self.samples.x, 1_000_000_000, 0, $0, &outputs.outcome)
            }
        }
        #expect(progress.reports.count == 1)
    }

    @Test func aProgressFunctionMustNotUseTheNetwork() throws {
        let network = try slowNetwork()
        whileBusy(network) { self.expectAllBusy(network) }
        expectAllSucceed(network)
    }

    @Test func aSecondThreadIsRefused() throws {
        let network = try slowNetwork()
        whileBusy(network) { onAnotherThread { self.expectAllBusy(network) } }
    }

    @Test func anotherNetworkIsFree() throws {
        let (network, other) = (try slowNetwork(), try CNetwork())
        whileBusy(network) {
            self.expectAllSucceed(other)
            onAnotherThread { self.expectAllSucceed(other) }
        }
    }

    @Test func aNetworkIsFreeAfterAFailure() throws {
        let network = try CNetwork()
        for _ in 0..<2 {
            expectFailure(saying: ["steps"]) {
                cep_free_phase(network.pointer, Self.samples.x, 0, 0, noProgress, &$0.outcome)
            }
        }
        expectSuccess { cep_free_phase(network.pointer, Self.samples.x, 1, 0, noProgress, &$0.outcome) }
    }

    /// The call continues, but the handle is invalid from then on.
    @Test func aNetworkCanBeDestroyedDuringACall() throws {
        let network = try slowNetwork()
        whileBusy(network) {
            cep_network_destroy(network.pointer)
            expectFailure(saying: ["released"]) {
                cep_free_phase(network.pointer, Self.samples.x, 1, 0, noProgress, &$0.outcome)
            }
        }
    }
}
