import CCEP
import CEPABI
import Testing

/// The progress function reports and stops work. FailureTests also checks the parameters afterwards.
@Suite struct ProgressTests {
    private static let batchSize: Int64 = 3

    @Test(arguments: ["ep", "cep"])
    func anEpochStopsAfterAWholeBatch(_ rule: String) throws {
        let samples = TestSamples(6000)
        for after in [0, 1, 2, 3, 7] {
            let network = try CNetwork([4, 5, 3], ["dtype": "float64"])
            var seen = 0
            let progress = Progress { _ in
                seen += 1
                return seen > after
            }
            expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
                progress.during {
                    cep_train_epoch(
                        network.pointer, samples.x, samples.targets, COptions.rule(rule).pointer, Self.batchSize, 5,
                        nil, $0, &outputs.metrics)
                }
            }
            let last = try #require(progress.reports.last)
            #expect(progress.reports.count == after + 1 && last.total == 6000)
            #expect(last.done % Self.batchSize == 0 && last.errors <= last.done && last.loss_sum >= 0)
            // The parameters are those after the batches of the last report.
            #expect(try network.parameters() == parametersAfter(batches: last.done / Self.batchSize, rule))
        }
    }

    /// The parameters of a second network after training the first batches of the epoch one by one.
    private func parametersAfter(batches: Int64, _ rule: String) throws -> [[Double]] {
        let network = try CNetwork([4, 5, 3], ["dtype": "float64"])
        let all = TestSamples(6000)
        var order = SplitOrder(rows: 6000, seed: 5)
        for _ in 0..<batches {
            let rows = order.next(Int(Self.batchSize))
            var x = matrix(rows.map { all.inputs[$0] })
            var targets = labels(rows.map { all.classes[$0] })
            expectSuccess {
                cep_train_batch(
                    network.pointer, &x, &targets, COptions.rule(rule).pointer, noProgress, &$0.metrics)
            }
        }
        return try network.parameters()
    }

    @Test func predictionWritesAllOrNothing() throws {
        let samples = TestSamples(20_000)
        let network = try CNetwork()
        var classes = [Int64](repeating: -7, count: 20_000)
        let progress = Progress(sleeps: false) { $0.done >= 128 }
        let status = progress.during { cep_predict(network.pointer, samples.x, 1000, $0, &classes, 20_000) }
        #expect(status == CEP_STOPPED)
        #expect(progress.reports.last.map { $0.done >= 128 && $0.done < 20_000 && $0.total == 20_000 } == true)
        #expect(classes.allSatisfy { $0 == -7 })
    }

    @Test func evaluationCanBeStopped() throws {
        let samples = TestSamples(20_000)
        let network = try CNetwork()
        let (x, targets) = (samples.x, samples.targets)
        let progress = Progress(sleeps: false) { $0.done >= 128 }
        expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
            progress.during { cep_evaluate(network.pointer, x, targets, 1000, $0, &outputs.metrics) }
        }
        let last = try #require(progress.reports.last)
        #expect(last.errors > 0 && last.errors <= last.done && last.loss_sum > 0)
    }

    @Test func phasesReportTheirSteps() throws {
        let network = try CNetwork([4, 5, 3], ["setting": "real-time", "dt": 1e-6, "dtype": "float64"])
        let samples = TestSamples(2)
        let (x, targets) = (samples.x, samples.targets)
        for nudged in [false, true] {
            var count = 0
            let progress = Progress { _ in
                count += 1
                return count == 3
            }
            expectFailure(CEP_STOPPED, saying: ["asked to stop"]) { outputs in
                progress.during {
                    nudged
                        ? cep_nudged_phase(network.pointer, targets, 0.5, 1 << 40, $0, &outputs.outcome)
                        : cep_free_phase(network.pointer, x, 1 << 40, 0, $0, &outputs.outcome)
                }
            }
            let done = progress.reports.map(\.done)
            #expect(done.count == 3 && 0 < done[0] && done[0] < done[1] && done[1] < done[2] && done[2] < 10_000_000)
            #expect(progress.reports.allSatisfy { $0.total == 1 << 40 && $0.errors == 0 && $0.loss_sum == 0 })
        }
    }
}
