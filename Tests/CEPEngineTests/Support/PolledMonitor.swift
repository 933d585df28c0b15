import CEPEngine
import Glibc

/// A progress monitor that reports at every chance it gets, so that tests can stop work at each of them.
///
/// The engine reports at most once in 20 ms. Whenever this one was asked it sleeps longer than that, which makes the
/// next report due at the next chance: after a step, or after a batch.
final class PolledMonitor {
    private(set) var reports: [ProgressReport] = []
    private let stopAt: Int?
    private let countsSteps: Bool

    /// - Parameter stopAt: The report, counted from 1, that is answered with "stop".
    init(stopAt: Int? = nil, countsSteps: Bool = false) {
        self.stopAt = stopAt
        self.countsSteps = countsSteps
    }

    /// A monitor for one call, which is to follow at once.
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
