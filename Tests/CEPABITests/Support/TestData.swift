import CCEP

// Data for C functions. The memory is small and never freed, so pointers to it are always valid.

/// The number types, for the arguments of tests.
enum NumberType: String, CaseIterable, Sendable {
    case float32, float64

    var dtype: cep_dtype { cep_dtype(self == .float32 ? CEP_FLOAT32 : CEP_FLOAT64) }
    var size: Int64 { self == .float32 ? 4 : 8 }
    var option: OptionValue { .text(rawValue) }
}

func copy<Value>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
    let memory = UnsafeMutablePointer<Value>.allocate(capacity: max(values.count, 1))
    memory.initialize(from: values, count: values.count)
    return memory
}

func copyText(_ text: String) -> UnsafePointer<CChar> { UnsafePointer(copy(Array(text.utf8CString))) }

func matrix(_ rows: [[Double]], _ type: NumberType = .float64) -> cep_matrix {
    let flat = Array(rows.joined())
    let data: UnsafeRawPointer =
        type == .float32 ? UnsafeRawPointer(copy(flat.map { Float($0) })) : UnsafeRawPointer(copy(flat))
    return cep_matrix(
        data: data, dtype: type.dtype, rows: Int64(rows.count), columns: Int64(rows.first?.count ?? 0))
}

func labels(_ labels: [Int64]) -> cep_targets {
    cep_targets(labels: copy(labels), label_count: Int64(labels.count), values: cep_matrix())
}

func targetValues(_ rows: [[Double]], _ type: NumberType = .float64) -> cep_targets {
    cep_targets(labels: nil, label_count: 0, values: matrix(rows, type))
}

/// Samples for networks of 4 inputs and 3 outputs: the same numbers in every run, never written to.
struct TestSamples: @unchecked Sendable {
    let inputs: [[Double]]
    let classes: [Int64]
    let x: UnsafePointer<cep_matrix>
    let targets: UnsafePointer<cep_targets>

    init(_ rows: Int, type: NumberType = .float64) {
        inputs = (0..<rows).map { row in
            (0..<4).map { column in
                let hundredths = (row * 37 + column * 11) % 101
                return Double(hundredths) / 100
            }
        }
        classes = (0..<rows).map { row in
            let label = (row * 7 + row / 3) % 3
            return Int64(label)
        }
        x = UnsafePointer(copy([matrix(inputs, type)]))
        targets = UnsafePointer(copy([labels(classes)]))
    }
}
