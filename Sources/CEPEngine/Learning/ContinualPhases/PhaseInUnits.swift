import CEPKernels

/// A continual nudged phase of a network with one hidden layer, of which each thread takes some hidden units, for all
/// samples. All that a hidden unit sees of the others is what they do to the few outputs together, so that threads meet
/// once a step, and read little that others have written.
///
/// Each block of units moves the outputs too, from the same drives: to compute them again costs less than to wait.
final class PhaseInUnits<Element: KernelScalar>: ContinualPhase {
    private let network: Network<Element>
    private let start: ContinualStart<Element>
    private let blocks: [UnitBlock<Element>]
    let partCount: Int

    init(
        of network: Network<Element>, from start: ContinualStart<Element>, blocks: [UnitBlock<Element>]
    ) throws(EngineError) {
        self.network = network
        self.start = start
        self.blocks = blocks
        let state = start.batch.state
        partCount = min(blocks.count, network.blockCount(batch: state.batch, steps: 1))
        // Each thread takes the products of the input itself: that costs less than to wait for another.
        onEachPart(true) { blocks in
            var products: Matrix<Element>?
            for block in blocks {
                block.load(start, of: network, inputProducts: products)
                products = block.inputProducts
            }
        }
        for block in blocks {
            if let failure = block.failure { throw failure }
        }
    }

    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func takeStep(_ number: Int, isShared: Bool) -> Element {
        onEachPart(isShared) { part in
            for block in part {
                block.takeStep(number, of: network, drivenBy: blocks)
                if number < start.steps, !block.residual.isNaN { block.updateDrives(before: number + 1) }
            }
        }
        return blocks.reduce(0) { $1.residual <= $0 || $0.isNaN ? $0 : $1.residual }
    }

    private func onEachPart(_ isShared: Bool, _ work: (ArraySlice<UnitBlock<Element>>) -> Void) {
        let parts = isShared ? partCount : 1
        WorkerPool.shared.run(parts: parts) { part in
            work(blocks[part * blocks.count / parts..<(part + 1) * blocks.count / parts])
        }
    }

    var firstLayerNotFinite: Int? { blocks.compactMap { $0.firstLayerNotFinite }.min() }

    func storeStates() {
        for block in blocks { block.store(to: start.batch.state) }
    }

    func addMovement(of connection: Int, at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>)
    {
        if connection == 0 {
            // By the thread that multiplies with these weights, whose cache has them.
            onEachPart(true) { for block in $0 { block.addInputMovement(at: rates, to: accumulator) } }
        } else {
            for block in blocks { block.addOutputMovement(at: rates, to: accumulator) }
        }
    }
}

extension Network {
    /// The blocks of hidden units that a continual phase of such a batch is cut into: those of the last phase where they
    /// fit. nil where samples are what is shared: with more hidden layers, many outputs, few hidden units or few samples.
    func unitBlocks(batch: Int) throws(EngineError) -> [UnitBlock<Element>]? {
        let units = sizes[1]
        // What a smaller block saves, it costs to look after it: 2 microseconds a step.
        let count = batch < 14 ? 1 : min((units + 128) / 256, 32)
        guard sizes.count == 3, PackedLayout(rows: units, columns: sizes[2]) == .columns, count > 1 else { return nil }
        if keptUnitBlocks.first?.batch != batch {
            keptUnitBlocks = []
            var made: [UnitBlock<Element>] = []
            for k in 0..<count {
                made.append(try UnitBlock(k * units / count..<(k + 1) * units / count, of: self, batch: batch))
            }
            keptUnitBlocks = made
        }
        return keptUnitBlocks
    }
}
