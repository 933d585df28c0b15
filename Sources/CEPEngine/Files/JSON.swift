/// A JSON value of a file header. Numbers keep their digits.
enum JSON {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// nil if the text is not JSON in UTF-8, repeats a name in an object, or is nested more than 100 deep.
    init?(_ text: some Sequence<UInt8>) {
        var reader = Reader(text: Array(text))
        guard let value = reader.value(depth: 0), reader.isAtEnd() else { return nil }
        self = value
    }

    /// The member of an object; nil if it does not exist.
    subscript(name: String) -> JSON? { members?[name] }

    var members: [String: JSON]? { if case .object(let members) = self { members } else { nil } }
    var items: [JSON]? { if case .array(let items) = self { items } else { nil } }
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    var double: Double? { if case .number(let digits) = self { Double(digits) } else { nil } }
    var isNull: Bool { if case .null = self { true } else { false } }

    func integer<Value: FixedWidthInteger>() -> Value? {
        if case .number(let digits) = self { Value(digits) } else { nil }
    }

    /// A list of integers; nil if an item is something else.
    func integers<Value: FixedWidthInteger>() -> [Value]? {
        guard let items else { return nil }
        let values: [Value] = items.compactMap { $0.integer() }
        return values.count == items.count ? values : nil
    }

    /// A string literal.
    static func quoted(_ text: String) -> String {
        "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }
}

private struct Reader {
    let text: [UInt8]
    private var place = 0

    init(text: [UInt8]) { self.text = text }

    private func peek() -> UInt8? { place < text.count ? text[place] : nil }

    private mutating func skipSpaces() {
        while let byte = peek(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { place += 1 }
    }

    mutating func isAtEnd() -> Bool {
        skipSpaces()
        return place == text.count
    }

    /// Skips a token if it comes next.
    private mutating func take(_ token: String) -> Bool {
        skipSpaces()
        guard text[place...].starts(with: token.utf8) else { return false }
        place += token.utf8.count
        return true
    }

    mutating func value(depth: Int) -> JSON? {
        guard depth < 100 else { return nil }
        if take("{") {
            var members: [String: JSON] = [:]
            let isWhole = list(until: "}") { reader in
                guard let name = reader.string(), reader.take(":"), let value = reader.value(depth: depth + 1) else {
                    return false
                }
                return members.updateValue(value, forKey: name) == nil
            }
            return isWhole ? .object(members) : nil
        }
        if take("[") {
            var items: [JSON] = []
            let isWhole = list(until: "]") { reader in
                reader.value(depth: depth + 1).map { items.append($0) } != nil
            }
            return isWhole ? .array(items) : nil
        }
        if peek() == UInt8(ascii: "\"") { return string().map { .string($0) } }
        if take("true") { return .bool(true) }
        if take("false") { return .bool(false) }
        if take("null") { return .null }
        return number()
    }

    private mutating func list(until end: String, item: (inout Reader) -> Bool) -> Bool {
        if take(end) { return true }
        repeat {
            guard item(&self) else { return false }
        } while take(",")
        return take(end)
    }

    private mutating func number() -> JSON? {
        let digits = String(decoding: text[place...].prefix { "+-.0123456789Ee".utf8.contains($0) }, as: UTF8.self)
        guard let first = digits.first, first == "-" || first.isNumber, Double(digits)?.isFinite == true else {
            return nil
        }
        place += digits.utf8.count
        return .number(digits)
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = peek(), byte >= 0x20 {
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escaped() else { return nil }
                bytes += Array(String(scalar).utf8)
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private mutating func escaped() -> Unicode.Scalar? {
        guard let byte = peek() else { return nil }
        place += 1
        let letters: [Character: Unicode.Scalar] = [
            "\"": "\"", "\\": "\\", "/": "/", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t",
        ]
        guard byte == UInt8(ascii: "u") else { return letters[Character(Unicode.Scalar(byte))] }
        guard let first = hexadecimal() else { return nil }
        guard 0xD800..<0xDC00 ~= first else { return Unicode.Scalar(first) }
        guard take("\\u"), let second = hexadecimal(), 0xDC00..<0xE000 ~= second else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private mutating func hexadecimal() -> UInt32? {
        let digits = String(decoding: text[place...].prefix(4), as: UTF8.self)
        place += digits.utf8.count
        return digits.utf8.count == 4 && digits.allSatisfy(\.isHexDigit) ? UInt32(digits, radix: 16) : nil
    }
}
