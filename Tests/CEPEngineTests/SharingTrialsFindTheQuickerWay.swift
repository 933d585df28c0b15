import Testing

@testable import CEPEngine

@Suite struct SharingTrialsFindTheQuickerWay {
    /// Both ways once; then the quicker one, but for every 64th phase.
    @Test(arguments: [true, false])
    func afterOneOfEach(_ sharingIsQuicker: Bool) {
        var trial = SharingTrial()
        for phase in 1...200 {
            let sharing = trial.next(batch: 20)
            switch phase {
            case 1: #expect(sharing)
            case 2: #expect(!sharing)
            case let other where other % 64 == 0: #expect(sharing != sharingIsQuicker, "phase \(phase)")
            default: #expect(sharing == sharingIsQuicker, "phase \(phase)")
            }
            trial.record(sharing: sharing, nanoseconds: sharing == sharingIsQuicker ? 1_000 : 3_000, steps: 10)
        }
    }

    /// What is slow once is not slow for ever: a time weighs a quarter.
    @Test func timesAreOfLate() {
        var trial = SharingTrial()
        func expect(sharing: Bool, takes nanoseconds: UInt64) {
            let found = trial.next(batch: 20)
            #expect(found == sharing)
            trial.record(sharing: sharing, nanoseconds: nanoseconds, steps: 1)
        }
        expect(sharing: true, takes: 1_000)
        expect(sharing: false, takes: 1_300)
        expect(sharing: true, takes: 2_000)  // 1250 on average.
        expect(sharing: true, takes: 2_000)  // 1437
        expect(sharing: false, takes: 1_300)
    }

    @Test func anotherBatchIsAnotherTrial() {
        var trial = SharingTrial()
        for _ in 0..<2 {
            let sharing = trial.next(batch: 20)
            trial.record(sharing: sharing, nanoseconds: sharing ? 3_000 : 1_000, steps: 1)
        }
        let (same, other) = (trial.next(batch: 20), trial.next(batch: 21))
        #expect(!same && other)
    }
}
