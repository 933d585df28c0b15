import CEPKernels

extension Network {
    /// Degrees between the feedback weights of a connection and its transposed forward weights, as they are; 0 with tied
    /// feedback.
    ///
    /// - Parameter index: Of the connection's parameters.
    /// - Throws: `EngineError.invalidArgument` if there is no such connection, or if it has no feedback: from the input,
    ///   and to a readout; `.busy` while a call uses the network.
    public func feedbackAngle(of index: Int) throws(EngineError) -> Double {
        guard parameters.indices.contains(index) else {
            throw .invalidArgument(
                "there is no connection \(index); the network's connections are 0 to \(parameters.count - 1)")
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

/// The angle in degrees between two vectors, from their product and squared lengths; NaN if one has no length.
func angle(product: Double, squares first: Double, _ second: Double) -> Double {
    guard first > 0, second > 0 else { return .nan }
    let cosine = product / (first * second).squareRoot()
    return acos(max(-1, min(1, cosine))) * 180 / .pi
}
