import CEPKernels

/// The number types of all tests.
enum NumberType: String, CaseIterable, Sendable {
    case float32, float64

    var scalar: any KernelScalar.Type { self == .float32 ? Float.self : Double.self }
}

extension KernelScalar {
    /// The tolerance of a result after a few roundings, relative to numbers of size 1.
    static var tolerance: Double { 32 * Double(Self.ulpOfOne) }
}

/// Pseudorandom numbers, the same in every run: splitmix64, written here so that tests do not depend on the engine's
/// random source.
struct NumberStream {
    private var counter: UInt64

    init(_ seed: UInt64 = 1) { counter = seed }

    mutating func next(in range: ClosedRange<Double> = -1...1) -> Double {
        counter &+= 0x9E37_79B9_7F4A_7C15
        var z = counter
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return range.lowerBound + (range.upperBound - range.lowerBound) * (Double(z >> 11) * 0x1p-53)
    }

    mutating func array<Element: KernelScalar>(
        _ count: Int, in range: ClosedRange<Double> = -1...1, of _: Element.Type = Element.self
    ) -> [Element] {
        (0..<count).map { _ in Element(next(in: range)) }
    }
}
