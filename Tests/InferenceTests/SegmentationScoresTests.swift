import Inference
import Testing

@Suite("Segmentation scores")
struct SegmentationScoresTests {
    @Test("Two classes, by hand: TP 2, P 3, R 4 voxels of 2 mm^3")
    func twoClasses() throws {
        let scores = SegmentationScores.ofClasses(
            prediction: [1, 1, 1, 0, 0, 0, 0], reference: [1, 1, 0, 1, 1, 0, 0], classes: 2, voxelVolume: 2)
        let score = try #require(scores.first)
        #expect(scores.count == 1)
        #expect(score.dice == 4.0 / 7)
        #expect(score.sensitivity == 0.5)
        #expect(score.precision == 2.0 / 3)
        #expect(score.volumeDifference == -0.25)
        #expect(score.volumeDifferenceMillilitres == -0.002)
        #expect(score.predictionMillilitres == 0.006)
        #expect(score.referenceMillilitres == 0.008)
    }

    @Test("Three classes: each one, then the foreground, where a wrong class still counts")
    func threeClasses() {
        let scores = SegmentationScores.ofClasses(
            prediction: [1, 2, 2, 0], reference: [1, 1, 2, 2], classes: 3, voxelVolume: 1)
        #expect(scores.map(\.shared) == [1, 1, 3])
        #expect(scores.map(\.prediction) == [1, 2, 3])
        #expect(scores.map(\.reference) == [2, 2, 4])
    }

    @Test(
        "Empty segmentations",
        arguments: [
            (0, 0, 1.0, nil, nil, nil, 0.0), (3, 0, 0.0, nil, 0.0, nil, 0.003),
            (0, 5, 0.0, 0.0, nil, -1.0, -0.005),
        ] as [(Int, Int, Double, Double?, Double?, Double?, Double)])
    func empty(
        prediction: Int, reference: Int, dice: Double, sensitivity: Double?, precision: Double?,
        difference: Double?, millilitres: Double
    ) {
        let score = SegmentationScores(
            shared: 0, prediction: prediction, reference: reference, voxelVolume: 1)
        #expect(score.dice == dice)
        #expect(score.sensitivity == sensitivity)
        #expect(score.precision == precision)
        #expect(score.volumeDifference == difference)
        #expect(score.volumeDifferenceMillilitres == millilitres)
    }

    @Test("Quartiles are numpy's: [1, 2, 4, 8] has 1.75, 3 and 5")
    func quartilesLikeNumpy() throws {
        let even = try #require(Quartiles(of: [8, 1, 4, 2]))
        #expect(even.lower == 1.75)
        #expect(even.median == 3)
        #expect(even.upper == 5)
        #expect(even.interquartileRange == 3.25)
        let odd = try #require(Quartiles(of: [3, 1, 2]))
        #expect([odd.lower, odd.median, odd.upper] == [1.5, 2, 2.5])
        let single = try #require(Quartiles(of: [7]))
        #expect([single.lower, single.median, single.upper] == [7, 7, 7])
        #expect(Quartiles(of: []) == nil)
        #expect(Quartiles(of: [1, .nan]) == nil)
    }
}

@Suite("Score table")
struct ScoreTableTests {
    static var table: ScoreTable {
        var table = ScoreTable()
        let first = SegmentationScores(shared: 1, prediction: 2, reference: 2, voxelVolume: 1000)
        let second = SegmentationScores(shared: 0, prediction: 0, reference: 0, voxelVolume: 1000)
        table.add(subject: "a", scores: [first])
        table.add(subject: "b,c", scores: [second])
        return table
    }

    @Test(
        "The file has a row a subject and no others, empty fields for undefined values; quartiles have their own"
    )
    func csv() {
        #expect(
            Self.table.csv == """
                subject,class,dsc,sensitivity,precision,volume_difference,volume_difference_ml,prediction_ml,reference_ml
                a,1,0.5,0.5,0.5,0.0,0.0,2.0,2.0
                "b,c",1,1.0,,,,0.0,0.0,0.0

                """)
        #expect(
            Self.table.summaryCSV == """
                statistic,class,dsc,sensitivity,precision,volume_difference,volume_difference_ml,prediction_ml,reference_ml
                median,1,0.75,0.5,0.5,0.0,0.0,1.0,1.0
                lower_quartile,1,0.625,0.5,0.5,0.0,0.0,0.5,0.5
                upper_quartile,1,0.875,0.5,0.5,0.0,0.0,1.5,1.5

                """)
    }

    @Test("The printed table is aligned and ends with median (IQR)")
    func text() {
        let lines = Self.table.text.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(Set(lines.map(\.count)).count == 1)
        #expect(lines[3].hasPrefix("median (IQR)  1"))
        #expect(lines[3].contains("0.7500 (0.2500)"))
        #expect(lines[2].contains(" -  "))
    }

    @Test("With several classes the last scores are the foreground's")
    func foreground() {
        var table = ScoreTable()
        table.add(
            subject: "a",
            scores: SegmentationScores.ofClasses(
                prediction: [1, 2], reference: [1, 1], classes: 3, voxelVolume: 1))
        #expect(table.labels == ["1", "2", "foreground"])
        #expect(table.quartiles(of: "dsc", label: "foreground")?.median == 1)
        #expect(table.quartiles(of: "dsc", label: "1")?.median == 2.0 / 3)
    }
}
