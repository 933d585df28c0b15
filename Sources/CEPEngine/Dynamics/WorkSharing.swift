import CEPKernels

// How a phase is cut into parts for threads, and into stretches between two looks at the monitor. No result depends on
// the parts; the stretches do not depend on the number of threads.

/// Multiplications that make a part of a phase worth handing over to another thread: some microseconds.
private let worthwhilePart = 1 << 17

/// Weights beyond this many bytes do not stay in the caches: then threads had better share them, a part of each
/// product each, than each go through all of them for its own samples...
private let cachedWeights = 8 << 20

/// ... unless it has so many samples that a panel of weights is used often before the next one comes.
private let samplesWorthAllWeights = 32

extension Network {
    /// Into how many blocks of samples, relaxed on their own, a phase is cut.
    func blockCount(batch: Int, steps: Int) -> Int {
        let threads = WorkerPool.shared.threadCount
        let bytes = connections.dropFirst().reduce(0) {
            $0 + 2 * $1.parameters.weights.count * MemoryLayout<Element>.stride
        }
        if bytes > cachedWeights, batch / threads < samplesWorthAllWeights { return 1 }
        let (work, overflow) = multiplicationsPerStep(batch: batch).multipliedReportingOverflow(by: steps)
        return max(1, min(threads, batch, (overflow ? .max : work) / worthwhilePart))
    }

    /// Steps to take before the monitor is looked at.
    func stepsBetweenLooks(at monitor: ProgressMonitor, batch: Int) -> Int {
        monitor.isObserved ? 1 : max(1, monitor.stretch / multiplicationsPerStep(batch: batch))
    }

    /// Memory for blocks of so many samples, that of the last phase where it fits.
    func sampleBlocks(_ counts: [Int]) throws(EngineError) -> [SampleBlock<Element>] {
        if blocks.map({ $0.capacity }) != counts {
            var made: [SampleBlock<Element>] = []
            for count in counts {
                made.append(
                    try SampleBlock(samples: count, sizes: sizes, sendsActivation: setting.sendsActivation))
            }
            blocks = made
        }
        return blocks
    }

    /// The products between layers that move, for each unit what its activation costs, and what a step costs anyway.
    private func multiplicationsPerStep(batch: Int) -> Int {
        let products = connections.dropFirst().reduce(0) { $0 + 2 * $1.parameters.weights.count }
        return worthwhilePart / 32 + batch * (products + 16 * sizes.dropFirst().reduce(0, +))
    }
}
