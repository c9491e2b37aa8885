import Foundation
import RunFiles
import TestSupport
import Testing

@testable import Training

/// What ranks compare before their first step.
@Suite(.serialized) struct ReplicaStateTests {
    private func digests(_ folder: String, _ changes: [String] = []) throws -> [String: String] {
        let configuration = try TrainerTests.configuration(in: folder, steps: 1, changes: changes)
        var state: ReplicaState?
        try TrainerTests.train(folder, UUID().uuidString, steps: 1, changes: changes) {
            state = ReplicaState(
                task: try TrainingTask(configuration), step: $0.prepared.step,
                firstStep: $0.prepared.progress.firstStep)
        }
        return Dictionary(uniqueKeysWithValues: try #require(state).digests.map { ($0.name, $0.digest) })
    }

    private func differences(_ one: [String: String], _ other: [String: String]) -> [String] {
        one.keys.filter { one[$0] != other[$0] }.sorted()
    }

    @Test func eachDifferenceHasItsName() throws {
        try withTemporaryFolder { folder in
            let first = try digests(folder)
            #expect(try differences(first, digests(folder)) == [])
            #expect(try differences(first, digests(folder, ["seed=2"])) == ["the parameters"])
            // The same subjects and columns, but another image, as on a host that has an old copy.
            let list = folder + "/subjects.csv"
            let text = try String(contentsOfFile: list, encoding: .utf8)
            try AtomicFile.write(list, text: text.replacing("a,0.nii", with: "a,1.nii"))
            #expect(try differences(first, digests(folder)) == ["the list of subjects"])
        }
    }
}
