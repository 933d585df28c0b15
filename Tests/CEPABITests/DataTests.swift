import CCEP
import CEPABI
import Testing

/// One way to hand a matrix or targets to a network.
private struct Call: Sendable {
    let run:
        @Sendable (OpaquePointer?, UnsafePointer<cep_matrix>?, UnsafePointer<cep_targets>?, inout Outputs) -> cep_status

    static let takingInputs = [
        Call { cep_free_phase($0, $1, 2, 0, noProgress, &$3.outcome) },
        Call { cep_free_phase($0, $1, 2, 1, noProgress, &$3.outcome) },
        Call { cep_predict($0, $1, 2, noProgress, &$3.classes, $1?.pointee.rows ?? 3) },
    ]
    static let takingTargets = [
        Call { cep_nudged_phase($0, $2, 0.5, 2, noProgress, &$3.outcome) }
    ]
    static let takingBoth = [
        Call { network, x, targets, outputs in
            var rule = lendRule(CEP_RULE_EP)
            return cep_train_batch(network, x, targets, &rule, noProgress, &outputs.metrics)
        },
        Call { network, x, targets, outputs in
            var rule = lendRule(CEP_RULE_CEP)
            return cep_train_epoch(network, x, targets, &rule, 2, 0, nil, noProgress, &outputs.metrics)
        },
        Call { cep_evaluate($0, $1, $2, 2, noProgress, &$3.metrics) },
    ]
}

@Suite struct DataIsChecked {
    private static let good = LentSamples(3)

    /// A network with states, and what must not change in it.
    private func withNetwork(_ body: (CNetwork) throws -> Void) throws {
        let network = try CNetwork()
        var x = Self.good.x
        _ = expectSuccess { cep_free_phase(network.pointer, &x, 3, 0, noProgress, &$0.outcome) }
        let before = (try network.parameters(), try network.states())
        try body(network)
        #expect(try network.parameters() == before.0 && network.states() == before.1)
    }

    private func expectInputRefused(_ x: cep_matrix, saying parts: [String]) throws {
        try withNetwork { network in
            for call in Call.takingInputs + Call.takingBoth {
                var (x, targets) = (x, Self.good.targets)
                expectFailure(CEP_INVALID_ARGUMENT, saying: parts) { call.run(network.pointer, &x, &targets, &$0) }
            }
        }
    }

    private func expectTargetsRefused(_ targets: cep_targets, saying parts: [String]) throws {
        try withNetwork { network in
            for call in Call.takingTargets + Call.takingBoth {
                var (x, targets) = (Self.good.x, targets)
                expectFailure(CEP_INVALID_ARGUMENT, saying: parts) { call.run(network.pointer, &x, &targets, &$0) }
            }
        }
    }

    @Test func goodDataIsTaken() throws {
        for type in NumberType.allCases {
            let network = try CNetwork { $0.dtype = type.dtype }
            for dataType in NumberType.allCases {
                let data = LentSamples(3, type: dataType)
                for var targets in [data.targets, lendTargetValues([[0, 1, 0], [1, 0, 0], [0, 0, 1]], dataType)] {
                    var x = data.x
                    for call in Call.takingInputs + Call.takingTargets + Call.takingBoth {
                        // A free phase first, for those that go on from its states.
                        _ = expectSuccess { cep_free_phase(network.pointer, &x, 1, 0, noProgress, &$0.outcome) }
                        _ = expectSuccess { call.run(network.pointer, &x, &targets, &$0) }
                    }
                }
            }
        }
    }

    @Test func nullPointers() throws {
        try withNetwork { network in
            for call in Call.takingInputs + Call.takingTargets + Call.takingBoth {
                var (x, targets) = (Self.good.x, Self.good.targets)
                expectFailure(CEP_INVALID_ARGUMENT, saying: ["network", "NULL"]) { call.run(nil, &x, &targets, &$0) }
            }
            for call in Call.takingInputs + Call.takingBoth {
                var targets = Self.good.targets
                expectFailure(CEP_INVALID_ARGUMENT, saying: ["x is NULL"]) {
                    call.run(network.pointer, nil, &targets, &$0)
                }
            }
            for call in Call.takingTargets + Call.takingBoth {
                var x = Self.good.x
                expectFailure(CEP_INVALID_ARGUMENT, saying: ["targets", "NULL"]) {
                    call.run(network.pointer, &x, nil, &$0)
                }
            }
        }
        var x = Self.good.x
        x.data = nil
        try expectInputRefused(x, saying: ["x.data", "NULL"])
        try expectTargetsRefused(cep_targets(labels: nil, label_count: 3, values: cep_matrix()), saying: ["y"])
        var values = lendTargetValues([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
        values.values.data = nil
        try expectTargetsRefused(values, saying: ["y.data", "NULL"])
    }

    @Test func shapesOfInputs() throws {
        for (rows, columns) in [(0, 4), (-1, 4), (3, 0), (3, -4), (Int64.min, Int64.min)] as [(Int64, Int64)] {
            var x = Self.good.x
            (x.rows, x.columns) = (rows, columns)
            try expectInputRefused(x, saying: ["x is \(rows) × \(columns)"])
        }
        var x = Self.good.x
        (x.rows, x.columns) = (1 << 40, 1 << 40)
        try expectInputRefused(x, saying: ["x is \(x.rows) × \(x.columns)"])
        (x.rows, x.columns) = (4, 3)
        try expectInputRefused(x, saying: ["x has 3 columns", "4 units"])
        (x.rows, x.columns) = (1 << 33, 4)
        try expectInputRefused(x, saying: ["x is \(x.rows) × 4"])
    }

    @Test func typesAndAlignment() throws {
        for dtype in [-1, 2, Int32.max] {
            var x = Self.good.x
            x.dtype = dtype
            try expectInputRefused(x, saying: ["x", "dtype \(dtype)"])
            var targets = lendTargetValues([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
            targets.values.dtype = dtype
            try expectTargetsRefused(targets, saying: ["y", "dtype \(dtype)"])
        }
        // Room for one more value, and a pointer into the middle of the first.
        for type in NumberType.allCases {
            var x = lendMatrix([[Double]](repeating: [0, 0, 0, 0], count: 4), type)
            x.rows = 3
            x.data = x.data.map { $0 + 2 }
            try expectInputRefused(
                x, saying: ["x.data", "aligned", type == .float32 ? "multiple of 4" : "multiple of 8"])
        }
        let labels = UnsafeRawPointer(lend([0, 0, 0, 0] as [Int64])) + 4
        let targets = cep_targets(
            labels: labels.assumingMemoryBound(to: Int64.self), label_count: 3, values: cep_matrix())
        try expectTargetsRefused(targets, saying: ["y", "aligned", "multiple of 8"])
    }

    @Test func values() throws {
        for type in NumberType.allCases {
            var rows = Self.good.inputs
            rows[1][2] = .nan
            try expectInputRefused(lendMatrix(rows, type), saying: ["x", "row 1", "column 2"])
            try expectTargetsRefused(
                lendTargetValues([[0, 0, 0], [0, 0, 0], [0, 0, .infinity]], type), saying: ["y", "row 2", "column 2"])
        }
    }

    @Test func labels() throws {
        try expectTargetsRefused(lendLabels([0, 1, 3]), saying: ["label 3", "row 2", "0 to 2"])
        try expectTargetsRefused(lendLabels([-1, 1, 2]), saying: ["label -1", "row 0"])
        try expectTargetsRefused(lendLabels([0, 1]), saying: ["2 targets", "3 rows"])
        var targets = lendLabels([0, 1, 2])
        for count in [0, -1, Int64.min] {
            targets.label_count = count
            try expectTargetsRefused(targets, saying: ["y has \(count) labels"])
        }
        targets.label_count = .max
        try expectTargetsRefused(targets, saying: ["y has \(Int64.max) labels"])
    }

    @Test func shapesOfTargets() throws {
        try expectTargetsRefused(
            lendTargetValues([[0, 1], [0, 1], [0, 1]]), saying: ["y has 2 columns", "3 units"])
        try expectTargetsRefused(lendTargetValues([[0, 1, 0]]), saying: ["1 targets", "3 rows"])
        try expectTargetsRefused(lendTargetValues([]), saying: ["y is 0 × 0"])
    }
}
