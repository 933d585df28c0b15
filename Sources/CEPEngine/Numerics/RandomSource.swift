/// A stream of random numbers determined by a seed, the same on every machine: xoshiro256++ (Blackman and Vigna, 2019),
/// with its state filled by splitmix64.
public struct RandomSource: RandomNumberGenerator, Sendable {
    /// The state of the generator; never all 0.
    public private(set) var state: (UInt64, UInt64, UInt64, UInt64)

    /// Continues the stream from a state.
    ///
    /// - Throws: `EngineError.invalidArgument` if all words are 0, because then all numbers would be 0.
    public init(state: (UInt64, UInt64, UInt64, UInt64)) throws(EngineError) {
        guard state != (0, 0, 0, 0) else { throw .invalidArgument("a random state must not be four zeros") }
        self.state = state
    }

    /// - Parameter seed: Any number.
    public init(seed: UInt64) {
        var counter = seed
        func splitmix() -> UInt64 {
            counter &+= 0x9E37_79B9_7F4A_7C15
            var z = counter
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        state = (splitmix(), splitmix(), splitmix(), splitmix())
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
        let result = rotate(state.0 &+ state.3, 23) &+ state.0
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotate(state.3, 45)
        return result
    }

    /// Uniform in [0, 1), with 53 random bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Shuffles a collection (Fisher and Yates).
    public mutating func shuffle<Numbers: MutableCollection>(_ numbers: inout Numbers) where Numbers.Index == Int {
        for i in stride(from: numbers.count - 1, to: 0, by: -1) {
            numbers.swapAt(i, Int(next().multipliedFullWidth(by: UInt64(i + 1)).high))
        }
    }
}
