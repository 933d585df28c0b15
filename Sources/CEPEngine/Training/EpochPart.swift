/// The batches of an epoch to train, and the results of the batches before them.
public struct EpochPart: Sendable {
    /// The number of batches trained before.
    public var firstBatch: Int
    /// nil for all that remain.
    public var batchCount: Int?
    /// Wrong predictions in the batches before; metrics and progress continue from here.
    public var errors: Int
    /// The sum of losses of the batches before.
    public var lossSum: Double

    /// The whole epoch by default.
    public init(firstBatch: Int = 0, batchCount: Int? = nil, errors: Int = 0, lossSum: Double = 0) {
        self.firstBatch = firstBatch
        self.batchCount = batchCount
        self.errors = errors
        self.lossSum = lossSum
    }

    /// - Throws: `EngineError.invalidArgument` if the epoch does not have these batches, or the batches before cannot
    ///   have these errors or losses.
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
