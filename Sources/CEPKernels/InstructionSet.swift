import CVectorKernels

/// A set of instructions that the vector kernels are compiled for.
public struct InstructionSet: Sendable {
    public let name: String
    let float32: cep_kernels
    let float64: cep_kernels

    /// The instruction sets of this processor, narrowest first.
    public static let supported: [InstructionSet] = {
        var sets: UnsafePointer<cep_instruction_set>?
        let count = cep_instruction_sets(&sets)
        return UnsafeBufferPointer(start: sets, count: count).filter { $0.supported != 0 }.map {
            InstructionSet(name: String(cString: $0.name), float32: $0.float32.pointee, float64: $0.float64.pointee)
        }
    }()

    /// The value of the environment variable CEP_INSTRUCTION_SET.
    public static let requested: String? = getenv("CEP_INSTRUCTION_SET").map { String(cString: $0) }

    /// The one in use: the requested one, or the widest.
    public static let current: InstructionSet =
        supported.first { $0.name == requested } ?? supported[supported.count - 1]

    /// Whether the requested set, if any, is available.
    public static var requestIsMet: Bool { requested == nil || requested == current.name }
}
