import CEPKernels

/// The number types of all tests.
enum NumberType: String, CaseIterable, Sendable {
    case float32, float64

    var scalar: any KernelScalar.Type { self == .float32 ? Float.self : Double.self }
}

extension KernelScalar {
    /// The tolerance for numbers of size 1 after some hundred steps of rounding in this type.
    static var tolerance: Double { Self.self == Float.self ? 1e-5 : 1e-13 }
}

/// Pseudorandom numbers, the same in every run: splitmix64, written here so that tests do not depend on the engine's
/// random source.
struct NumberStream {
    private var counter: UInt64

    init(_ seed: UInt64 = 1) { counter = seed }

    mutating func next(in range: ClosedRange<Double> = 0...1) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * (Double(bits() >> 11) * 0x1p-53)
    }

    mutating func index(below bound: Int) -> Int { Int(bits() % UInt64(bound)) }

    mutating func matrix(_ rows: Int, _ columns: Int, in range: ClosedRange<Double> = 0...1) -> [[Double]] {
        (0..<rows).map { _ in (0..<columns).map { _ in next(in: range) } }
    }

    private mutating func bits() -> UInt64 {
        counter &+= 0x9E37_79B9_7F4A_7C15
        var z = counter
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
