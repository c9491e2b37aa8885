import Inference
import Testing

@testable import Reporting

@Suite struct SpreadTests {
    @Test func quartilesAreInterpolatedAsNumPyDoes() throws {
        // numpy.quantile([1, 2, 3, 4], [0.25, 0.5, 0.75]) = [1.75, 2.5, 3.25]
        let spread = try #require(Quartiles(of: [4, 1, 3, 2]))
        #expect(spread.lower == 1.75 && spread.median == 2.5 && spread.upper == 3.25)
        #expect(spread.interquartileRange == 1.5)
        let one = try #require(Quartiles(of: [0.7]))
        #expect(one.lower == 0.7 && one.median == 0.7 && one.upper == 0.7)
        #expect(Quartiles(of: [Double]()) == nil)
        #expect(Quartiles(of: [1, .nan]) == nil)
    }

    @Test func whiskersEndAtTheFarthestValueWithinReach() throws {
        // Quartiles 2 and 4, so that whiskers reach from -1 to 7: 9 is beyond.
        let box = try #require(BoxSummary(of: [1, 2, 3, 4, 9]))
        #expect(box.spread.lower == 2 && box.spread.median == 3 && box.spread.upper == 4)
        #expect(box.whiskers == 1...4)
        #expect(box.outliers == [9])
        #expect(box.count == 5)
        let low = try #require(BoxSummary(of: [-5, 2, 3, 4, 7]))
        #expect(low.whiskers == 2...7)
        #expect(low.outliers == [-5])
    }

    @Test func runningMedianIsShorterAtTheEnds() {
        // Windows of 3: (5, 1), (5, 1, 9), (1, 9, 2), (9, 2, 4), (2, 4).
        #expect(TrainingCurve.runningMedian([5, 1, 9, 2, 4], window: 3) == [3, 5, 2, 4, 3])
        #expect(TrainingCurve.runningMedian([5, 1, 9], window: 1) == [5, 1, 9])
        let long = TrainingCurve(
            steps: Array(1...1000), values: (1...1000).map(Double.init), window: 1, points: 100)
        #expect(long.steps.count == 100 && long.steps.last == 1000 && long.steps.first == 10)
        #expect(long.values == long.steps)
    }
}
