import CEPKernels

/// Random numbers determined by a key and an index: the same in any order, on any number of threads, and in a resumed
/// run. The generator is SplitMix64 (Steele, Lea and Flood, 2014).
struct RandomKey: Sendable, Equatable {
    private let value: UInt64

    init(seed: UInt64) { value = scramble(seed) }

    private init(value: UInt64) { self.value = value }

    /// The key of a part of this key's object: a tensor, a write, a step.
    func part(_ number: UInt64) -> RandomKey { RandomKey(value: scramble(value ^ scramble(number &+ goldenRatio))) }

    func part(_ number: Int) -> RandomKey { part(UInt64(bitPattern: Int64(number))) }

    /// The random numbers of one element.
    @inline(__always)
    func stream(_ element: Int) -> KeyedStream {
        KeyedStream(counter: scramble(value &+ UInt64(bitPattern: Int64(element)) &* goldenRatio))
    }
}

/// The random numbers of one element.
struct KeyedStream {
    fileprivate var counter: UInt64

    /// Uniform in [0, 1), with 53 random bits.
    @inline(__always)
    mutating func uniform() -> Double {
        counter &+= goldenRatio
        return Double(scramble(counter) >> 11) * 0x1p-53
    }

    /// Standard normal (Box and Muller, 1958).
    @inline(__always)
    mutating func normal() -> Double {
        let (radius, angle) = (1 - uniform(), uniform())
        return (-2 * log(radius)).squareRoot() * cos(2 * .pi * angle)
    }
}

private let goldenRatio: UInt64 = 0x9E37_79B9_7F4A_7C15

@inline(__always)
private func scramble(_ number: UInt64) -> UInt64 {
    var z = number
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
}
