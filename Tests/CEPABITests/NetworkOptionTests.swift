import CCEP
import CEPABI
import Testing

@Suite struct NetworkOptionsAreChecked {
    private func expectRefused(
        _ status: Int = CEP_INVALID_ARGUMENT, saying parts: [String], sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout cep_network_options) -> Void
    ) {
        var options = cep_network_options()
        cep_network_options_default(&options)
        options.sizes = UnsafePointer(lend([4, 5, 3] as [Int64]))
        options.layer_count = 3
        change(&options)
        expectFailure(status, saying: parts, sourceLocation: sourceLocation) {
            cep_network_create(&options, &$0.network)
        }
    }

    @Test func nullPointers() {
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["options", "NULL"]) { cep_network_create(nil, &$0.network) }
        var options = cep_network_options()
        cep_network_options_default(&options)
        expectFailure(CEP_INVALID_ARGUMENT, saying: ["network", "NULL"]) { _ in cep_network_create(&options, nil) }
        expectRefused(saying: ["sizes", "NULL"]) { $0.sizes = nil }
    }

    @Test func layers() {
        for count in [-1, 0, 1, 2, .min] as [Int64] {
            expectRefused(saying: ["layers", "\(count)"]) { $0.layer_count = count }
        }
        expectRefused(saying: ["layers", "\(Int64.max)"]) { $0.layer_count = .max }
        for (layer, size) in [(0, 0), (1, -3), (2, Int64.min), (1, 1 << 31)] {
            var sizes: [Int64] = [4, 5, 3]
            sizes[layer] = size
            expectRefused(saying: ["layer \(layer)", "\(size) units"]) { $0.sizes = UnsafePointer(lend(sizes)) }
        }
    }

    @Test func kindsThereAreNot() {
        for kind in [-1, 9, Int32.max, .min] {
            expectRefused(saying: ["\(kind)", "setting"]) { $0.setting = kind }
            expectRefused(saying: ["\(kind)", "activation"]) { $0.activation = kind }
            expectRefused(saying: ["\(kind)", "feedback"]) { $0.feedback = kind }
            expectRefused(saying: ["\(kind)", "dtype"]) { $0.dtype = kind }
            expectRefused(saying: ["\(kind)", "relaxation"]) { $0.relaxation = kind }
        }
    }

    @Test func numbersOutOfRange() {
        for timeStep in [0, -1, 1.5, .nan, .infinity] {
            expectRefused(saying: ["dt", "\(timeStep)"]) {
                $0.setting = cep_setting(CEP_REAL_TIME)
                $0.time_step = timeStep
            }
        }
        for tolerance in [-1e-9, .nan, .infinity] {
            expectRefused(saying: ["tolerance", "\(tolerance)"]) { $0.tolerance = tolerance }
        }
        for angle in [-1, 181, Double.nan] {
            expectRefused(saying: ["angle", "\(angle)"]) {
                $0.feedback = cep_feedback(CEP_UNTIED)
                $0.feedback_angle = angle
            }
        }
    }

    /// A number that cannot be is a mistake, whether it is used or not.
    @Test func numbersThatAreNotUsedAreCheckedToo() {
        expectRefused(saying: ["dt", "nan"]) { $0.time_step = .nan }
        expectRefused(saying: ["angle", "nan"]) { $0.feedback_angle = .nan }
    }

    @Test func memory() {
        for dtype in [CEP_FLOAT32, CEP_FLOAT64] {
            expectRefused(CEP_OUT_OF_MEMORY, saying: ["2000000000"]) {
                $0.sizes = UnsafePointer(lend([2_000_000_000, 2_000_000_000, 10] as [Int64]))
                $0.dtype = cep_dtype(dtype)
            }
        }
    }
}
