import CEPKernels

/// A continual nudged phase of a network with one hidden layer, of which each thread takes some hidden units, for all
/// samples. All that a hidden unit sees of the others is what they do to the few outputs together, so that threads meet
/// once a step, and read little that others have written.
///
/// Each block of units moves the outputs too, from the same drives: to compute them again costs less than to wait.
final class PhaseInUnits<Element: KernelScalar>: ContinualPhase {
    private let network: Network<Element>
    private let start: ContinualStart<Element>
    /// Whose memory the blocks work in.
    private let kept: UnitBlocks<Element>
    private let blocks: [UnitBlock<Element>]
    private let messages: BlockMessages<Element>
    let partCount: Int

    init(
        of network: Network<Element>, from start: ContinualStart<Element>, blocks kept: UnitBlocks<Element>
    ) throws(EngineError) {
        self.network = network
        self.start = start
        self.kept = kept
        blocks = kept.all
        messages = kept.messages
        let state = start.batch.state
        partCount = min(blocks.count, network.blockCount(batch: state.batch, steps: 1))
        // Each thread takes the products of the input itself: that costs less than to wait for another.
        onEachPart(true) { part in
            for k in part {
                let products = k > part.lowerBound ? blocks[k - 1].inputProducts : nil
                blocks[k].load(start, of: network, inputProducts: products)
            }
        }
        for block in blocks {
            if let failure = block.failure { throw failure }
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func takeStep(_ number: Int, isShared: Bool) -> Element {
        // Nothing here may be counted by both threads at once: references to what they share are taken before.
        let (network, blocks, steps) = (network, blocks, start.steps)
        onEachPart(isShared) { part in
            for k in part {
                let isFinite = blocks[k].takeStep(number, of: network)
                if isFinite, number < steps { blocks[k].updateDrives(before: number + 1) }
            }
        }
        var residual: Element = 0
        for block in blocks.indices where !residual.isNaN {
            let change = messages.residual(of: number, of: block).pointee
            if !(change <= residual) { residual = change }
        }
        return residual
    }

    private func onEachPart(_ isShared: Bool, _ work: (Range<Int>) -> Void) {
        WorkerPool.shared.run(parts: isShared ? partCount : 1, of: blocks.count) { _, blocks in work(blocks) }
    }

    var firstLayerNotFinite: Int? { blocks.compactMap { $0.firstLayerNotFinite }.min() }

    func storeStates() {
        let (blocks, state) = (blocks, start.batch.state)
        onEachPart(true) { for k in $0 { blocks[k].store(to: state) } }
    }

    func addMovement(of connection: Int, at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>)
    {
        // By the threads that multiply with these weights, and whose caches have what moved them.
        let blocks = blocks
        onEachPart(true) {
            for k in $0 { blocks[k].addMovement(of: connection, at: rates, to: accumulator) }
        }
    }
}

extension Network {
    /// The blocks of hidden units that a continual phase of such a batch is cut into: those of the last phase where they
    /// fit. nil where samples are what is shared: with more hidden layers, many outputs, few hidden units or few samples.
    func unitBlocks(batch: Int) throws(EngineError) -> UnitBlocks<Element>? {
        let units = sizes[1]
        // What a smaller block saves, it costs to look after it: 2 microseconds a step.
        let count = batch < 14 ? 1 : min((units + 128) / 256, 32)
        guard sizes.count == 3, PackedLayout(rows: units, columns: sizes[2]) == .columns, count > 1 else { return nil }
        if keptUnitBlocks?.batch != batch {
            keptUnitBlocks = nil
            keptUnitBlocks = try UnitBlocks(count, of: self, batch: batch)
        }
        return keptUnitBlocks
    }
}

/// The hidden units of a network in blocks of nearly the same size, and the memory that these share.
final class UnitBlocks<Element: KernelScalar> {
    let batch: Int
    let all: [UnitBlock<Element>]
    let messages: BlockMessages<Element>
    private let memory: Matrix<Element>

    init(_ count: Int, of network: Network<Element>, batch: Int) throws(EngineError) {
        let units = network.sizes[1]
        // Nobody writes to a line of the caches that another one looks at: two lines of 64 bytes may come together.
        let line = 128 / MemoryLayout<Element>.stride
        let stride = (batch * network.outputSize + 1 + line - 1) / line * line
        memory = try Matrix(rows: 2 * count, columns: stride)
        messages = BlockMessages(blocks: count, stride: stride, pointer: memory.pointer)
        var blocks: [UnitBlock<Element>] = []
        for k in 0..<count {
            let part = k * units / count..<(k + 1) * units / count
            blocks.append(try UnitBlock(k, units: part, of: network, batch: batch, messages: messages))
        }
        self.batch = batch
        all = blocks
    }
}
