import CEPEngine
import Testing

@Suite struct MatricesAreReadAndWritten {
    @Test func elementsRowsAndTheWholeMatrix() throws {
        let matrix = try Matrix<Float>([[1, 2, 3], [4, 5, 6]])
        #expect(matrix.rows == 2 && matrix.columns == 3)
        #expect(matrix[1, 0] == 4 && matrix[0] == [1, 2, 3])
        matrix[1, 2] = 9
        matrix[0] = [7, 8, 0.5]
        #expect(Array(matrix) == [7, 8, 0.5, 4, 5, 9])
        #expect(Array(try Matrix<Double>([])).isEmpty)
    }

    @Test func rowsHaveTheSameLength() {
        expectError(EngineError.invalidArgument, saying: ["row 2", "1 values", "2"]) {
            _ = try Matrix<Double>([[1, 2], [3, 4], [5]])
        }
        expectError(EngineError.invalidArgument, saying: ["-1"]) { _ = try Matrix<Double>(rows: -1, columns: 3) }
    }

    @Test func indicesOutOfRangeTrap() async throws {
        await #expect(processExitsWith: .failure) { _ = try Matrix<Float>([[1, 2], [3, 4]])[0, 2] }
        await #expect(processExitsWith: .failure) { _ = try Matrix<Float>([[1, 2], [3, 4]])[-1, 0] }
        await #expect(processExitsWith: .failure) { _ = try Matrix<Float>([[1, 2], [3, 4]])[2] }
        await #expect(processExitsWith: .failure) { try Matrix<Float>([[1, 2], [3, 4]])[0] = [1] }
        await #expect(processExitsWith: .failure) {
            try Matrix<Float>([[1, 2]]).copy(from: try Matrix<Float>([[1], [2]]))
        }
    }

    /// Samples from a matrix equal those from arrays of the same numbers, and follow its changes.
    @Test func samplesAreTheRowsOfAMatrix() throws {
        let network = try Network<Double>(NetworkConfiguration(sizes: [2, 5, 3], seed: 3))
        let rows: [[Float]] = [[0.25, 1], [0.5, 0.125]]
        let matrix = try Matrix(rows)
        let samples = SampleMatrix(matrix)
        func states(_ inputs: SampleMatrix) throws -> [Double] {
            try network.freePhase(inputs, steps: 4)
            return Array(try #require(network.state?.layers[2]))
        }
        #expect(try states(samples) == states(SampleMatrix(rows)))
        matrix[1, 1] = 0.75
        #expect(try states(samples) == states(SampleMatrix([0.25, 1, 0.5, 0.75], columns: 2)))
        try network.nudgedPhase(.classes([2, 0]), beta: 0.5, steps: 2)
    }
}
