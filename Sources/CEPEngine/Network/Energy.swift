import CEPKernels

extension Network {
    /// What the dynamics of a network with tied feedback go down, for each sample of the present states.
    ///
    /// Real-time setting: the energy E = ½ Σ s² − Σ_k ρ(s_{k+1})ᵀ W_k ρ(s_k) − Σ bᵀ ρ(s) over layers 1 ... L, of which
    /// the free dynamics are the gradient, but for the factor ρ′ that the published output layer lacks (see
    /// `RealTime.followsEnergy`). Prototypical setting: −Φ, Φ = Σ_k s_{k+1}ᵀ W_k s_k + Σ bᵀ s being the primitive
    /// function, whose gradient is what the activation is applied to.
    ///
    /// - Returns: Batch × 1.
    /// - Throws: `EngineError.invalidArgument` with untied feedback, which derives from no energy;
    ///   `.invalidState` before any phase.
    public func energy() throws(EngineError) -> Matrix<Double> {
        guard configuration.feedback == .tied else {
            throw .invalidArgument("a network with untied feedback derives from no energy")
        }
        guard let state else { throw .invalidState("there are no states yet: run a free phase first") }
        beginPhase(of: state)
        let energies = try Matrix<Double>(rows: state.batch, columns: 1)
        for (k, connection) in connections.enumerated() {
            let drive = try Matrix<Element>(rows: state.batch, columns: sizes[k + 1])
            connection.driveUp(state.sent[k].view, into: drive.view)
            for sample in 0..<state.batch {
                energies.pointer[sample] -= dotProduct(
                    drive.rows(from: sample, count: 1).pointer,
                    state.sent[k + 1].rows(from: sample, count: 1).pointer, count: drive.columns)
                if setting.sendsActivation {
                    let units = state.layers[k + 1].rows(from: sample, count: 1)
                    energies.pointer[sample] += dotProduct(units.pointer, units.pointer, count: units.count) / 2
                }
            }
        }
        return energies
    }
}
