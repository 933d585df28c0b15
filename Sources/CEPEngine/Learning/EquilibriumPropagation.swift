import CEPKernels

/// EP (Scellier and Bengio, 2017): one update from the steady states of the free and of the nudged phase. On a
/// network with untied feedback this is the vector field rule, VF.
public struct EquilibriumPropagation<Element: KernelScalar>: LearningRule {
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
        let free = try StateSnapshot(of: state)

        let nudge = Nudge(target: batch.target, beta: Element(phases.beta))
        _ = try network.relax(state, steps: phases.nudgedSteps, nudge: nudge, monitor: monitor)
        for (k, connection) in network.connections.enumerated() {
            connection.addUpdate(
                from: free.joinedLayers(at: k), to: state.joinedLayers(at: k),
                rates: phases.rates(of: k, batch: state.batch), into: connection.parameters)
        }
        return metrics
    }
}
