import CEPEngine
import Glibc
import Testing

@Suite struct ProgressIsReported {
    private static let phases = Conditions(freeSteps: 2, nudgedSteps: 2, beta: 0.5, learningRates: [0.4, 0.2])
    private static let data = Dataset.random(8, inputs: 4, classes: 3)

    private func network() throws -> Network<Float> {
        try Network<Float>(NetworkConfiguration(sizes: [4, 5, 3], seed: 6))
    }

    @Test func anEpochCountsSamplesErrorsAndLosses() throws {
        let polled = PolledMonitor()
        let total = try network().trainEpoch(Self.data, .ep, Self.phases, batchSize: 3, monitor: polled.monitor())
        let reports = polled.reports
        // Four steps, then the end of the batch, of three batches.
        #expect(reports.map(\.done) == [0, 0, 0, 0, 3, 3, 3, 3, 3, 6, 6, 6, 6, 6, 8])
        #expect(reports.allSatisfy { $0.total == 8 })

        let byHand = try network()
        var random = RandomSource(seed: 0)
        let order = random.permutation(of: 8)
        let first = try byHand.trainBatch(Self.data.rows(order[0..<3]), .ep, Self.phases)
        let second = try byHand.trainBatch(Self.data.rows(order[3..<6]), .ep, Self.phases)
        #expect(reports[4].errors == first.errors && reports[4].lossSum == first.lossSum)
        #expect(reports[9].errors == first.errors + second.errors)
        #expect(reports[9].lossSum == first.lossSum + second.lossSum)
        #expect(reports[14].errors == total.errors && reports[14].lossSum == total.lossSum)
        #expect(total.lossSum > 0)
    }

    @Test func aBatchCountsSamples() throws {
        let polled = PolledMonitor()
        try network().trainBatch(Self.data, .cep, Self.phases, monitor: polled.monitor())
        #expect(polled.reports.map(\.done) == [0, 0, 0, 0])
        #expect(polled.reports.allSatisfy { $0.total == 8 })
    }

    @Test func evaluationAndPredictionCountSamples() throws {
        let many = Dataset.random(130, inputs: 4, classes: 3)
        var polled = PolledMonitor()
        let metrics = try network().evaluate(many, steps: 2, monitor: polled.monitor())
        #expect(polled.reports.map(\.done) == [0, 0, 128, 128, 128, 130])
        #expect(polled.reports.allSatisfy { $0.total == 130 })
        #expect(polled.reports.last?.errors == metrics.errors && polled.reports.last?.lossSum == metrics.lossSum)

        polled = PolledMonitor()
        try network().predict(many.inputs, steps: 2, monitor: polled.monitor())
        #expect(polled.reports.map(\.done) == [0, 0, 128, 128, 128, 130])
        #expect(polled.reports.allSatisfy { $0.total == 130 && $0.errors == 0 && $0.lossSum == 0 })
    }

    @Test func aSinglePhaseCountsSteps() throws {
        let network = try network()
        var polled = PolledMonitor(countsSteps: true)
        try network.freePhase(Self.data.inputs, steps: 3, monitor: polled.monitor())
        #expect(polled.reports.map(\.done) == [1, 2, 3] && polled.reports.allSatisfy { $0.total == 3 })
        polled = PolledMonitor(countsSteps: true)
        try network.nudgedPhase(Self.data.wanted, beta: 0.5, steps: 2, monitor: polled.monitor())
        #expect(polled.reports.map(\.done) == [1, 2] && polled.reports.allSatisfy { $0.total == 2 })
    }

    /// Reports are for display: at most one in 20 ms, however fast the work is.
    @Test func reportsAreSeldom() throws {
        let network = try network()
        var reports = 0
        let start = now()
        let monitor = ProgressMonitor { _ in
            reports += 1
            return false
        }
        for _ in 0..<40 { try network.trainEpoch(Self.data, .ep, Self.phases, batchSize: 1, monitor: monitor) }
        #expect(reports <= (now() - start) / 20_000_000)
    }

    @Test func aStopIsNotAskedForInTheFirst20Milliseconds() throws {
        let network = try network()
        let start = now()
        var first: Int?
        let monitor = ProgressMonitor { _ in
            first = first ?? now()
            return true
        }
        #expect(throws: EngineError.stopped) {
            while true { try network.trainEpoch(Self.data, .ep, Self.phases, batchSize: 1, monitor: monitor) }
        }
        #expect((first ?? 0) - start >= 20_000_000)
    }

    /// Nanoseconds of a monotonic clock.
    private func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
