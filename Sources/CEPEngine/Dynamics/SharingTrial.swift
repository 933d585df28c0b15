import Glibc

/// Finds out whether threads are worth it where they hand over to each other at every step: that depends on how far
/// apart the processors are that they run on, and on who else is using them, and it changes. Results do not depend on
/// it.
struct SharingTrial {
    /// Nanoseconds a step took lately, alone and shared.
    private var alone: Double?
    private var shared: Double?
    private var phases = 0
    private var batch = 0

    /// Phases after which the slower way is tried once more.
    private static let interval = 64

    /// Whether the threads are to share the next phase.
    mutating func next(batch: Int) -> Bool {
        if batch != self.batch { self = SharingTrial(batch: batch) }
        phases += 1
        guard let shared else { return true }
        guard let alone else { return false }
        let sharing = shared < alone
        return phases % Self.interval == 0 ? !sharing : sharing
    }

    mutating func record(sharing: Bool, nanoseconds: UInt64, steps: Int) {
        let time = Double(nanoseconds) / Double(max(steps, 1))
        if sharing {
            shared = shared.map { 0.75 * $0 + 0.25 * time } ?? time
        } else {
            alone = alone.map { 0.75 * $0 + 0.25 * time } ?? time
        }
    }

    init(batch: Int = 0) { self.batch = batch }
}

/// Of a clock that only goes forward.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
