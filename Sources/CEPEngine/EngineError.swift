import CEPKernels

/// What can go wrong in the engine. Every message says what was wrong, what was expected and what was given.
public enum EngineError: Error, Equatable {
    /// A value or shape that cannot be used.
    case invalidArgument(String)
    /// The call is right, but not at this moment.
    case invalidState(String)
    /// Memory that cannot be had.
    case outOfMemory(String)
    /// A file that cannot be read or written, or that is damaged or something else than expected.
    case file(String, path: String)
    /// A number became infinite or not a number, or an iteration did not converge: at a step, counted from 1, of the
    /// phase or of the way back through it, in a layer, counted from the input's 0. nil if that is not known: a change of
    /// parameters belongs to no step.
    case diverged(String, step: Int? = nil, layer: Int? = nil)
    /// The caller asked to stop.
    case stopped
    /// Another thread is using the network, or a step of it.
    case busy(String)

    /// What went wrong, with the names of the C and Python interfaces: `free_steps`, `dt`. `description` has Swift's.
    public var message: String {
        switch self {
        case .invalidArgument(let text), .invalidState(let text), .outOfMemory(let text), .diverged(let text, _, _),
            .busy(let text):
            text
        case .file(let text, let path): "\(path) \(text)"
        case .stopped: "the progress function asked to stop"
        }
    }
}

extension EngineError: CustomStringConvertible {
    /// What went wrong, with the names of the Swift interface: `freeSteps`, `timeStep`, `.hardSigmoid`.
    public var description: String {
        if case .file = self { return message }
        var (text, word) = ("", "")
        for character in message + " " {
            if character == "_" || character.isLetter || character.isNumber {
                word.append(character)
            } else {
                text += Self.swiftName(of: word) + String(character)
                word = ""
            }
        }
        return String(text.dropLast())
    }

    /// Names that differ by more than their case.
    private static let swiftNames = [
        "x": "inputs", "y": "targets", "dt": "timeStep", "dtype": "number type", "max_iterations": "maximumIterations",
        "bias_learning_rates": "learningRates.biases", "float32": "Float", "float64": "Double",
    ]

    private static func swiftName(of word: String) -> String {
        if let name = swiftNames[word] { return name }
        guard word.contains("_") else { return word }
        let parts = word.split(separator: "_")
        let name = parts.prefix(1).joined() + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        return Activation(rawValue: word) == nil && Loss(rawValue: word) == nil ? name : "." + name
    }
}
