import CEPKernels

/// A network in a phase: before its first step, or after one of them.
public struct PhaseStep<Element: KernelScalar> {
    /// Whose phase it is.
    public let network: Network<Element>
    /// Steps taken.
    public let step: Int
    /// nil in a free phase.
    public let beta: Double?
    /// max |s(t+1) − s(t)| of the last step; 0 before the first.
    public let residual: Double
    /// The states the phase works on.
    public let state: NetworkState<Element>
    /// Whether the weights move in this phase.
    public let weightsMove: Bool
    private let parametersOf: (_ connection: Int) throws(EngineError) -> ConnectionParameters<Element>

    /// - Parameter parameters: Those of a connection as they are at this moment.
    init(
        of network: Network<Element>, step: Int, beta: Element?, residual: Element, state: NetworkState<Element>,
        weightsMove: Bool = false,
        parameters: @escaping (_ connection: Int) throws(EngineError) -> ConnectionParameters<Element>
    ) {
        self.network = network
        self.step = step
        self.beta = beta.map { Double($0) }
        self.residual = Double(residual)
        self.state = state
        self.weightsMove = weightsMove
        parametersOf = parameters
    }

    /// One set of the network's parameters at this step: computed if a continual phase keeps only their change.
    public func parameters(at connection: Int) throws(EngineError) -> ConnectionParameters<Element> {
        try parametersOf(connection)
    }
}

/// Is shown a network before the first step and after each step of its phases, on the thread that made the call. It
/// changes nothing, and calls nothing of the network that is shown.
public protocol PhaseObserver: AnyObject {
    /// - Throws: `EngineError.stopped` to end the call.
    func observe<Element>(_ step: PhaseStep<Element>) throws(EngineError)
}

extension Network {
    /// A step of a phase through the parameters that the network has now.
    func phaseStep(
        _ step: Int, of state: NetworkState<Element>, nudge: Nudge<Element>?, residual: Element,
        weightsMove: Bool = false
    ) -> PhaseStep<Element> {
        PhaseStep(
            of: self, step: step, beta: nudge?.beta, residual: residual, state: state, weightsMove: weightsMove
        ) { (k) throws(EngineError) in self.parameters[k] }
    }
}
