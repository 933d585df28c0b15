/// The rows of samples in the order of use: consecutive, or from a list.
///
/// It is a concrete type, because generic code over any collection of integers is slow.
struct SampleRows {
    private let list: Integers?
    private let first: Int
    let count: Int

    init(_ range: Range<Int>) {
        list = nil
        first = range.lowerBound
        count = range.count
    }

    /// A range of a list.
    init(_ list: Integers, _ range: Range<Int>) {
        self.list = list
        first = range.lowerBound
        count = range.count
    }

    /// The i-th row.
    subscript(i: Int) -> Int {
        guard let list else { return first + i }
        return list[first + i]
    }

    /// The smallest row in a range for which a condition holds.
    func smallest(in range: Range<Int>, where holds: (Int) -> Bool) -> Int? {
        var smallest: Int?
        for i in range where holds(self[i]) { smallest = min(smallest ?? .max, self[i]) }
        return smallest
    }
}
