import CEPKernels

/// C-EP (Ernoult et al., 2020): an update at every step of the nudged phase, from the states before and after it. On
/// a network with untied feedback this is the continual vector field rule, C-VF.
public struct ContinualEquilibriumPropagation<Element: KernelScalar>: LearningRule {
    public let phases: TwoPhases

    public init(_ phases: TwoPhases) { self.phases = phases }

    public func validate(for configuration: NetworkConfiguration) throws(EngineError) {
        try phases.validate(for: configuration)
    }

    public func train(
        _ network: Network<Element>, on batch: ClampedBatch<Element>, monitor: ProgressMonitor
    ) throws(EngineError) -> Metrics {
        let state = batch.state
        for connection in network.connections { try connection.reserve(batch: state.batch) }

        _ = try network.relax(state, steps: phases.freeSteps, monitor: monitor)
        let metrics = Metrics(output: state.output.view, target: batch.target.view)

        // Parameters move while the phase runs: a phase that is stopped or diverges puts them back.
        let before = try network.backUpParameters()
        do {
            try runNudgedPhase(network, batch, monitor: monitor)
        } catch {
            network.restoreParameters(from: before)
            throw error
        }
        return metrics
    }

    private func runNudgedPhase(
        _ network: Network<Element>, _ batch: ClampedBatch<Element>, monitor: ProgressMonitor
    ) throws(EngineError) {
        let state = batch.state
        let older = try StateSnapshot(of: state)
        let nudge = Nudge(target: batch.target, beta: Element(phases.beta))
        _ = try network.relax(state, steps: phases.nudgedSteps, nudge: nudge, monitor: monitor) { _ in
            for (k, connection) in network.connections.enumerated() {
                connection.addUpdate(
                    from: older.joinedLayers(at: k), to: state.joinedLayers(at: k),
                    rates: phases.rates(of: k, batch: state.batch), into: connection.parameters)
            }
            network.refreshInputDrive(of: state)
            older.update(from: state)
        }
    }
}
