import CCEP
import CEPABI

/// A network behind the C interface, destroyed with this object.
final class CNetwork {
    let pointer: OpaquePointer

    /// - Parameter change: Sets options other than the defaults.
    init(_ sizes: [Int64] = [4, 5, 3], _ change: (inout cep_network_options) -> Void = { _ in }) throws {
        var options = cep_network_options()
        cep_network_options_default(&options)
        options.sizes = UnsafePointer(lend(sizes))
        options.layer_count = Int64(sizes.count)
        change(&options)
        var created: OpaquePointer?
        let status = cep_network_create(&options, &created)
        guard status == CEP_OK, let created else { throw CallFailed(status: status, message: lastError()) }
        pointer = created
    }

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { cep_network_destroy(pointer) }

    /// All parameters, copied out through arrays.
    func parameters() throws -> [[Double]] {
        var all: [[Double]] = []
        for kind in [CEP_WEIGHTS, CEP_BIASES, CEP_FEEDBACK_WEIGHTS] {
            var index: Int64 = kind == CEP_FEEDBACK_WEIGHTS ? 1 : 0
            while let array = try? CArray(self, kind, index) {
                all.append(array.values)
                index += 1
            }
        }
        return all
    }

    /// The states of all layers, copied out through arrays.
    func states() throws -> [[Double]] {
        var all: [[Double]] = []
        while let array = try? CArray(self, CEP_STATES, Int64(all.count)) { all.append(array.values) }
        return all
    }
}

/// A reference to memory of the engine, released with this object.
final class CArray {
    let pointer: OpaquePointer
    let layout: cep_array_layout

    convenience init(_ network: CNetwork, _ kind: Int, _ index: Int64) throws {
        var array: OpaquePointer?
        let status = cep_network_array(network.pointer, cep_array_kind(kind), index, &array)
        guard status == CEP_OK, let array else { throw CallFailed(status: status, message: lastError()) }
        try self.init(owning: array)
    }

    /// Takes over a reference.
    init(owning array: OpaquePointer) throws {
        var layout = Outputs().layout
        let status = cep_array_describe(array, &layout)
        guard status == CEP_OK else { throw CallFailed(status: status, message: lastError()) }
        pointer = array
        self.layout = layout
    }

    deinit { cep_array_release(pointer) }

    var count: Int { Int(layout.shape.0 * layout.shape.1) }

    var values: [Double] { (0..<count).map { self[$0] } }

    subscript(_ i: Int) -> Double {
        get {
            layout.dtype == CEP_FLOAT32
                ? Double(layout.data.assumingMemoryBound(to: Float.self)[i])
                : layout.data.assumingMemoryBound(to: Double.self)[i]
        }
        set {
            if layout.dtype == CEP_FLOAT32 {
                layout.data.assumingMemoryBound(to: Float.self)[i] = Float(newValue)
            } else {
                layout.data.assumingMemoryBound(to: Double.self)[i] = newValue
            }
        }
    }
}

struct CallFailed: Error {
    let status: cep_status
    let message: String
}

func lastError() -> String { String(cString: cep_last_error()) }

var noProgress: cep_progress { cep_progress() }
