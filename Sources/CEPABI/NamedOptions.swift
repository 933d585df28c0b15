import CCEP
import CEPEngine
import CEPKernels

/// Options by name and value, as a caller gives them.
struct NamedOptions {
    private var words: [String: String] = [:]
    private var numbers: [String: [Double]] = [:]

    init(
        _ options: UnsafePointer<cep_option>?, _ count: Int64, with arguments: inout Arguments
    ) throws(EngineError) {
        guard count >= 0, count <= 1000 else {
            throw .invalidArgument("there are \(count) named options; expected 0 to 1000")
        }
        guard count > 0 else { return }
        let options = try arguments.reads(options, count: Int(count), "more")
        for option in UnsafeBufferPointer(start: options, count: Int(count)) {
            guard let name = option.name else { throw isNull("the name of an option") }
            let key = String(cString: name)
            if let text = option.text {
                words[key] = String(cString: text)
            } else {
                guard option.count >= 0, option.count <= 4_000_000 else {
                    throw .invalidArgument("\(key) has \(option.count) values")
                }
                let values =
                    option.count == 0 ? nil : try arguments.reads(option.numbers, count: Int(option.count), key)
                numbers[key] = Array(UnsafeBufferPointer(start: values, count: Int(option.count)))
            }
        }
    }

    /// - Throws: `EngineError.invalidArgument` for an option of another name.
    func expect(_ names: [String]) throws(EngineError) {
        for name in words.keys.sorted() + numbers.keys.sorted() where !names.contains(name) {
            throw .invalidArgument("there is no option \(name); expected \(names.joined(separator: ", "))")
        }
    }

    /// The one number of an option; nil if it is not given.
    func number(_ name: String) -> Double? { numbers[name]?.first }

    /// All numbers of an option; none if it is not given.
    func list(_ name: String) -> [Double] { numbers[name] ?? [] }

    /// The word of an option.
    func word(_ name: String) -> String? { words[name] }

    /// The word of an option as a value of an enumeration; nil if it is not given.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String) throws(EngineError) -> Choice? {
        guard let word = words[name] else { return nil }
        return try Self.choice(name, word)
    }

    /// Words separated by commas.
    func choices<Choice: RawRepresentable<String> & CaseIterable>(_ name: String) throws(EngineError) -> [Choice]? {
        guard let list = words[name] else { return nil }
        var choices: [Choice] = []
        for word in list.split(separator: ",", omittingEmptySubsequences: false) {
            choices.append(try Self.choice(name, String(word)))
        }
        return choices
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ word: String
    ) throws(EngineError) -> Choice {
        guard let choice = Choice(rawValue: word) else {
            throw .invalidArgument(
                "\(name) must be \(Choice.allCases.map { $0.rawValue }.joined(separator: " or ")), got \(word)")
        }
        return choice
    }

    /// Pairs of layers.
    func edges(_ name: String) throws(EngineError) -> [Edge] {
        let values = list(name)
        guard values.count.isMultiple(of: 2), values.allSatisfy({ Int(exactly: $0) != nil }) else {
            throw .invalidArgument("\(name) must be pairs of layers, got \(values)")
        }
        return stride(from: 0, to: values.count, by: 2).map { Edge(from: Int(values[$0]), to: Int(values[$0 + 1])) }
    }
}

extension NetworkConfiguration {
    /// One activation for each layer that moves. In the real-time setting the input has the activation of layer 1.
    mutating func setActivations(_ activations: [Activation]) throws(EngineError) {
        guard activations.count == layers.count - 1 else {
            throw .invalidArgument(
                "activation has \(activations.count) values; expected \(max(layers.count - 1, 0)), one for each layer "
                    + "after the input"
                    + (objective.readoutClasses == nil ? "" : "; a readout has none"))
        }
        for (k, activation) in activations.enumerated() { layers[k + 1].activation = activation }
        if let first = activations.first { layers[0].activation = first }
    }
}
