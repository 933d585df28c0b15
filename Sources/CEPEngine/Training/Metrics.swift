import CEPKernels

/// How well samples were predicted at the end of a free phase.
public struct Metrics: Sendable, Equatable {
    public var samples = 0
    /// Wrong predictions.
    public var errors = 0
    /// Σ ½ |s_L − y|² over the samples.
    public var lossSum = 0.0

    /// (1/2B) Σ |s_L − y|².
    public var loss: Double { samples == 0 ? 0 : lossSum / Double(samples) }

    init(samples: Int = 0, errors: Int = 0, lossSum: Double = 0) {
        self.samples = samples
        self.errors = errors
        self.lossSum = lossSum
    }

    /// Compares an output (batch × units) with its target; the largest value names the class.
    init<Element: KernelScalar>(output: MatrixView<Element>, target: MatrixView<Element>) {
        samples = output.rows
        lossSum = squaredDistance(output.pointer, target.pointer, count: output.count) / 2
        for row in 0..<output.rows {
            let predicted = indexOfLargest(in: output.pointer + row * output.columns, count: output.columns)
            let wanted = indexOfLargest(in: target.pointer + row * target.columns, count: target.columns)
            if predicted != wanted { errors += 1 }
        }
    }

    static func += (sum: inout Metrics, other: Metrics) {
        sum.samples += other.samples
        sum.errors += other.errors
        sum.lossSum += other.lossSum
    }
}
