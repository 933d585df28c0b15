import CEPEngine
import Testing

@Suite struct RandomNumbersAreReproducible {
    /// Outputs of xoshiro256++ with the state filled by splitmix64 from these seeds. For seed 0 they are the test
    /// vector of the Rust crate rand 0.8 (SmallRng); the others are published by several independent implementations.
    @Test func streamsEqualPublishedOnes() {
        var zero = RandomSource(seed: 0)
        let expected: [UInt64] = [
            5_987_356_902_031_041_503, 7_051_070_477_665_621_255, 6_633_766_593_972_829_180, 211_316_841_551_650_330,
            9_136_120_204_379_184_874, 379_361_710_973_160_858, 15_813_423_377_499_357_806,
            15_596_884_590_815_070_553, 5_439_680_534_584_881_407, 1_369_371_744_833_522_710,
        ]
        #expect((0..<10).map { _ in zero.next() } == expected)
        var other = RandomSource(seed: 42)
        #expect(other.next() == 15_021_278_609_987_233_951)
        other = RandomSource(seed: 12345)
        #expect(other.next() == 10_201_931_350_592_234_856)
    }

    /// The first output from the published outputs of splitmix64 for seed 1234567, by the definition of xoshiro256++.
    @Test func theStateIsFilledBySplitmix64() {
        let state: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
        ]
        let sum = state[0] &+ state[3]
        var source = RandomSource(seed: 1_234_567)
        #expect(source.next() == ((sum << 23) | (sum >> 41)) &+ state[0])
    }

    @Test func copiesContinueEqually() {
        var first = RandomSource(seed: 9)
        for _ in 0..<10 { _ = first.next() }
        var second = first
        #expect((0..<100).map { _ in first.next() } == (0..<100).map { _ in second.next() })
    }

    @Test func uniformNumbersUseThe53HighBits() {
        var (bits, numbers) = (RandomSource(seed: 3), RandomSource(seed: 3))
        for _ in 0..<1000 {
            let number = numbers.uniform()
            #expect(number == Double(bits.next() / 2048) / 9_007_199_254_740_992)
            #expect(number >= 0 && number < 1)
        }
    }

    @Test func uniformNumbersAreFlat() {
        var source = RandomSource(seed: 4)
        var buckets = [Int](repeating: 0, count: 20)
        let count = 40_000
        for _ in 0..<count { buckets[Int(source.uniform() * 20)] += 1 }
        // χ² with 19 degrees of freedom exceeds 50 with probability 1e-4; the result is the same in every run.
        let expected = Double(count) / 20
        let chiSquare = buckets.map { (Double($0) - expected) * (Double($0) - expected) / expected }.reduce(0, +)
        #expect(chiSquare < 50)
    }

    @Test(arguments: [0, 1, 2, 3, 10, 1000])
    func permutationsHaveEveryNumberOnce(_ count: Int) {
        for seed in 0..<20 as Range<UInt64> {
            var source = RandomSource(seed: seed)
            #expect(source.permutation(of: count).sorted() == Array(0..<count))
        }
    }

    @Test func theSameSeedGivesTheSamePermutation() {
        func permutation(_ seed: UInt64) -> [Int] {
            var source = RandomSource(seed: seed)
            return source.permutation(of: 50)
        }
        #expect(permutation(1) == permutation(1))
        #expect(permutation(1) != permutation(2))
        #expect(permutation(1) != Array(0..<50))
    }

    @Test func allPermutationsAreEquallyLikely() {
        var source = RandomSource(seed: 6)
        var counts: [[Int]: Int] = [:]
        let draws = 24_000
        for _ in 0..<draws { counts[source.permutation(of: 4), default: 0] += 1 }
        #expect(counts.count == 24)
        // χ² with 23 degrees of freedom exceeds 56 with probability 1e-4.
        let chiSquare = counts.values.map { (Double($0) - 1000) * (Double($0) - 1000) / 1000 }.reduce(0, +)
        #expect(chiSquare < 56)
    }
}
