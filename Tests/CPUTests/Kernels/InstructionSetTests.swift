import CPU
import Engine
import Foundation
import Testing

@Suite struct InstructionSetTests {
    @Test func portableRunsEverywhere() {
        #expect(InstructionSet.available.first == .portable)
    }

    /// In processes of their own: the environment belongs to all tests.
    @Test func environmentHoldsItDown() async {
        await #expect(processExitsWith: .success) {
            setenv("DICERANK_ISA", "portable", 1)
            guard try InstructionSet.selected() == .portable else { exit(1) }
            try SmallNetwork.step(SmallNetwork.plan())
        }
    }

    @Test func unknownNameIsAnError() async {
        await #expect(processExitsWith: .exitCode(7)) {
            setenv("DICERANK_ISA", "mmx", 1)
            do {
                _ = try InstructionSet.selected()
            } catch {
                exit("\(error)".contains("mmx") && "\(error)".contains("portable") ? 7 : 1)
            }
        }
    }
}
