import CEPKernels

/// The steps of a free phase, kept so that gradients can be sent back through them.
///
/// Each matrix holds the steps one after another, batch rows each.
final class Trajectory<Element: KernelScalar> {
    let batch: Int
    let steps: Int
    private let states: [Matrix<Element>]
    private let sent: [Matrix<Element>]
    private let drives: [Matrix<Element>]

    init(steps: Int, of state: NetworkState<Element>) throws(EngineError) {
        batch = state.batch
        self.steps = steps
        let (rows, overflow) = steps.multipliedReportingOverflow(by: state.batch)
        guard !overflow, rows <= largestMatrixExtent else {
            throw .outOfMemory("\(steps) steps of \(state.batch) samples are too many to be kept")
        }
        // Backpropagation needs as much again as there are drives.
        let kept = state.layers + (state.sent[0] === state.layers[0] ? [] : state.sent) + state.drives + state.drives
        try checkMemory(
            values: kept.reduce(0) { $0 + Double(rows) * Double($1.columns) }, of: Element.self,
            for: "what \(steps) steps of \(state.batch) samples keep")
        func matrices(_ like: [Matrix<Element>]) throws(EngineError) -> [Matrix<Element>] {
            var matrices: [Matrix<Element>] = []
            for matrix in like { matrices.append(try Matrix(rows: rows, columns: matrix.columns)) }
            return matrices
        }
        states = try matrices(state.layers)
        sent = state.sent[0] === state.layers[0] ? states : try matrices(state.sent)
        drives = try matrices(state.drives)
    }

    /// Keeps the state as it is, and what drives it, as the start of a step.
    func record(_ state: NetworkState<Element>, at step: Int) {
        for (kept, now) in zip(states, state.layers) { block(kept, step).copy(from: now.view) }
        if sent[0] !== states[0] {
            for (kept, now) in zip(sent, state.sent) { block(kept, step).copy(from: now.view) }
        }
        for (kept, now) in zip(drives, state.drives) { block(kept, step).copy(from: now.view) }
    }

    /// A layer (1 ... L) at the start of a step.
    func moment(of layer: Int, at step: Int) -> LayerMoment<Element> {
        LayerMoment(state: block(states[layer], step), drive: block(drives[layer - 1], step))
    }

    /// What the layers of a connection sent in the given steps.
    func sent(at connection: Int, steps range: Range<Int>) -> SentByLayers<Element> {
        SentByLayers(below: rows(sent[connection], range), above: rows(sent[connection + 1], range))
    }

    private func block(_ matrix: Matrix<Element>, _ step: Int) -> MatrixView<Element> { rows(matrix, step..<step + 1) }

    private func rows(_ matrix: Matrix<Element>, _ steps: Range<Int>) -> MatrixView<Element> {
        matrix.rows(from: steps.lowerBound * batch, count: steps.count * batch)
    }
}

extension Network {
    /// Relaxes freely for `steps` steps, the last `kept` of which are recorded.
    ///
    /// - Returns: The recording, and max |s(t+1) − s(t)| of the last step.
    func relaxRecording(
        _ state: NetworkState<Element>, steps: Int, kept: Int, monitor: ProgressMonitor
    ) throws(EngineError) -> (trajectory: Trajectory<Element>, residual: Element) {
        let trajectory = try Trajectory(steps: kept, of: state)
        let weights = try preparePhase(of: state)
        var taken = 0
        if steps > kept {
            taken = try relax(state, through: weights, steps: steps - kept, monitor: monitor).steps
        } else {
            try monitor.show { moment(0, of: state, nudge: nil, residual: 0) }
        }
        var residual: Element = 0
        for step in 0..<kept {
            updateDrives(of: state)
            trajectory.record(state, at: step)
            residual = try takeStep(steps - kept + step + 1, of: steps, state, monitor: monitor)
            try monitor.show { moment(taken + step + 1, of: state, nudge: nil, residual: residual) }
        }
        return (trajectory, residual)
    }
}
