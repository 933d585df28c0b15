import CEPKernels

/// The progress of a long call.
public struct ProgressReport: Sendable {
    /// Samples in training, evaluation and prediction; steps in a single phase.
    public var done = 0
    /// The value of `done` at the end.
    public var total = 0
    /// Wrong predictions among the samples done.
    public var errors = 0
    /// The sum of the losses of the samples done.
    public var lossSum = 0.0
}

/// Reports the progress of a long call to the caller from time to time, asks whether to stop, and passes the steps of
/// phases to an observer.
public final class ProgressMonitor {
    private let shouldStop: ((ProgressReport) -> Bool)?
    private let observer: (any PhaseObserver)?
    private let countsSteps: Bool
    /// Multiplications of a phase between two polls of the monitor: some milliseconds.
    let workPerPoll: Int
    /// Nanoseconds.
    private let interval: UInt64
    private var lastReport: UInt64
    private(set) var report = ProgressReport()

    /// - Parameters:
    ///   - countsSteps: Whether the call is a single phase, whose progress is its steps.
    ///   - workPerPoll: Multiplications of a phase between two polls of the monitor.
    ///   - interval: The least time between two reports in nanoseconds. The default is often enough for a progress bar
    ///     and Ctrl-C, and rarely enough to cost nothing.
    ///   - observer: Observes each step of each phase of the call.
    ///   - shouldStop: Called at these intervals on the thread that does the work.
    public init(
        countsSteps: Bool = false, workPerPoll: Int = 1 << 27, interval: UInt64 = 20_000_000,
        observer: (any PhaseObserver)? = nil, shouldStop: ((ProgressReport) -> Bool)? = nil
    ) {
        self.countsSteps = countsSteps
        self.workPerPoll = workPerPoll
        self.observer = observer
        self.shouldStop = shouldStop
        self.interval = interval
        lastReport = monotonicNanoseconds()
    }

    /// - Parameter done: The results before this call, from which reports continue.
    func begin(total: Int, after done: Metrics = Metrics()) {
        guard !countsSteps else { return }
        report = ProgressReport(done: done.samples, total: total, errors: done.errors, lossSum: done.lossSum)
    }

    func finished(_ metrics: Metrics) throws(EngineError) {
        report.done += metrics.samples
        report.errors += metrics.errors
        report.lossSum += metrics.lossSum
        try poll()
    }

    /// Called after a step of a phase, so that a long phase can be stopped.
    func stepTaken(_ step: Int, of total: Int) throws(EngineError) {
        if countsSteps { report = ProgressReport(done: step, total: total) }
        try poll()
    }

    /// Whether an observer is set.
    var isObserved: Bool { observer != nil }

    /// Shows a step of a phase to the observer, if there is one.
    @inline(__always)
    func show<Element>(_ step: () -> PhaseStep<Element>) throws(EngineError) {
        if let observer { try observer.observe(step()) }
    }

    private func poll() throws(EngineError) {
        guard let shouldStop else { return }
        let now = monotonicNanoseconds()
        guard now - lastReport >= interval else { return }
        lastReport = now
        if shouldStop(report) { throw .stopped }
    }
}

/// The time of a monotonic clock.
private func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
