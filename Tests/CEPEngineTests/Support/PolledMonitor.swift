import CEPEngine

/// A progress monitor that reports at every opportunity, after each step and batch, so that tests can stop work there.
final class PolledMonitor {
    private(set) var reports: [ProgressReport] = []
    private let stopAt: Int?
    private let countsSteps: Bool

    /// - Parameter stopAt: The number of the report, from 1, at which to stop.
    init(stopAt: Int? = nil, countsSteps: Bool = false) {
        self.stopAt = stopAt
        self.countsSteps = countsSteps
    }

    /// A monitor for one call.
    func monitor() -> ProgressMonitor {
        ProgressMonitor(countsSteps: countsSteps, workPerPoll: 1, interval: 0) { report in
            self.reports.append(report)
            return self.reports.count == self.stopAt
        }
    }
}
