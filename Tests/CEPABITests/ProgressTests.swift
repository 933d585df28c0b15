import CCEP
import CEPABI
import Testing

/// What exactly is kept at which moment, the engine's own tests say; here, that C's progress function has its way.
@Suite struct WorkCanBeStopped {
    private static let batchSize: Int64 = 3

    @Test(arguments: [CEP_RULE_EP, CEP_RULE_CEP])
    func anEpochStopsWithWholeBatches(_ kind: Int) throws {
        let samples = LentSamples(6000)
        var (x, targets, rule) = (samples.x, samples.targets, lendRule(kind))
        for after in [0, 1, 2, 3, 7] {
            let network = try CNetwork { $0.dtype = cep_dtype(CEP_FLOAT64) }
            // From the first report on there is one at each chance.
            var seen = 0
            let progress = Progress { _ in
                seen += 1
                return seen > after
            }
            expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
                progress.during {
                    cep_train_epoch(
                        network.pointer, &x, &targets, &rule, Self.batchSize, 5, nil, $0, &outputs.metrics)
                }
            }
            let last = try #require(progress.reports.last)
            #expect(progress.reports.count == after + 1 && last.total == 6000)
            #expect(last.done % Self.batchSize == 0 && last.errors <= last.done && last.loss_sum >= 0)
            // As many batches were kept as the last report said were done.
            #expect(try network.parameters() == parametersAfter(batches: last.done / Self.batchSize, kind))
        }
    }

    /// A second network, trained on so many batches of the epoch one by one.
    private func parametersAfter(batches: Int64, _ kind: Int) throws -> [[Double]] {
        let network = try CNetwork { $0.dtype = cep_dtype(CEP_FLOAT64) }
        let all = LentSamples(6000)
        var order = SplitOrder(rows: 6000, seed: 5)
        for _ in 0..<batches {
            let rows = order.next(Int(Self.batchSize))
            var x = lendMatrix(rows.map { all.inputs[$0] })
            var targets = lendLabels(rows.map { all.labels[$0] })
            var rule = lendRule(kind)
            _ = expectSuccess { cep_train_batch(network.pointer, &x, &targets, &rule, noProgress, &$0.metrics) }
        }
        return try network.parameters()
    }

    @Test func predictionWritesAllOrNothing() throws {
        let samples = LentSamples(20_000)
        let network = try CNetwork()
        var x = samples.x
        var classes = [Int64](repeating: -7, count: 20_000)
        let progress = Progress(sleeps: false) { $0.done >= 128 }
        let status = progress.during { cep_predict(network.pointer, &x, 1000, $0, &classes, 20_000) }
        #expect(status == CEP_STOPPED)
        #expect(progress.reports.last.map { $0.done >= 128 && $0.done < 20_000 && $0.total == 20_000 } == true)
        #expect(classes.allSatisfy { $0 == -7 })
    }

    @Test func evaluationCanBeStopped() throws {
        let samples = LentSamples(20_000)
        let network = try CNetwork()
        var (x, targets) = (samples.x, samples.targets)
        let progress = Progress(sleeps: false) { $0.done >= 128 }
        expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
            progress.during { cep_evaluate(network.pointer, &x, &targets, 1000, $0, &outputs.metrics) }
        }
        let last = try #require(progress.reports.last)
        #expect(last.errors > 0 && last.errors <= last.done && last.loss_sum > 0)
    }

    @Test func phasesReportTheirSteps() throws {
        let network = try CNetwork {
            $0.setting = cep_setting(CEP_REAL_TIME)
            $0.time_step = 1e-6
            $0.dtype = cep_dtype(CEP_FLOAT64)
        }
        let samples = LentSamples(2)
        var (x, targets) = (samples.x, samples.targets)
        for nudged in [false, true] {
            var count = 0
            let progress = Progress { _ in
                count += 1
                return count == 3
            }
            expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
                progress.during {
                    nudged
                        ? cep_nudged_phase(network.pointer, &targets, 0.5, 1 << 40, $0, &outputs.outcome)
                        : cep_free_phase(network.pointer, &x, 1 << 40, 0, $0, &outputs.outcome)
                }
            }
            let done = progress.reports.map(\.done)
            // Some milliseconds of steps lie between two reports.
            #expect(done.count == 3 && 0 < done[0] && done[0] < done[1] && done[1] < done[2] && done[2] < 10_000_000)
            #expect(progress.reports.allSatisfy { $0.total == 1 << 40 && $0.errors == 0 && $0.loss_sum == 0 })
        }
    }
}
