import CEPEngine
import Foundation

/// Images of digits, and their classes.
struct Digits {
    private var pixels: [[Float]] = []
    private var labels: [Int] = []

    static let besideThisFile = #filePath.replacing(/[^\/]+$/, with: "digits.csv")

    /// Reads lines of 64 pixels of 0 to 16 and the digit, separated by commas.
    init(from path: String) throws {
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            let numbers = line.split(separator: ",").compactMap { Int($0) }
            guard numbers.count == 65 else { throw CannotRead() }
            pixels.append(numbers.dropLast().map { Float($0) / 16 })
            labels.append(numbers[64])
        }
    }

    /// A random split into `count` samples for testing and the others for training.
    func split(testing count: Int) throws -> (training: Samples, test: Samples) {
        var random = RandomSource(seed: 3)
        var order = Array(labels.indices)
        random.shuffle(&order)
        return (try samples(order.dropFirst(count)), try samples(order.prefix(count)))
    }

    private func samples(_ rows: some Collection<Int>) throws -> Samples {
        Samples(inputs: try SampleMatrix(rows.map { pixels[$0] }), classes: rows.map { labels[$0] })
    }
}

struct CannotRead: Error {}
