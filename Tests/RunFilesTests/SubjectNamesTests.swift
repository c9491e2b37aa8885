import Testing

@testable import RunFiles

@Suite struct SubjectNamesTests {
    @Test(arguments: [
        (["a", "b", "c"], "3 subjects, but 'l.csv' has 2"),
        (["a", "c"], "2 subjects, but the 2 of 'l.csv' have other names"),
        (["b", "a"], "2 subjects, but 'l.csv' has them in another order"),
        (["ab"], "1 subject, but 'l.csv' has 2"),
    ])
    func aDifferenceIsNamed(trained: [String], difference: String) throws {
        let listed = SubjectNames(["a", "b"])
        let error = #expect(throws: CheckpointError.self) {
            try SubjectNames(trained).check(listed, list: "l.csv", path: "c")
        }
        #expect(
            error?.description
                == "'c' was written with a list of \(difference), and the names in their order decide which subjects are "
                + "held out: restore the list, or start anew with --resume never and another --output.")
    }

    @Test func theDigestIsOfTheNamesWithTheirLengths() throws {
        let names = SubjectNames(["b", "a"])
        try names.check(SubjectNames(["b", "a"]), list: "l.csv", path: "c")
        // printf 1:b1:a | sha256sum; printf 1:a1:b | sha256sum
        #expect(names.count == 2)
        #expect(names.digest == "9c50aa7b503956efae34db7e0b98bfa067062a99e8c5851099877f0b67707daf")
        #expect(names.sortedDigest == "facdde7abf1eac5b301273ab2e282f79bab0100f058833a7b8bdf9f80741e149")
        #expect(SubjectNames(metadata: names.metadata) == names)
        #expect(SubjectNames(metadata: ["subjects": "2"]) == nil)
    }
}
