import CEPKernels

extension Network {
    /// Degrees between the feedback weights of a connection and its transposed forward weights; 0 with tied feedback.
    ///
    /// - Parameter index: The index of the connection's parameters.
    /// - Throws: `EngineError.invalidArgument` if the connection does not exist or has no feedback, as those from the
    ///   input and to a readout; `.busy` while a call uses the network.
    public func feedbackAngle(of index: Int) throws(EngineError) -> Double {
        guard parameters.indices.contains(index) else {
            throw .invalidArgument(
                "connection \(index) does not exist; the network's connections are 0 to \(parameters.count - 1)")
        }
        let connection = connections.indices.first { parameterIndex(of: $0) == index }
        guard let connection else {
            throw .invalidArgument("connection \(index) has no feedback: the readout is outside the dynamics")
        }
        guard edges[connection].from > 0 else {
            throw .invalidArgument("connection \(index) has no feedback: the input is clamped")
        }
        return try exclusively { () throws(EngineError) in connections[connection].feedbackAngle() }
    }
}

/// The angle in degrees between two vectors, from their dot product and squared lengths; NaN if a length is 0.
func angle(product: Double, squares first: Double, _ second: Double) -> Double {
    guard first > 0, second > 0 else { return .nan }
    let cosine = product / (first * second).squareRoot()
    return acos(max(-1, min(1, cosine))) * 180 / .pi
}
