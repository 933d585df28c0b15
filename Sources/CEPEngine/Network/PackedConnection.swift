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

/// Packed weights that lie as in their matrix, units above × units below, those of feedback transposed: what is written
/// there is multiplied with. Up and down are the same memory where feedback has no weights of its own.
struct WeightsInPlace<Element: KernelScalar> {
    let up: UnsafeMutablePointer<Element>
    let down: UnsafeMutablePointer<Element>
    let biases: Matrix<Element>
}

/// Multiplications of a product that cost as much as packing one weight, about.
let packingCost = 16

/// Memory for a packed connection, kept from phase to phase.
final class PackingRoom<Element: KernelScalar> {
    private let up: PackedMatrix<Element>
    /// nil where the same memory serves both.
    private let down: PackedMatrix<Element>?
    private let downProduct: PackedProduct<Element>
    private let biases: Matrix<Element>

    init(for parameters: ConnectionParameters<Element>) throws(EngineError) {
        let weights = parameters.weights
        up = try Self.packedMatrix(rows: weights.columns, columns: weights.rows)
        if parameters.feedbackWeights == nil, let transposed = up.product.transposed {
            down = nil
            downProduct = transposed
        } else {
            let down = try Self.packedMatrix(rows: weights.rows, columns: weights.columns)
            self.down = down
            downProduct = down.product
        }
        biases = try Matrix(rows: 1, columns: weights.rows)
    }

    private static func packedMatrix(rows: Int, columns: Int) throws(EngineError) -> PackedMatrix<Element> {
        let bytes = Double(PackedMatrix<Element>.byteCount(rows: rows, columns: columns))
        try checkMemory(values: bytes, of: UInt8.self, for: "a packed \(rows) × \(columns) matrix")
        guard let matrix = PackedMatrix<Element>(rows: rows, columns: columns) else {
            throw .outOfMemory("no memory to pack a \(rows) × \(columns) matrix")
        }
        return matrix
    }

    /// nil of weights that are laid out otherwise.
    var weightsInPlace: WeightsInPlace<Element>? {
        guard up.product.layout == .columns, downProduct.layout == .rows else { return nil }
        return WeightsInPlace(
            up: up.product.memory.assumingMemoryBound(to: Element.self),
            down: downProduct.memory.assumingMemoryBound(to: Element.self), biases: biases)
    }

    /// In how many parts, on as many threads, moved weights are laid out.
    var parts: Int { down == nil ? 1 : 2 }

    /// Without feedback weights the transposed weights are the feedback.
    @discardableResult
    func pack(_ parameters: ConnectionParameters<Element>) -> PackedConnection<Element> {
        packUp(parameters)
        packDown(parameters)
        return PackedConnection(biases: UnsafePointer(biases.pointer), up: up.product, down: downProduct)
    }

    /// What drives the layer above.
    func packUp(_ parameters: ConnectionParameters<Element>) {
        up.pack(parameters.weights.pointer, transposing: true)
        biases.copy(from: parameters.biases)
    }

    /// What drives the layer below.
    func packDown(_ parameters: ConnectionParameters<Element>) {
        guard let down else { return }
        if let feedbackWeights = parameters.feedbackWeights {
            down.pack(feedbackWeights.pointer, transposing: true)
        } else {
            down.pack(parameters.weights.pointer, transposing: false)
        }
    }
}
