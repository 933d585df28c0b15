import CCEP
import CEPABI
import Testing

@Suite struct NetworksInUseAreBusy {
    private static let samples = LentSamples(3)

    /// A network that is far from rest for as long as one cares to wait.
    private func slowNetwork() throws -> CNetwork {
        try CNetwork {
            $0.setting = cep_setting(CEP_REAL_TIME)
            $0.time_step = 1e-6
            $0.dtype = cep_dtype(CEP_FLOAT64)
        }
    }

    /// Every function that takes a network, with arguments that are right.
    private static let calls: [@Sendable (OpaquePointer, inout Outputs) -> cep_status] = [
        { network, outputs in
            var x = samples.x
            return cep_free_phase(network, &x, 1, 0, noProgress, &outputs.outcome)
        },
        { network, outputs in
            var targets = samples.targets
            return cep_nudged_phase(network, &targets, 0.5, 1, noProgress, &outputs.outcome)
        },
        { network, outputs in
            var (x, targets, rule) = (samples.x, samples.targets, lendRule(CEP_RULE_EP))
            return cep_train_batch(network, &x, &targets, &rule, noProgress, &outputs.metrics)
        },
        { network, outputs in
            var (x, targets, rule) = (samples.x, samples.targets, lendRule(CEP_RULE_CEP))
            return cep_train_epoch(network, &x, &targets, &rule, 2, 0, nil, noProgress, &outputs.metrics)
        },
        { network, outputs in
            var (x, targets) = (samples.x, samples.targets)
            return cep_evaluate(network, &x, &targets, 1, noProgress, &outputs.metrics)
        },
        { network, outputs in
            var x = samples.x
            return cep_predict(network, &x, 1, noProgress, &outputs.classes, 3)
        },
        { network, outputs in
            var copy: OpaquePointer?
            let status = cep_network_copy(network, &copy)
            cep_network_destroy(copy)
            return status
        },
        { network, outputs in cep_network_array(network, cep_array_kind(CEP_STATES), 1, &outputs.array) },
    ]

    /// Runs `body` while a phase of the network is under way.
    private func whileBusy(_ network: CNetwork, _ body: @escaping () -> Void) {
        var x = Self.samples.x
        let progress = Progress { _ in
            body()
            return true
        }
        expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
            progress.during { cep_free_phase(network.pointer, &x, 1_000_000_000, 0, $0, &outputs.outcome) }
        }
        #expect(progress.reports.count == 1)
    }

    @Test func aProgressFunctionMustNotUseTheNetwork() throws {
        let network = try slowNetwork()
        whileBusy(network) {
            for call in Self.calls {
                expectFailure(CEP_BUSY, saying: ["another thread"]) { call(network.pointer, &$0) }
            }
        }
        for call in Self.calls { _ = expectSuccess { call(network.pointer, &$0) } }
    }

    @Test func aSecondThreadIsTurnedAway() throws {
        let network = try slowNetwork()
        whileBusy(network) {
            onAnotherThread {
                for call in Self.calls {
                    expectFailure(CEP_BUSY, saying: ["another thread"]) { call(network.pointer, &$0) }
                }
            }
        }
    }

    @Test func anotherNetworkIsFree() throws {
        let (network, other) = (try slowNetwork(), try CNetwork())
        whileBusy(network) {
            for call in Self.calls { _ = expectSuccess { call(other.pointer, &$0) } }
            onAnotherThread { for call in Self.calls { _ = expectSuccess { call(other.pointer, &$0) } } }
        }
    }

    /// A call that failed has let go of the network.
    @Test func aNetworkIsFreeAfterAFailure() throws {
        let network = try CNetwork()
        var x = Self.samples.x
        for _ in 0..<2 {
            expectFailure(CEP_INVALID_ARGUMENT, saying: ["steps"]) {
                cep_free_phase(network.pointer, &x, 0, 0, noProgress, &$0.outcome)
            }
        }
        _ = expectSuccess { cep_free_phase(network.pointer, &x, 1, 0, noProgress, &$0.outcome) }
    }
}
