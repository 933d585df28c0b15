import CVectorKernels

/// A number type of networks: `Float` or `Double`. No other type can conform, because the kernels are compiled for these.
///
/// The requirements are the C functions of each type. Everything else in this module is generic, and specialised for
/// both.
public protocol KernelScalar: BinaryFloatingPoint, Sendable {
    static func exponential(_ x: Self) -> Self
    static func hyperbolicTangent(_ x: Self) -> Self

    /// C ← α op(A) op(B) + β C on row-major matrices, with op(A) m × k and op(B) k × n, computed by OpenBLAS.
    static func multiplyMatrices(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int,
        alpha: Self, a: UnsafePointer<Self>, b: UnsafePointer<Self>,
        beta: Self, c: UnsafeMutablePointer<Self>
    )

    /// The loops that depend on the processor, for the instruction set in use.
    static var vectorKernels: cep_kernels { get }
}

extension Float: KernelScalar {
    @inline(__always)
    public static func exponential(_ x: Float) -> Float { expf(x) }

    @inline(__always)
    public static func hyperbolicTangent(_ x: Float) -> Float { tanhf(x) }

    public static var vectorKernels: cep_kernels { InstructionSet.current.float32 }
}

extension Double: KernelScalar {
    @inline(__always)
    public static func exponential(_ x: Double) -> Double { exp(x) }

    @inline(__always)
    public static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }

    public static var vectorKernels: cep_kernels { InstructionSet.current.float64 }
}
