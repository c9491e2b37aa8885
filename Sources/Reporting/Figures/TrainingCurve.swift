import Inference

/// A value over the steps of a run, smoothed by a running median and thinned out for drawing.
struct TrainingCurve {
    let steps: [Double]
    let values: [Double]

    /// - Parameters:
    ///   - window: records around each, itself included, whose median replaces it; fewer at the ends.
    ///   - points: how many stay at most, the last one among them.
    init(steps: [Int], values: [Double], window: Int, points: Int = 160) {
        let smooth = Self.runningMedian(values, window: window)
        let count = smooth.count
        let kept = count <= points ? Array(0..<count) : (0..<points).map { ($0 + 1) * count / points - 1 }
        self.steps = kept.map { Double(steps[$0]) }
        self.values = kept.map { smooth[$0] }
    }

    static func runningMedian(_ values: [Double], window: Int) -> [Double] {
        let before = (window - 1) / 2
        return values.indices.map { index in
            let around = max(0, index - before)..<min(values.count, index - before + window)
            return Quartiles(of: values[around])?.median ?? .nan
        }
    }

    /// A window that leaves the course of a training visible: a twenty-fifth of it.
    static func window(records: Int) -> Int { max(1, records / 25) }
}
