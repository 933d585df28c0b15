import CEPKernels

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
    /// What these units do to the outputs, before a step of even number and of odd. While one is read by all blocks, the
    /// other is written.
    private let outputDrives: [Matrix<Element>]

    /// Of the present phase.
    private var phase: Phase?
    /// Why it could not be taken in.
    private(set) var failure: EngineError?
    /// max |s(t+1) − s(t)| of the last step, over these units and the outputs.
    private(set) var residual: Element = 0

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

    init(_ units: Range<Int>, of network: Network<Element>, batch: Int) throws(EngineError) {
        let outputs = network.outputSize
        self.units = units
        // The input does not move: what comes from it is in the input drive.
        state = try NetworkState(
            batch: batch, sizes: [0, units.count, outputs], sendsActivation: network.setting.sendsActivation)
        rows = state.rows(0..<batch)
        connection = try network.connections[1].part(below: units)
        accumulated = try connection.parameters.zeros()
        outputDrives = [try Matrix(rows: batch, columns: outputs), try Matrix(rows: batch, columns: outputs)]
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
        let drives = outputDrives[step % 2]
        drives.pointer.update(from: rows.layers[1].drive, count: drives.count)
    }

    /// Moves these units and the outputs, by what all blocks do to those, and the weights with them.
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    func takeStep(_ number: Int, of network: Network<Element>, drivenBy blocks: [UnitBlock]) {
        guard let phase else { return }
        let outputs = rows.layers[1]
        outputs.drive.update(from: blocks[0].outputDrives[number % 2].pointer, count: batch * outputs.units)
        for block in blocks.dropFirst() {
            add(1, times: block.outputDrives[number % 2].pointer, to: outputs.drive, count: batch * outputs.units)
        }
        rows.changes.update(repeating: 0, count: batch)
        for layer in 1...2 { network.move(layer, rows, pull: phase.nudge.pull(from: 0)) }
        residual = rows.residual
        guard !residual.isNaN else { return }
        phase.recorded.recordSamples(0..<batch)
        phase.recorded.samplesAreRecorded()
        for (k, movement) in phase.recorded.movements.enumerated() {
            for part in 0..<movement.batchParts { phase.recorded.recordBatch(of: k, part: part) }
        }
        phase.recorded.stepIsRecorded()
    }

    var firstLayerNotFinite: Int? { rows.firstLayerNotFinite }

    /// Writes the states back to where they came from.
    func store(to whole: NetworkState<Element>) {
        storeLayers(state.layers, to: whole.layers)
        if state.sent[1] !== state.layers[1] { storeLayers(state.sent, to: whole.sent) }
    }

    /// Adds how the connection from the input to these units has moved.
    func addInputMovement(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        phase?.inputMovement.add(at: rates, to: accumulator, above: units)
    }

    /// Adds how the connection to the outputs has moved.
    func addOutputMovement(at rates: UpdateRates<Element>, to accumulator: ConnectionParameters<Element>) {
        accumulated.setToZero()
        phase?.weights.movements[1].add(at: ofBlock(rates), to: accumulated)
        accumulated.addPart(to: accumulator, below: units)
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
