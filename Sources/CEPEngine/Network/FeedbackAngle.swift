import CEPKernels
import Glibc

extension Network {
    /// The angle, in degrees, between the feedback weights of a connection and its transposed forward weights: 0 with
    /// tied feedback, nil where no feedback flows (connection 0).
    @specialized(where Element == Float)
    @specialized(where Element == Double)
    public func feedbackAngle(of connection: Int) -> Double? {
        guard connection > 0 else { return nil }
        let parameters = connections[connection].parameters
        guard let feedback = parameters.feedbackWeights else { return 0 }
        let weights = parameters.weights
        var product = 0.0
        for i in 0..<feedback.rows {
            for j in 0..<feedback.columns {
                product +=
                    Double(feedback.pointer[i * feedback.columns + j])
                    * Double(weights.pointer[j * weights.columns + i])
            }
        }
        return angle(
            product: product, squares: dotProduct(feedback.pointer, feedback.pointer, count: feedback.count),
            dotProduct(weights.pointer, weights.pointer, count: weights.count))
    }
}

/// The angle in degrees between two vectors, from their product and squared lengths; NaN where one has no length.
func angle(product: Double, squares first: Double, _ second: Double) -> Double {
    guard first > 0, second > 0 else { return .nan }
    let cosine = product / (first * second).squareRoot()
    return acos(max(-1, min(1, cosine))) * 180 / .pi
}
