import CEPKernels

/// A dense connection laid out for the products of a phase in which its weights stay as they are.
///
/// It holds no reference, so that threads can share it without counting any: who made it keeps the memory, until it is
/// made again.
public struct PackedConnection<Element: KernelScalar> {
    let biases: UnsafePointer<Element>
    let up: PackedProduct<Element>
    let down: PackedProduct<Element>

    /// `drive ← W below + b`, for `rows` samples.
    func driveUp(_ below: UnsafePointer<Element>, rows: Int, into drive: UnsafeMutablePointer<Element>) {
        up.multiply(below, m: rows, addingTo: biases, baseStride: 0, into: drive)
    }

    /// `drive ← base + Wᵀ above`, or base + V above.
    func driveDown(
        _ above: UnsafePointer<Element>, rows: Int, addingTo base: UnsafePointer<Element>,
        into drive: UnsafeMutablePointer<Element>
    ) {
        down.multiply(above, m: rows, addingTo: base, baseStride: down.columns, into: drive)
    }
}

/// Multiplications of a product that cost as much as packing one weight, about.
let packingCost = 16

/// Memory for a packed connection, kept from phase to phase.
final class PackingRoom<Element: KernelScalar> {
    private let up: PackedMatrix<Element>
    private let down: PackedMatrix<Element>
    private let biases: Matrix<Element>

    init(for parameters: ConnectionParameters<Element>) throws(EngineError) {
        let weights = parameters.weights
        guard let up = PackedMatrix<Element>(rows: weights.columns, columns: weights.rows),
            let down = PackedMatrix<Element>(rows: weights.rows, columns: weights.columns)
        else {
            throw .outOfMemory("no memory to pack a \(weights.rows) × \(weights.columns) matrix")
        }
        self.up = up
        self.down = down
        biases = try Matrix(rows: 1, columns: weights.rows)
    }

    /// Without feedback weights the transposed weights are the feedback.
    @discardableResult
    func pack(_ parameters: ConnectionParameters<Element>) -> PackedConnection<Element> {
        packUp(parameters)
        packDown(parameters)
        return PackedConnection(biases: UnsafePointer(biases.pointer), up: up.product, down: down.product)
    }

    /// What drives the layer above.
    func packUp(_ parameters: ConnectionParameters<Element>) {
        up.pack(parameters.weights.pointer, transposing: true)
        biases.copy(from: parameters.biases)
    }

    /// What drives the layer below.
    func packDown(_ parameters: ConnectionParameters<Element>) {
        if let feedbackWeights = parameters.feedbackWeights {
            down.pack(feedbackWeights.pointer, transposing: true)
        } else {
            down.pack(parameters.weights.pointer, transposing: false)
        }
    }
}
