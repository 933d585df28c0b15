import CCEP
import Glibc

/// A progress function that calls a Swift closure.
///
/// The engine reports every 20 ms at most. By default the function sleeps for longer, so that after the first report
/// the engine reports at every opportunity.
final class Progress {
    private(set) var reports: [cep_progress_report] = []
    private let sleeps: Bool
    private let stops: (cep_progress_report) -> Bool

    init(sleeps: Bool = true, stops: @escaping (cep_progress_report) -> Bool) {
        self.sleeps = sleeps
        self.stops = stops
    }

    /// Runs a call with this progress.
    func during<Result>(_ call: (cep_progress) -> Result) -> Result {
        withExtendedLifetime(self) {
            call(
                cep_progress(
                    function: { report, context in
                        guard let context else { return 1 }
                        return Unmanaged<Progress>.fromOpaque(context).takeUnretainedValue().received(report.pointee)
                    }, step: nil, context: Unmanaged.passUnretained(self).toOpaque()))
        }
    }

    private func received(_ report: cep_progress_report) -> Int32 {
        reports.append(report)
        if sleeps { usleep(21_000) }
        // Anything but 0 stops.
        return stops(report) ? -1 : 0
    }
}

/// Runs a closure on a new thread, and waits for it.
func onAnotherThread(_ body: @escaping () -> Void) {
    final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { context in
            if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(Work(body)).toOpaque())
    precondition(status == 0, "pthread_create failed")
    pthread_join(thread, nil)
}
