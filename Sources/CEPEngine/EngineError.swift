/// What can go wrong in the engine. Every message says what was wrong, what was expected and what was given.
public enum EngineError: Error, Equatable {
    /// A value or shape that cannot be used.
    case invalidArgument(String)
    /// The call is right, but not at this moment.
    case invalidState(String)
    /// Memory that cannot be had.
    case outOfMemory(String)
    /// A state became infinite or not a number.
    case diverged(String)
    /// The caller asked to stop.
    case stopped
    /// Another thread is using the network, or a step of it.
    case busy(String)

    public var message: String {
        switch self {
        case .invalidArgument(let text), .invalidState(let text), .outOfMemory(let text), .diverged(let text),
            .busy(let text):
            text
        case .stopped: "the progress function asked to stop"
        }
    }
}
