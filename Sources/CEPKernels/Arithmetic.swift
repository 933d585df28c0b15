import CVectorKernels

/// How the processor rounds on a thread, what it traps on, and what it makes of denormal numbers.
///
/// Each thread has its own, which libraries are known to change. The engine's calls have theirs, so that their results do
/// not depend on it, and that denormal numbers, which it takes for zeros, slow nothing down on any processor.
public struct Arithmetic: Sendable {
    private let control: UInt64

    /// Of this thread.
    public static var current: Arithmetic { Arithmetic(control: cep_get_arithmetic()) }
    /// To the nearest, no traps, denormals are zeros.
    public static let engine = Arithmetic(control: cep_engine_arithmetic())

    /// Makes it that of this thread.
    func set() { cep_set_arithmetic(control) }

    /// Runs `work` with it, and puts back what the thread had.
    public func during<Result, Failure: Error>(_ work: () throws(Failure) -> Result) throws(Failure) -> Result {
        let before = Arithmetic.current
        set()
        defer { before.set() }
        return try work()
    }
}
