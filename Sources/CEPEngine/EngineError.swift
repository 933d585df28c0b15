import CEPKernels

/// An error of the engine. Every message says what was wrong, what was expected and what was given.
public enum EngineError: Error, Equatable {
    /// A value or shape that cannot be used.
    case invalidArgument(String)
    /// The call is not possible in the present state.
    case invalidState(String)
    /// Memory that is not available.
    case outOfMemory(String)
    /// A file that cannot be read or written, is damaged, or has other contents than expected.
    case file(String)
    /// A number became infinite or not a number, or an iteration did not converge. The case is indirect because Swift
    /// 6.3.1 cannot compile `catch EngineError.diverged(let divergence)` otherwise.
    indirect case diverged(Divergence)
    /// The caller asked to stop.
    case stopped
    /// Another thread is using the network, or a step of it.
    case busy(String)

    /// The error with the names of the C and Python interfaces, such as `free_steps` and `dt`. `description` uses
    /// Swift's names.
    public var message: String {
        switch self {
        case .invalidArgument(let text), .invalidState(let text), .outOfMemory(let text), .file(let text),
            .busy(let text):
            text
        case .diverged(let divergence): divergence.message
        case .stopped: "the progress function asked to stop"
        }
    }
}

/// The place where numbers were first found to be infinite or not a number.
public struct Divergence: Sendable, Equatable {
    /// What happened, and what to try.
    public let message: String
    /// The step of the phase, or of the backward pass through it, counted from 1. nil for an update.
    public let step: Int?
    /// The layer, counted from the input's 0. nil if the numbers do not belong to a layer.
    public let layer: Int?

    package init(_ message: String, step: Int? = nil, layer: Int? = nil) {
        self.message = message
        self.step = step
        self.layer = layer
    }
}

extension EngineError: CustomStringConvertible {
    /// The error with the names of the Swift interface, such as `freeSteps`, `timeStep` and `.hardSigmoid`.
    public var description: String {
        if case .file(let text) = self { return text }
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

    /// Names that differ in more than their case.
    private static let swiftNames = [
        "x": "inputs", "y": "targets", "dt": "timeStep", "dtype": "number type", "max_iterations": "maximumIterations",
        "bias_learning_rates": "learningRates.biases", "float32": "Float", "float64": "Double",
    ]

    private static func swiftName(of word: String) -> String {
        if let name = swiftNames[word] { return name }
        guard word.contains("_") else { return word }
        let parts = word.split(separator: "_")
        let rest = parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }
        let name = parts.prefix(1).joined() + rest.joined()
        return Activation(rawValue: word) == nil && !Loss.names.contains(word) ? name : "." + name
    }
}
