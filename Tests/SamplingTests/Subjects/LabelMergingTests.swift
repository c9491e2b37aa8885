import Testing

@testable import Sampling

@Suite struct LabelMergingTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func file(_ labels: [UInt8]) throws -> String {
        var file = HandmadeNIfTI(dimensions: [labels.count, 1, 1], datatype: 2, bitsPerVoxel: 8)
        file.voxels = labels
        return try folder.write(file.bytes, to: "labels.nii")
    }

    /// The old 1 would be class 1 together with 37 and 38 without having been named.
    @Test func aLabelThatIsTheClassOfOthersMustBeNamed() throws {
        let path = try file([0, 37, 1, 38])
        let merging = try LabelMerging([1: [38, 37]])
        let error = #expect(throws: NIfTIError.self) {
            try LabelMap(reading: path, classes: 2, merging: merging)
        }
        #expect(
            error?.description
                == "\(path) holds the label 1 at (2, 0, 0), which merge_labels does not name, while it makes 37 and 38 "
                + "class 1: write {1: [1, 37, 38]} to merge them, or name 1 in the list of another class.")
        #expect(try LabelMap(reading: file([0, 37, 38]), classes: 2, merging: merging).labels == [0, 1, 1])
    }

    @Test(
        arguments: [
            ([1: [1, 37, 38]], nil, 2, [0, 1, 1, 1]), ([1: [37, 38], 0: [1]], nil, 2, [0, 1, 0, 1]),
            // 0 is the background, unless it is named.
            ([0: [1], 1: [37], 2: [38]], nil, 3, [0, 1, 0, 2]),
            ([1: [0], 0: [1, 37, 38]], nil, 2, [1, 0, 0, 0]),
            // A class that labels do not move to keeps its own.
            ([2: [37, 38]], nil, 3, [0, 2, 1, 2]),
            ([1: [37]], 0, 2, [0, 1, 0, 0]), ([:], 1, 2, [0, 1, 1, 1]),
            ([1: [37], 0: [0]], 2, 3, [0, 1, 2, 2]),
        ] as [([Int: [Int]], Int?, Int, [UInt8])])
    func labelsGoWhereTheListsSay(lists: [Int: [Int]], others: Int?, classes: Int, expected: [UInt8]) throws {
        let merging = try LabelMerging(lists, others: others)
        let path = try file([0, 37, 1, 38])
        #expect(try LabelMap(reading: path, classes: classes, merging: merging).labels == expected)
    }

    @Test func aCensusSaysWhereLabelsGo() throws {
        var census = LabelCensus()
        try census.add(file([0, 0, 1, 37, 37]))
        try census.add(file([0, 0, 0, 37, 9, 0]))
        #expect(
            try census.lines(LabelMerging([1: [37]]), classes: 2) == [
                "  0: 6 voxels in 2 subjects, class 0",
                "  1: 1 voxel in 1 subject, refused, since merge_labels makes 37 class 1 and does not name 1",
                "  9: 1 voxel in 1 subject, no class: refused", "  37: 3 voxels in 2 subjects, class 1",
            ])
        #expect(
            try census.lines(LabelMerging([1: [37]], others: 0), classes: 2, most: 3) == [
                "  0: 6 voxels in 2 subjects, class 0", "  1: 1 voxel in 1 subject, class 0",
                "  9: 1 voxel in 1 subject, class 0", "  and 1 other label",
            ])
    }
}
