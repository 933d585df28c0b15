import CEPEngine

/// The order in which an epoch uses rows, batch by batch.
struct SplitOrder {
    private var rest: ArraySlice<Int>

    init(rows: Int, seed: UInt64) {
        var random = RandomSource(seed: seed)
        rest = random.permutation(of: rows)[...]
    }

    mutating func next(_ count: Int) -> [Int] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}
