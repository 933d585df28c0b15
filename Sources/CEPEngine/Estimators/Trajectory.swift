import CEPKernels

/// The steps of a free phase, kept so that gradients can be sent back through them.
///
/// Each matrix holds the steps in order, with one row per sample of the batch.
final class Trajectory<Element: KernelScalar> {
    let batch: Int
    let steps: Int
    private let states: [Matrix<Element>]
    private let activities: [Matrix<Element>]
    private let preactivations: [Matrix<Element>]

    init(steps: Int, of state: NetworkState<Element>) throws(EngineError) {
        batch = state.batch
        self.steps = steps
        let (rows, overflow) = steps.multipliedReportingOverflow(by: state.batch)
        guard !overflow, rows <= largestMatrixExtent else {
            throw .outOfMemory("\(steps) steps of \(state.batch) samples are too many to keep in memory")
        }
        // Backpropagation needs the same memory as the preactivations again.
        let kept =
            state.layers + (state.couplesThroughActivation ? state.activities : []) + state.preactivations
            + state.preactivations
        try checkMemory(
            values: kept.reduce(0) { $0 + Double(rows) * Double($1.columns) }, of: Element.self,
            for: "what \(steps) steps of \(state.batch) samples keep")
        func matrices(_ like: [Matrix<Element>]) throws(EngineError) -> [Matrix<Element>] {
            var matrices: [Matrix<Element>] = []
            for matrix in like { matrices.append(try Matrix(rows: rows, columns: matrix.columns)) }
            return matrices
        }
        states = try matrices(state.layers)
        activities = state.couplesThroughActivation ? try matrices(state.activities) : states
        preactivations = try matrices(state.preactivations)
    }

    /// Stores states and activities at the start of a step.
    func recordStart(_ state: NetworkState<Element>, at step: Int) {
        for (kept, now) in zip(states, state.layers) { block(kept, step).copy(from: now.view) }
        guard state.couplesThroughActivation else { return }
        for (kept, now) in zip(activities, state.activities) { block(kept, step).copy(from: now.view) }
    }

    /// Stores the preactivations that a step has computed.
    func recordPreactivations(_ state: NetworkState<Element>, at step: Int) {
        for (kept, now) in zip(preactivations, state.preactivations) { block(kept, step).copy(from: now.view) }
    }

    /// A layer (1 ... L) at the start of a step.
    func layer(_ layer: Int, at step: Int) -> RecordedLayer<Element> {
        RecordedLayer(
            state: block(states[layer], step), activity: block(activities[layer], step),
            preactivation: block(preactivations[layer - 1], step))
    }

    /// The activities of the layers of a connection in the given steps.
    func activities(of edge: Edge, steps range: Range<Int>) -> ActivityPair<Element> {
        ActivityPair(below: rows(activities[edge.from], range), above: rows(activities[edge.to], range))
    }

    private func block(_ matrix: Matrix<Element>, _ step: Int) -> MatrixView<Element> { rows(matrix, step..<step + 1) }

    private func rows(_ matrix: Matrix<Element>, _ steps: Range<Int>) -> MatrixView<Element> {
        matrix.rows(from: steps.lowerBound * batch, count: steps.count * batch)
    }
}

extension Network {
    /// Relaxes freely for `steps` steps, the last `kept` of which are recorded.
    ///
    /// - Returns: The trajectory, and max |s(t+1) − s(t)| of the last step.
    func relaxRecording(
        _ state: NetworkState<Element>, steps: Int, kept: Int, monitor: ProgressMonitor
    ) throws(EngineError) -> (trajectory: Trajectory<Element>, residual: Element) {
        let trajectory = try Trajectory<Element>(steps: kept, of: state)
        for connection in connections { try connection.reserve(batch: state.batch) }
        try preparePhase(of: state)
        var taken = 0
        if steps > kept {
            taken = try relax(state, steps: steps - kept, monitor: monitor).steps
        } else {
            try monitor.show { phaseStep(0, of: state, nudge: nil, residual: 0) }
        }
        let end = try relaxStepByStep(state, steps: kept, after: taken, monitor: monitor) { step in
            trajectory.recordStart(state, at: step - 1)
        } afterStep: { step in
            trajectory.recordPreactivations(state, at: step - 1)
        }
        return (trajectory, end.residual)
    }
}
