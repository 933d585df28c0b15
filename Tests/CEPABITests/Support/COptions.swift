import CCEP

/// The value of an option, written as a literal: "tanh", 3, 0.5, true or [0.2, 0.1].
enum OptionValue: Sendable {
    case text(String)
    case integers([Int64])
    case numbers([Double])
}

extension OptionValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
    init(stringLiteral text: String) { self = .text(text) }
    init(integerLiteral integer: Int64) { self = .integers([integer]) }
    init(floatLiteral number: Double) { self = .numbers([number]) }
    init(booleanLiteral flag: Bool) { self = .integers([flag ? 1 : 0]) }
    init(arrayLiteral numbers: Double...) { self = .numbers(numbers) }
}

/// Options of the C interface, in the order in which they are given. A name may be given twice.
struct COptions: Sendable, ExpressibleByDictionaryLiteral {
    private var items: [(name: String, value: OptionValue)]

    init(_ name: String, _ value: OptionValue) { items = [(name, value)] }

    init(dictionaryLiteral items: (String, OptionValue)...) { self.items = items.map { ($0, $1) } }

    /// These options, with the values of `others` for the names in both.
    func replacing(_ others: COptions) -> COptions {
        var result = self
        result.items.removeAll { item in others.items.contains { $0.name == item.name } }
        result.items += others.items
        return result
    }

    func adding(_ name: String, _ value: OptionValue) -> COptions {
        var result = self
        result.items.append((name, value))
        return result
    }

    func removing(_ name: String) -> COptions {
        var result = self
        result.items.removeAll { $0.name == name }
        return result
    }

    /// The options for C functions, in memory that is never freed.
    var pointer: UnsafePointer<cep_options> {
        let options = items.map { item in
            var option = cep_option()
            option.name = copyText(item.name)
            switch item.value {
            case .text(let text): option.text = copyText(text)
            case .integers(let integers):
                (option.integers, option.count) = (UnsafePointer(copy(integers)), Int64(integers.count))
            case .numbers(let numbers):
                (option.numbers, option.count) = (UnsafePointer(copy(numbers)), Int64(numbers.count))
            }
            return option
        }
        return UnsafePointer(copy([cep_options(items: UnsafePointer(copy(options)), count: Int64(options.count))]))
    }
}

extension COptions {
    /// A network of a few units.
    static func network(_ sizes: [Int64] = [4, 5, 3], _ changes: COptions = [:]) -> COptions {
        (["sizes": .integers(sizes)] as COptions).replacing(changes)
    }

    /// A rule for networks of two connections, with all required options.
    static func rule(_ name: String, _ changes: COptions = [:]) -> COptions {
        let rule: COptions = ["rule": .text(name), "free_steps": 3, "learning_rates": [0.2, 0.1]]
        let phases: COptions = ["ep", "cep"].contains(name) ? ["nudged_steps": 2, "beta": 0.5] : [:]
        return rule.replacing(phases).replacing(changes)
    }

    static func theorem(_ changes: COptions = [:]) -> COptions {
        let options: COptions = ["free_steps": 200, "nudged_steps": 4, "beta": 1e-5, "learning_rates": [0, 0]]
        return options.replacing(changes)
    }
}
