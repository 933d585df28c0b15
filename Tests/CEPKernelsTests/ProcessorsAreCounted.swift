import COpenBLAS
import Testing

@testable import CEPKernels

@Suite struct ProcessorsAreCounted {
    private func quota(_ membership: String, _ files: [String: String]) -> Double? {
        CPUQuota.read(membership: membership, root: "/cg") { files[$0] }
    }

    @Test func unifiedHierarchy() {
        #expect(quota("0::/\n", ["/cg/cpu.max": "200000 100000\n"]) == 2)
        #expect(quota("0::/\n", ["/cg/cpu.max": "50000 100000\n"]) == 0.5)
        #expect(quota("0::/\n", ["/cg/cpu.max": "max 100000\n"]) == nil)
        #expect(quota("0::/\n", [:]) == nil)
        #expect(quota("0::/\n", ["/cg/cpu.max": "nonsense"]) == nil)
    }

    /// A group is also limited by its parents.
    @Test func theSmallestOfNestedGroups() {
        let files = ["/cg/a/b/cpu.max": "400000 100000", "/cg/a/cpu.max": "150000 100000", "/cg/cpu.max": "max 100000"]
        #expect(quota("0::/a/b\n", files) == 1.5)
    }

    @Test func legacyHierarchy() {
        let membership = "5:memory:/x\n4:cpu,cpuacct:/docker/1\n"
        let limited = [
            "/cg/cpu/docker/1/cpu.cfs_quota_us": "250000\n", "/cg/cpu/docker/1/cpu.cfs_period_us": "100000\n",
        ]
        #expect(quota(membership, limited) == 2.5)
        // A container sees its own group at the root.
        let own = ["/cg/cpu,cpuacct/cpu.cfs_quota_us": "300000\n", "/cg/cpu,cpuacct/cpu.cfs_period_us": "100000\n"]
        #expect(quota(membership, own) == 3)
        let unlimited = ["/cg/cpu/docker/1/cpu.cfs_quota_us": "-1\n", "/cg/cpu/docker/1/cpu.cfs_period_us": "100000\n"]
        #expect(quota(membership, unlimited) == nil)
    }

    @Test func thereIsAtLeastOne() { #expect(processorCount() >= 1) }

    /// The parts of a loop are counted in 20 bits.
    @Test func loopsOfAnyNumberOfPartsEnd() {
        let parts = (1 << 20) + 5
        let sums = UnsafeMutablePointer<Int>.allocate(capacity: parts)
        defer { sums.deallocate() }
        sums.initialize(repeating: 0, count: parts)
        nonisolated(unsafe) let shared = sums
        WorkerPool.shared.run(parts: parts) { shared[$0] += 1 }
        #expect((0..<parts).allSatisfy { sums[$0] == 1 })
    }

    /// The program may use OpenBLAS too.
    @Test func openBLASKeepsTheThreadsThatTheProgramHasSet() {
        let before = openblas_get_num_threads()
        defer { openblas_set_num_threads(before) }
        openblas_set_num_threads(2)
        let a = [Float](repeating: 1, count: 64 * 64)
        var c = a
        Float.multiplyMatrices(
            transposeA: false, transposeB: false, m: 64, n: 64, k: 64, alpha: 1, a: a, b: a, beta: 0, c: &c)
        #expect(c.allSatisfy { $0 == 64 })
        #expect(openblas_get_num_threads() == 2)
    }
}
