/// Rows of samples in the order they are taken: one after another, or as a list has them.
///
/// It is a type rather than any collection of integers, because code that knows a collection by its protocol alone asks the
/// run time about it at every element.
struct SampleRows {
    private let list: Integers?
    private let first: Int
    let count: Int

    init(_ range: Range<Int>) {
        list = nil
        first = range.lowerBound
        count = range.count
    }

    /// A stretch of a list.
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

    /// The smallest of a range of the rows for which something holds.
    func smallest(in range: Range<Int>, where holds: (Int) -> Bool) -> Int? {
        var smallest: Int?
        for i in range where holds(self[i]) { smallest = min(smallest ?? .max, self[i]) }
        return smallest
    }
}
