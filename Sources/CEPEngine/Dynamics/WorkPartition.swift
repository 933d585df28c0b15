import CEPKernels

// Divides a phase into parts for threads, and into runs of steps between two polls of the monitor. Results do not
// depend on the parts; the runs do not depend on the number of threads.

/// The minimum number of multiplications of a part that is given to another thread: some microseconds.
private let minimumTaskWork = 1 << 17

/// Weights larger than this do not stay in the caches. Threads then share each product, instead of each reading all
/// weights for its own samples, unless a thread has at least `samplesWorthAllWeights` samples.
private let cachedWeights = 8 << 20

/// With this many samples, a panel of weights is used often enough before the next one is read.
private let samplesWorthAllWeights = 32

extension Network {
    /// The number of blocks of samples, relaxed on their own, into which a phase is cut.
    func blockCount(batch: Int, steps: Int) -> Int {
        let threads = WorkerPool.shared.threadCount
        let bytes = movingWeights * MemoryLayout<Element>.stride
        if bytes > cachedWeights, batch / threads < samplesWorthAllWeights { return 1 }
        let (work, overflow) = multiplicationsPerStep(batch: batch).multipliedReportingOverflow(by: steps)
        return max(1, min(threads, batch, (overflow ? .max : work) / minimumTaskWork))
    }

    /// Steps to take before the monitor is polled.
    func stepsBetweenPolls(of monitor: ProgressMonitor, batch: Int) -> Int {
        monitor.isObserved ? 1 : max(1, monitor.workPerPoll / multiplicationsPerStep(batch: batch))
    }

    /// The products between layers that move, the cost of activations, and the fixed cost of a step.
    private func multiplicationsPerStep(batch: Int) -> Int {
        let units = configuration.layers.dropFirst().reduce(0) { $0 + $1.units }
        return minimumTaskWork / 32 + batch * (movingMultiplications + 16 * units)
    }

    /// Weights between layers that move, forward and back.
    private var movingWeights: Int {
        zip(connections, edges).reduce(0) { sum, each in
            let parameters = each.0.parameters
            return sum
                + (each.1.from > 0
                    ? parameters.weights.count + (parameters.feedbackWeights ?? parameters.weights).count : 0)
        }
    }

    /// Multiplications of one sample in the products between layers that move.
    var movingMultiplications: Int {
        zip(connections, edges).reduce(0) { $0 + ($1.1.from > 0 ? $1.0.multiplications : 0) }
    }
}
