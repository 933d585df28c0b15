import CCEP

// Data handed to C functions. The memory is never given back, it is little: pointers to it can be used freely.

/// The dtypes, as tests list them.
enum NumberType: String, CaseIterable, Sendable {
    case float32, float64

    var dtype: cep_dtype { cep_dtype(self == .float32 ? CEP_FLOAT32 : CEP_FLOAT64) }
}

func lend<Value>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
    let memory = UnsafeMutablePointer<Value>.allocate(capacity: max(values.count, 1))
    memory.initialize(from: values, count: values.count)
    return memory
}

func lendMatrix(_ rows: [[Double]], _ type: NumberType = .float64) -> cep_matrix {
    let flat = Array(rows.joined())
    let data: UnsafeRawPointer =
        type == .float32 ? UnsafeRawPointer(lend(flat.map { Float($0) })) : UnsafeRawPointer(lend(flat))
    return cep_matrix(
        data: data, dtype: type.dtype, rows: Int64(rows.count), columns: Int64(rows.first?.count ?? 0))
}

func lendLabels(_ labels: [Int64]) -> cep_targets {
    cep_targets(labels: lend(labels), label_count: Int64(labels.count), values: cep_matrix())
}

func lendTargetValues(_ rows: [[Double]], _ type: NumberType = .float64) -> cep_targets {
    cep_targets(labels: nil, label_count: 0, values: lendMatrix(rows, type))
}

func lendRule(
    _ kind: Int, freeSteps: Int64 = 3, nudgedSteps: Int64 = 2, beta: Double = 0.5, learningRates: [Double] = [0.2, 0.1]
) -> cep_rule {
    var rule = cep_rule()
    cep_rule_default(&rule)
    (rule.kind, rule.free_steps, rule.nudged_steps, rule.beta) = (cep_rule_kind(kind), freeSteps, nudgedSteps, beta)
    rule.learning_rates = UnsafePointer(lend(learningRates))
    rule.learning_rate_count = Int64(learningRates.count)
    return rule
}

/// Samples for networks of 4 inputs and 3 outputs: the same numbers in every run, and never written to.
struct LentSamples: @unchecked Sendable {
    let inputs: [[Double]]
    let labels: [Int64]
    let x: cep_matrix
    let targets: cep_targets

    init(_ rows: Int, type: NumberType = .float64) {
        inputs = (0..<rows).map { row in
            (0..<4).map { column in
                let hundredths = (row * 37 + column * 11) % 101
                return Double(hundredths) / 100
            }
        }
        labels = (0..<rows).map { row in
            let label = (row * 7 + row / 3) % 3
            return Int64(label)
        }
        x = lendMatrix(inputs, type)
        targets = lendLabels(labels)
    }
}
