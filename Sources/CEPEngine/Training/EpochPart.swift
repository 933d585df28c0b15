/// Which batches of an epoch are trained, and what those before them came to.
public struct EpochPart: Sendable {
    /// How many batches are done already.
    public var firstBatch: Int
    /// nil for all that are left.
    public var batchCount: Int?
    /// Wrong predictions of the batches before, which metrics and progress count on from.
    public var errors: Int
    /// The sum of losses of the batches before.
    public var lossSum: Double

    /// The whole epoch, where nothing is given.
    public init(firstBatch: Int = 0, batchCount: Int? = nil, errors: Int = 0, lossSum: Double = 0) {
        self.firstBatch = firstBatch
        self.batchCount = batchCount
        self.errors = errors
        self.lossSum = lossSum
    }

    /// - Throws: `EngineError.invalidArgument` where an epoch of so many batches, of so many samples each, has no such
    ///   part, or where the batches before cannot have come to this.
    func batches(of count: Int, samples: Int) throws(EngineError) -> Range<Int> {
        guard firstBatch >= 0, firstBatch < count else {
            throw .invalidArgument("first_batch is \(firstBatch); the epoch's batches are 0 to \(count - 1)")
        }
        guard errors >= 0, errors <= firstBatch * samples else {
            throw .invalidArgument(
                "errors is \(errors); the \(firstBatch) batches before have 0 to \(firstBatch * samples) of them")
        }
        guard lossSum >= 0, lossSum.isFinite else {
            throw .invalidArgument("loss_sum must be finite and 0 or more, got \(lossSum)")
        }
        guard let batchCount else { return firstBatch..<count }
        guard batchCount >= 1 else { throw .invalidArgument("batch_count must be 1 or more, got \(batchCount)") }
        return firstBatch..<firstBatch + min(batchCount, count - firstBatch)
    }
}
