import CEPKernels

/// What blocks of units tell each other after each step. There is place for two steps: while what was told before a step is
/// read by all blocks, what they tell after it is written. It holds no reference; whoever made it keeps the memory.
struct BlockMessages<Element: KernelScalar> {
    let blocks: Int
    /// Values from one block's to the next one's.
    let stride: Int
    let pointer: UnsafeMutablePointer<Element>

    /// What a block's units do to the outputs. Batch × outputs.
    func outputDrive(before step: Int, of block: Int) -> UnsafeMutablePointer<Element> {
        pointer + (step % 2 * blocks + block) * stride
    }

    /// max |s(t+1) − s(t)| of a step, over a block's units and the outputs.
    func residual(of step: Int, of block: Int) -> UnsafeMutablePointer<Element> {
        outputDrive(before: step + 1, of: block) + stride - 1
    }
}

/// Some hidden units of a network with one hidden layer, with the outputs, in a continual nudged phase: a network of its
/// own, but that its outputs are driven by the other blocks too.
final class UnitBlock<Element: KernelScalar> {
    /// Which of the hidden layer.
    private let units: Range<Int>
    /// Of these units, and of all outputs.
    private let state: NetworkState<Element>
    private let rows: StateRows<Element>
    /// From these units to the outputs.
    private let connection: any Connection<Element>
    /// How that has moved.
    private let accumulated: ConnectionParameters<Element>
    private let messages: BlockMessages<Element>
    /// Which of the blocks this one is.
    private let number: Int

    /// Of the present phase.
    private var phase: Phase?
    /// Why it could not be taken in.
    private(set) var failure: EngineError?

    /// A class: a step that looks at it counts one reference rather than all that it holds.
    private final class Phase {
        let inputMovement: ClampedMovement<Element>
        let weights: MovingWeights<Element>
        let recorded: RecordedMovements<Element>
        let nudge: Nudge<Element>

        init(
            inputMovement: ClampedMovement<Element>, weights: MovingWeights<Element>,
            recorded: RecordedMovements<Element>, nudge: Nudge<Element>
        ) {
            self.inputMovement = inputMovement
            self.weights = weights
            self.recorded = recorded
            self.nudge = nudge
        }
    }

    var batch: Int { state.batch }

    init(
        _ number: Int, units: Range<Int>, of network: Network<Element>, batch: Int, messages: BlockMessages<Element>
    ) throws(EngineError) {
        self.units = units
        self.number = number
        self.messages = messages
        // The input does not move: what comes from it is in the input drive.
        state = try NetworkState(
            batch: batch, sizes: [0, units.count, network.outputSize], sendsActivation: network.setting.sendsActivation)
        rows = state.rows(0..<batch)
        connection = try network.connections[1].part(below: units)
        accumulated = try connection.parameters.zeros()
    }

    /// Takes in its part of a network at the start of a phase, and what drives the first step.
    func load(_ start: ContinualStart<Element>, of network: Network<Element>, inputProducts: Matrix<Element>?) {
        failure = nil
        phase = nil
        do {
            phase = try makePhase(start, of: network, inputProducts: inputProducts)
            updateDrives(before: 1)
        } catch {
            failure = error
        }
    }

    /// Of the input with itself, in this phase.
    var inputProducts: Matrix<Element>? { phase?.inputMovement.inputProducts }

    private func makePhase(
        _ start: ContinualStart<Element>, of network: Network<Element>, inputProducts: Matrix<Element>?
    ) throws(EngineError) -> Phase {
        let whole = start.batch.state
        state.inputDrive.copyColumns(of: whole.inputDrive, from: units.lowerBound)
        copyLayers(whole.layers, to: state.layers)
        if network.setting.sendsActivation { copyLayers(whole.sent, to: state.sent) }
        connection.parameters.copyPart(of: network.connections[1].parameters, below: units, biases: isFirst)
        try connection.reserve(batch: batch)
        let still = StillWeights([try connection.pack()])
        let states = try StateSnapshot(of: state)
        let inputMovement = try ClampedMovement(
            from: JoinedLayers(below: whole.joinedLayers(at: 0).below, above: states.joinedLayers(at: 0).above),
            rates: start.movingRates(of: 0), inputProducts: inputProducts, drawingFrom: network.connections[0].drawn)
        let movements: [any WeightMovement<Element>] = [
            inputMovement,
            try connection.makeMovement(
                from: states.joinedLayers(at: 1), steps: start.steps, rates: ofBlock(start.movingRates(of: 1))),
        ]
        return Phase(
            inputMovement: inputMovement, weights: MovingWeights(still: still, movements: movements),
            recorded: try RecordedMovements(movements, of: state, from: states), nudge: start.nudge)
    }

    /// What drives these units, and what they do to the outputs, before a step.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func updateDrives(before step: Int) {
        guard let phase else { return }
        for layer in 1...2 { phase.weights.updateDrive(ofLayer: layer, rows) }
        let outputs = rows.layers[1]
        messages.outputDrive(before: step, of: number).update(from: outputs.drive, count: batch * outputs.units)
    }

    /// Moves these units and the outputs, by what all blocks do to those, and the weights with them.
    ///
    /// - Returns: Whether all is finite.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func takeStep(_ step: Int, of network: Network<Element>) -> Bool {
        guard let phase else { return false }
        let outputs = rows.layers[1]
        outputs.drive.update(from: messages.outputDrive(before: step, of: 0), count: batch * outputs.units)
        for block in 1..<messages.blocks {
            let drive = messages.outputDrive(before: step, of: block)
            add(1, times: drive, to: outputs.drive, count: batch * outputs.units)
        }
        rows.changes.update(repeating: 0, count: batch)
        for layer in 1...2 { network.move(layer, rows, pull: phase.nudge.pull(from: 0)) }
        let residual = rows.residual
        messages.residual(of: step, of: number).pointee = residual
        guard !residual.isNaN else { return false }
        phase.recorded.recordSamples(0..<batch)
        phase.recorded.samplesAreRecorded()
        phase.recorded.recordBatch()
        phase.recorded.stepIsRecorded()
        return true
    }

    var firstLayerNotFinite: Int? { rows.firstLayerNotFinite }

    /// Writes the states back to where they came from.
    func store(to whole: NetworkState<Element>) {
        storeLayers(state.layers, to: whole.layers)
        if state.sent[1] !== state.layers[1] { storeLayers(state.sent, to: whole.sent) }
    }

    /// Adds how the connection from the input to these units, or from them to the outputs, has moved.
    func addMovement(of connection: Int, at rates: UpdateRates<Element>, to whole: ConnectionParameters<Element>) {
        if connection == 0 {
            phase?.inputMovement.add(at: rates, to: whole, above: units)
        } else {
            accumulated.setToZero()
            phase?.weights.movements[1].add(at: ofBlock(rates), to: accumulated)
            accumulated.addPart(to: whole, below: units, biases: isFirst)
        }
    }

    private func copyLayers(_ whole: [Matrix<Element>], to mine: [Matrix<Element>]) {
        mine[1].copyColumns(of: whole[1], from: units.lowerBound)
        mine[2].copy(from: whole[2])
    }

    /// The outputs are the same in all blocks.
    private func storeLayers(_ mine: [Matrix<Element>], to whole: [Matrix<Element>]) {
        mine[1].copyToColumns(of: whole[1], from: units.lowerBound)
        if isFirst { whole[2].copy(from: mine[2]) }
    }

    /// The outputs' biases are the first block's.
    private var isFirst: Bool { units.lowerBound == 0 }

    private func ofBlock(_ rates: UpdateRates<Element>) -> UpdateRates<Element> {
        UpdateRates(weights: rates.weights, biases: isFirst ? rates.biases : 0)
    }
}
