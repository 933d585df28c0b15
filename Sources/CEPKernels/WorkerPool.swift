import CVectorKernels
import Synchronization

/// Threads that wait for parts of loops, so that passing a part to one takes a microsecond instead of the start of a
/// thread.
///
/// The division of a loop into parts determines its results; which thread computes a part does not. One caller has the
/// pool at a time. Another caller computes its parts itself, as all callers do while several networks are in use, so
/// that they do not compete for processors.
public final class WorkerPool: @unchecked Sendable {
    public static let shared = WorkerPool()

    /// The number of threads of a loop, including the caller's.
    public var threadCount: Int { wanted.load(ordering: .relaxed) }

    /// - Parameter count: 1 to `largestThreadCount`.
    public func setThreadCount(_ count: Int) {
        pthread_mutex_lock(mutex)
        wanted.store(count, ordering: .relaxed)
        pthread_cond_broadcast(wake)
        pthread_cond_broadcast(change)
        pthread_mutex_unlock(mutex)
    }

    private let wanted = Atomic(WorkerPool.initialThreadCount)
    private let taken = Atomic(false)
    /// The number of calls into the engine in progress.
    private let calls = Atomic(0)
    private let sleeping = Atomic(0)
    private let started = Atomic(0)
    /// Parts of all loops so far that workers have finished. Only the owner of the pool uses it.
    private nonisolated(unsafe) var expected: UInt64 = 0

    private let gapBeforeTicket = CacheLines()
    /// The number of the loop, its parts and the next part, in one word, so that a late thread cannot take a part of
    /// the wrong loop. Workers poll it.
    private let ticket = Atomic<UInt64>(0)
    /// The body of the loop; only a thread that has taken a part reads it. All threads use the caller's arithmetic.
    private nonisolated(unsafe) var body: ((Int) -> Void)?
    private nonisolated(unsafe) var arithmetic = Arithmetic.current

    private let gapBeforeFinished = CacheLines()
    /// Parts of all loops that workers have finished. The caller polls it after its last part.
    private let finished = Atomic<UInt64>(0)
    private let gapAfterFinished = CacheLines()

    private nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// Signals that there are parts.
    private nonisolated(unsafe) let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Signals that the number of threads has changed.
    private nonisolated(unsafe) let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    private init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        pthread_cond_init(change, nil)
        // A forked child has none of the threads, and perhaps a lock that nobody will release.
        pthread_atfork(nil, nil) { WorkerPool.shared.startOver() }
    }

    /// Counts a call into the engine while it runs, and sets the engine's arithmetic.
    public func during<Result, Failure: Error>(_ work: () throws(Failure) -> Result) throws(Failure) -> Result {
        calls.add(1, ordering: .relaxed)
        defer { calls.subtract(1, ordering: .relaxed) }
        return try Arithmetic.engine.during(work)
    }

    /// Runs `body(0)` ... `body(parts - 1)`, in any order and on any thread.
    public func run(parts: Int, _ body: (Int) -> Void) {
        for first in stride(from: 0, to: parts, by: Ticket.largestPartCount) {
            runAtOnce(parts: min(parts - first, Ticket.largestPartCount)) { body(first + $0) }
        }
    }

    private func runAtOnce(parts: Int, _ body: (Int) -> Void) {
        let helpers = min(threadCount, parts) - 1
        guard helpers > 0, calls.load(ordering: .relaxed) <= 1,
            taken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
        else {
            for part in 0..<parts { body(part) }
            return
        }
        defer { taken.store(false, ordering: .releasing) }
        startWorkers(helpers)
        withoutActuallyEscaping(body) { body in
            self.body = body
            arithmetic = .current
            let loop = Ticket(ticket.load(ordering: .relaxed)).loop &+ 1
            // The caller takes the first part.
            ticket.store(Ticket(loop: loop, parts: parts, next: 1).word, ordering: .sequentiallyConsistent)
            if sleeping.load(ordering: .sequentiallyConsistent) > 0 {
                pthread_mutex_lock(mutex)
                pthread_cond_broadcast(wake)
                pthread_mutex_unlock(mutex)
            }
            body(0)
            expected &+= UInt64(parts - 1 - takeParts())
            while finished.load(ordering: .acquiring) != expected { cep_pause() }
            self.body = nil
        }
    }

    /// Divides `units` (rows, samples, panels) into parts whose sizes differ by at most one, and runs `body(part, its
    /// units)`.
    public func run(parts: Int, of units: Int, _ body: (Int, Range<Int>) -> Void) {
        run(parts: parts) { part in body(part, part * units / parts..<(part + 1) * units / parts) }
    }

    /// Runs parts of the present loop until none are left, and returns their number.
    private func takeParts() -> Int {
        var count = 0
        var present = ticket.load(ordering: .acquiring)
        while Ticket(present).hasParts {
            let (taken, original) = ticket.compareExchange(
                expected: present, desired: present + 1, ordering: .acquiringAndReleasing)
            if taken {
                arithmetic.set()
                body?(Ticket(present).next)
                count += 1
                present += 1
            } else {
                present = original
            }
        }
        return count
    }

    private func startWorkers(_ count: Int) {
        guard started.load(ordering: .relaxed) < count else { return }
        withoutSignals {
            while started.load(ordering: .relaxed) < count {
                var thread = pthread_t()
                let number = UnsafeMutableRawPointer(bitPattern: started.load(ordering: .relaxed) + 1)
                let result = pthread_create(&thread, nil, { WorkerPool.shared.work(Int(bitPattern: $0)) }, number)
                guard result == 0 else { return }
                pthread_detach(thread)
                started.add(1, ordering: .relaxed)
            }
        }
    }

    /// Threads inherit the signal mask of the thread that starts them. Signals are meant for the program's threads,
    /// which may block them and wait for them. Signals that report an error of the thread itself stay unblocked.
    private func withoutSignals(_ start: () -> Void) {
        var (signals, before) = (sigset_t(), sigset_t())
        sigfillset(&signals)
        for own in [SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { sigdelset(&signals, own) }
        guard pthread_sigmask(SIG_SETMASK, &signals, &before) == 0 else { return }
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        start()
    }

    /// The endless loop of a worker: polls for parts, and waits longer if it finds nothing.
    ///
    /// - Parameter number: 1 for the first worker. A worker whose number is too large waits.
    private func work(_ number: Int) -> UnsafeMutableRawPointer? {
        var idle = 0
        while true {
            if hasParts(for: number) {
                finished.add(UInt64(takeParts()), ordering: .releasing)
                idle = 0
            } else if idle < 4_000 {
                cep_pause()
                idle += 1
            } else {
                sleep(number)
                idle = 0
            }
        }
    }

    private func hasParts(for worker: Int) -> Bool {
        Ticket(ticket.load(ordering: .sequentiallyConsistent)).hasParts && worker < threadCount
    }

    private func sleep(_ number: Int) {
        pthread_mutex_lock(mutex)
        // Surplus threads are not woken for parts.
        while number >= threadCount { pthread_cond_wait(change, mutex) }
        sleeping.add(1, ordering: .sequentiallyConsistent)
        while !hasParts(for: number), number < threadCount { pthread_cond_wait(wake, mutex) }
        sleeping.subtract(1, ordering: .sequentiallyConsistent)
        pthread_mutex_unlock(mutex)
    }

    private func startOver() {
        started.store(0, ordering: .relaxed)
        body = nil
        ticket.store(0, ordering: .relaxed)
        finished.store(0, ordering: .relaxed)
        expected = 0
        sleeping.store(0, ordering: .relaxed)
        calls.store(0, ordering: .relaxed)
        taken.store(false, ordering: .relaxed)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        pthread_cond_init(change, nil)
    }

    /// The maximum number of threads: the parts of a loop are counted in few bits.
    public static let largestThreadCount = 1024

    /// The value of the environment variable CEP_NUM_THREADS; nil if it is unset or empty.
    public static let requested = environmentVariable("CEP_NUM_THREADS")

    /// Whether the requested number of threads, if any, is valid.
    public static var requestIsMet: Bool { requested == nil || requestedCount != nil }

    private static var requestedCount: Int? {
        requested.flatMap { Int($0) }.flatMap { (1...largestThreadCount).contains($0) ? $0 : nil }
    }

    /// The number in OMP_NUM_THREADS; nil if it is invalid. OpenMP allows a list, one number for each level of nested
    /// loops; the first one counts.
    private static var openMPCount: Int? {
        environmentVariable("OMP_NUM_THREADS").flatMap { $0.split(separator: ",").first }.flatMap {
            Int($0.filter { $0 != " " })
        }.flatMap { $0 >= 1 ? min($0, largestThreadCount) : nil }
    }

    /// The number in CEP_NUM_THREADS, or else OMP_NUM_THREADS, or the processors that this process may use.
    private static var initialThreadCount: Int {
        requestedCount ?? openMPCount ?? min(processorCount(), largestThreadCount)
    }

    private static func environmentVariable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Padding that keeps the variables before and after it in different cache lines: a thread that writes to a line takes
/// it from all threads that read any part of it.
private struct CacheLines {
    private let bytes = SIMD16<UInt64>()
}

/// A loop's number, its parts, and the next of them, in one word.
private struct Ticket {
    /// Parts are counted in 20 bits.
    static let largestPartCount = 0xFFFFF

    let word: UInt64

    init(_ word: UInt64) { self.word = word }

    init(loop: UInt64, parts: Int, next: Int) {
        word = loop << 40 | UInt64(parts) << 20 | UInt64(next)
    }

    var loop: UInt64 { word >> 40 }
    var parts: Int { Int(word >> 20 & UInt64(Self.largestPartCount)) }
    var next: Int { Int(word & UInt64(Self.largestPartCount)) }
    var hasParts: Bool { next < parts }
}
