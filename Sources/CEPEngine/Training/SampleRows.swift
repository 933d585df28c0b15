/// Rows of samples in the order they are taken: one after another, or as a list has them.
///
/// It is a type rather than any collection of integers, because code that knows a collection by its protocol alone asks the
/// run time about it at every element.
public struct SampleRows {
    private let list: Integers?
    private let first: Int
    public let count: Int

    public init(_ range: Range<Int>) {
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

    /// The smallest of the rows `start` to before `end` for which something holds.
    func smallest(from start: Int, to end: Int, where holds: (Int) -> Bool) -> Int? {
        var smallest: Int?
        for i in start..<end where holds(self[i]) { smallest = min(smallest ?? .max, self[i]) }
        return smallest
    }
}
