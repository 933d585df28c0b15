/// Which batches of an epoch are trained, and what those before them came to.
public struct EpochPart: Sendable {
    /// How many batches are done already.
    public var firstBatch: Int
    /// nil for all that are left.
    public var batchCount: Int?
    /// Wrong predictions and the sum of losses of the batches before, which metrics and progress count on from.
    public var errors: Int
    public var lossSum: Double

    /// The whole epoch, where nothing is given.
    public init(firstBatch: Int = 0, batchCount: Int? = nil, errors: Int = 0, lossSum: Double = 0) {
        self.firstBatch = firstBatch
        self.batchCount = batchCount
        self.errors = errors
        self.lossSum = lossSum
    }

    /// - Throws: `EngineError.invalidArgument` where an epoch of so many batches has no such part.
    func batches(of count: Int, size: Int) throws(EngineError) -> Range<Int> {
        guard firstBatch >= 0, firstBatch < count else {
            throw .invalidArgument("first_batch is \(firstBatch); the epoch's batches are 0 to \(count - 1)")
        }
        guard errors >= 0, errors <= firstBatch * size else {
            throw .invalidArgument(
                "errors is \(errors); expected 0 to \(firstBatch * size), the samples of the batches before")
        }
        guard let batchCount else { return firstBatch..<count }
        guard batchCount >= 1 else { throw .invalidArgument("batch_count must be 1 or more, got \(batchCount)") }
        return firstBatch..<firstBatch + min(batchCount, count - firstBatch)
    }
}
