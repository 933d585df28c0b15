import CEPEngine
import Glibc

/// A progress monitor that reports at every opportunity, so that tests can stop work at each one.
///
/// The engine reports at most once in 20 ms. After each poll this monitor sleeps for longer, so that the next report is
/// due at the next opportunity: after a step or a batch.
final class PolledMonitor {
    private(set) var reports: [ProgressReport] = []
    private let stopAt: Int?
    private let countsSteps: Bool

    /// - Parameter stopAt: The number of the report, from 1, at which to stop.
    init(stopAt: Int? = nil, countsSteps: Bool = false) {
        self.stopAt = stopAt
        self.countsSteps = countsSteps
    }

    /// A monitor for one call, which must follow immediately.
    func monitor() -> ProgressMonitor {
        let monitor = ProgressMonitor(countsSteps: countsSteps, workPerPoll: 1) { report in
            self.reports.append(report)
            usleep(21_000)
            return self.reports.count == self.stopAt
        }
        usleep(21_000)
        return monitor
    }
}
