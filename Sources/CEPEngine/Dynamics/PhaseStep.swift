import CEPKernels

/// A network in a phase: before the first step, or after a step.
public struct PhaseStep<Element: KernelScalar> {
    /// The network whose phase it is.
    public let network: Network<Element>
    /// The number of steps taken.
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

    /// - Parameter parameters: The parameters of a connection at this step.
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

    /// The parameters of one connection at this step. A continual phase computes them for this call.
    public func parameters(at connection: Int) throws(EngineError) -> ConnectionParameters<Element> {
        try parametersOf(connection)
    }
}

/// Observes a network before the first step and after each step of its phases, on the thread that made the call. It
/// must not change the network or call its methods.
public protocol PhaseObserver: AnyObject {
    /// - Throws: `EngineError.stopped` to end the call.
    func observe<Element>(_ step: PhaseStep<Element>) throws(EngineError)
}

extension Network {
    /// A step of a phase, with the parameters that the network has now.
    func phaseStep(
        _ step: Int, of state: NetworkState<Element>, nudge: Nudge<Element>?, residual: Element,
        weightsMove: Bool = false
    ) -> PhaseStep<Element> {
        PhaseStep(
            of: self, step: step, beta: nudge?.beta, residual: residual, state: state, weightsMove: weightsMove
        ) { (k) throws(EngineError) in self.parameters[k] }
    }
}
