import CCEP
import CEPEngine
import Testing

@testable import CEPABI

@Suite struct LastErrorTests {
    @Test func aNewThreadHasNone() {
        _ = cep_network_create(nil, nil)
        #expect(!lastError().isEmpty)
        onAnotherThread { #expect(lastError() == "") }
    }

    @Test func eachThreadHasItsOwn() {
        _ = cep_network_copy(nil, nil)
        let mine = lastError()
        onAnotherThread {
            _ = reportingErrors { () throws(EngineError) in throw .invalidArgument("other") }
            #expect(lastError() == "other")
        }
        #expect(lastError() == mine && mine.contains("NULL"))
    }

    @Test func successDoesNotClearIt() throws {
        _ = reportingErrors { () throws(EngineError) in throw .diverged(Divergence("before")) }
        #expect(reportingErrors { () throws(EngineError) in } == CEP_OK)
        #expect(lastError() == "before")
    }

    @Test func eachErrorHasItsStatus() {
        let statuses: [(EngineError, Int)] = [
            (.invalidArgument("a"), CEP_INVALID_ARGUMENT), (.invalidState("b"), CEP_INVALID_STATE),
            (.outOfMemory("c"), CEP_OUT_OF_MEMORY), (.diverged(Divergence("d")), CEP_DIVERGED), (.stopped, CEP_STOPPED),
            (.busy("e"), CEP_BUSY),
        ]
        for (error, status) in statuses {
            #expect(reportingErrors { () throws(EngineError) in throw error } == cep_status(status))
            #expect(lastError() == error.message && !error.message.isEmpty)
        }
    }

    @Test(arguments: [0, 1, Int(CEP_MESSAGE_CAPACITY) - 2, Int(CEP_MESSAGE_CAPACITY) - 1])
    func messagesThatFitAreWhole(_ length: Int) {
        let message = String(repeating: "m", count: length)
        _ = reportingErrors { () throws(EngineError) in throw .invalidArgument(message) }
        #expect(lastError() == message)
    }

    @Test(arguments: [Int(CEP_MESSAGE_CAPACITY), Int(CEP_MESSAGE_CAPACITY) + 1, 100_000])
    func messagesThatDoNotFitAreCut(_ length: Int) {
        _ = reportingErrors { () throws(EngineError) in throw .invalidArgument(String(repeating: "m", count: length)) }
        #expect(lastError() == String(repeating: "m", count: Int(CEP_MESSAGE_CAPACITY) - 1))
    }

    /// The message stays valid UTF-8.
    @Test(arguments: [1, 2, 3, 4])
    func messagesAreCutBetweenCharacters(_ offset: Int) {
        let message = String(repeating: "m", count: offset) + String(repeating: "×🌀", count: 1000)
        _ = reportingErrors { () throws(EngineError) in throw .invalidArgument(message) }
        let cut = lastError()
        #expect(message.hasPrefix(cut))
        #expect(cut.utf8.count > Int(CEP_MESSAGE_CAPACITY) - 5 && cut.utf8.count < Int(CEP_MESSAGE_CAPACITY))
    }
}
