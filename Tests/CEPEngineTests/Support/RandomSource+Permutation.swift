import CEPEngine

extension RandomSource {
    /// The numbers 0 ..< count in random order.
    mutating func permutation(of count: Int) -> [Int] {
        var order = Array(0..<count)
        shuffle(&order)
        return order
    }
}
