import CVectorKernels

/// The floating-point mode of a thread: rounding, traps and denormal numbers.
///
/// Each thread has its own mode, and libraries may change it. Calls of the engine set their own mode, so that results
/// do not depend on the caller's mode and denormal numbers, which are treated as zero, are not slow on any processor.
public struct Arithmetic: Sendable {
    private let control: UInt64

    /// The mode of this thread.
    public static var current: Arithmetic { Arithmetic(control: cep_get_arithmetic()) }
    /// Rounds to nearest, traps nothing, and treats denormals as zeros.
    public static let engine = Arithmetic(control: cep_engine_arithmetic())

    /// Sets the mode of this thread.
    func set() { cep_set_arithmetic(control) }

    /// Runs `work` with this mode, and restores the thread's mode afterwards.
    public func during<Result, Failure: Error>(_ work: () throws(Failure) -> Result) throws(Failure) -> Result {
        let before = Arithmetic.current
        set()
        defer { before.set() }
        return try work()
    }
}
