import CEPKernels

/// Errors and losses of samples at the end of a free phase.
public struct Metrics: Sendable, Equatable {
    /// The number of samples.
    public var samples = 0
    /// Wrong predictions.
    public var errors = 0
    /// The sum of the losses of the samples.
    public var lossSum = 0.0

    /// The mean loss.
    public var loss: Double { samples == 0 ? 0 : lossSum / Double(samples) }

    init(samples: Int = 0, errors: Int = 0, lossSum: Double = 0) {
        self.samples = samples
        self.errors = errors
        self.lossSum = lossSum
    }

    static func += (sum: inout Metrics, other: Metrics) {
        sum.samples += other.samples
        sum.errors += other.errors
        sum.lossSum += other.lossSum
    }
}

extension Network {
    /// Compares the scores of some samples of a state with their targets. The largest value names the class.
    ///
    /// - Parameter target: The targets of these samples, rows × classes.
    func metrics(of state: NetworkState<Element>, rows: Range<Int>, target: Matrix<Element>) -> Metrics {
        let scores = score(state, rows: rows)
        var metrics = Metrics(samples: rows.count, lossSum: objective.loss(scores: scores, targets: target.view))
        for row in 0..<rows.count where largest(scores, row) != largest(target.view, row) { metrics.errors += 1 }
        return metrics
    }

    /// The scores of some samples of a state, in memory of the state.
    func score(_ state: NetworkState<Element>, rows: Range<Int>) -> MatrixView<Element> {
        let scores = state.scores.view.rows(rows)
        objective.score(
            state.last.pointer + rows.lowerBound * state.last.columns, rows: rows.count, into: scores.pointer)
        return scores
    }

    /// The class with the largest score in a row.
    func largest(_ scores: MatrixView<Element>, _ row: Int) -> Int {
        indexOfLargest(in: scores.pointer + row * scores.columns, count: scores.columns)
    }
}
