import COpenBLAS

// Matrix products: the one place that knows which library computes them.

/// OpenBLAS starts one thread a core by default, which costs more than it brings on the skinny products of a
/// batch, and makes results depend on the number of cores.
private let singleThreaded: Void = openblas_set_num_threads(1)

extension Float {
    public static func multiplyMatrices(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int,
        alpha: Float, a: UnsafePointer<Float>, b: UnsafePointer<Float>,
        beta: Float, c: UnsafeMutablePointer<Float>
    ) {
        _ = singleThreaded
        cblas_sgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
            blasint(m), blasint(n), blasint(k),
            alpha, a, blasint(transposeA ? m : k), b, blasint(transposeB ? k : n), beta, c, blasint(n))
    }
}

extension Double {
    public static func multiplyMatrices(
        transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int,
        alpha: Double, a: UnsafePointer<Double>, b: UnsafePointer<Double>,
        beta: Double, c: UnsafeMutablePointer<Double>
    ) {
        _ = singleThreaded
        cblas_dgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
            blasint(m), blasint(n), blasint(k),
            alpha, a, blasint(transposeA ? m : k), b, blasint(transposeB ? k : n), beta, c, blasint(n))
    }
}

/// The largest extent of a matrix a product can have: OpenBLAS counts in 32 bits.
public let largestMatrixExtent = Int(Int32.max)
