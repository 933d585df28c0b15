import CEPKernels

/// Options by name and value, for networks and learning rules.
///
/// Reading an option removes it, so that `checkAllRead` finds unknown names.
package struct Options {
    package enum Value: Sendable {
        case text(String)
        case numbers([Double])
        case integers([Int])
    }

    private var values: [String: Value]

    package init(_ values: [String: Value]) { self.values = values }

    /// - Throws: `EngineError.invalidArgument` if an option has not been read.
    package func checkAllRead(by owner: String) throws(EngineError) {
        if let name = values.keys.min() { throw .invalidArgument("\(owner) has no option \(name)") }
    }

    /// A word; nil if it is not given.
    package mutating func text(_ name: String) throws(EngineError) -> String? {
        switch values.removeValue(forKey: name) {
        case nil: return nil
        case .text(let text): return text
        case .some: throw .invalidArgument("\(name) must be a word, got numbers")
        }
    }

    package mutating func numbers(_ name: String) throws(EngineError) -> [Double]? {
        switch values.removeValue(forKey: name) {
        case nil: return nil
        case .numbers(let numbers): return numbers
        case .integers(let integers): return integers.map(Double.init)
        case .text(let text): throw .invalidArgument("\(name) must be numbers, got \(text)")
        }
    }

    package mutating func integers(_ name: String) throws(EngineError) -> [Int]? {
        if case .integers(let integers) = values[name] {
            values[name] = nil
            return integers
        }
        return try numbers(name)?.map { (number) throws(EngineError) in
            guard let integer = Int(exactly: number) else {
                throw .invalidArgument("\(name) must be whole numbers, got \(number)")
            }
            return integer
        }
    }

    package mutating func number(_ name: String) throws(EngineError) -> Double? { try single(name, numbers(name)) }

    package mutating func integer(_ name: String) throws(EngineError) -> Int? { try single(name, integers(name)) }

    /// 0 or 1.
    package mutating func flag(_ name: String) throws(EngineError) -> Bool? {
        switch try integer(name) {
        case nil: return nil
        case 0: return false
        case 1: return true
        case .some(let other): throw .invalidArgument("\(name) must be 0 or 1, got \(other)")
        }
    }

    /// A word that names a value of an enumeration.
    package mutating func choice<Choice: NamedChoice>(_ name: String) throws(EngineError) -> Choice? {
        try text(name).map { (word) throws(EngineError) in try Choice(named: word, option: name) }
    }

    /// Words separated by commas.
    package mutating func choices<Choice: NamedChoice>(_ name: String) throws(EngineError) -> [Choice]? {
        try words(name)?.map { (word) throws(EngineError) in try Choice(named: word, option: name) }
    }

    /// Words separated by commas.
    package mutating func words(_ name: String) throws(EngineError) -> [String]? {
        try text(name)?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    private func single<Value>(_ name: String, _ values: [Value]?) throws(EngineError) -> Value? {
        guard let values else { return nil }
        guard values.count == 1 else { throw .invalidArgument("\(name) has \(values.count) values; expected one") }
        return values[0]
    }
}

/// The value of a required option.
func required<Value>(_ value: Value?, _ name: String) throws(EngineError) -> Value {
    guard let value else { throw .invalidArgument("\(name) is missing") }
    return value
}

/// An enumeration whose values are named in options.
package protocol NamedChoice: RawRepresentable<String> {
    static var names: [String] { get }
}

extension NamedChoice {
    init(named word: String, option: String) throws(EngineError) {
        guard let choice = Self(rawValue: word), Self.names.contains(word) else {
            throw .invalidArgument("\(option) must be \(Self.names.joined(separator: " or ")), got \(word)")
        }
        self = choice
    }
}

extension NamedChoice where Self: CaseIterable {
    package static var names: [String] { allCases.map(\.rawValue) }
}

extension Activation: NamedChoice {}
extension Relaxation: NamedChoice {}
extension Nudging: NamedChoice {}
extension BetaSign: NamedChoice {}
extension FeedbackUpdate: NamedChoice {}
extension Asymmetry: NamedChoice {}
extension Loss: NamedChoice { package static var names: [String] { Double.objectives.map { $0.name } } }

/// The words that each option takes, by its name.
package let optionWords: [String: [String]] = [
    "setting": SettingKind.Name.names, "activation": Activation.names, "feedback": Feedback.Name.names,
    "relaxation": Relaxation.names, "loss": Loss.names, "nudging": Nudging.names,
    "connection_kinds": Double.connectionKinds.map { $0.name }, "rule": Double.learningRules.map { $0.name },
    "beta_sign": BetaSign.names,
    "feedback_update": FeedbackUpdate.names, "asymmetry": Asymmetry.names,
    "optimizer": optimizers.map { $0.name }, "synapses": synapseModels.map { $0.name },
    "rounding": Rounding.names, "read_noise_every": NoiseInterval.names,
]
