/// The levels at which isolines are drawn, and the shades between them: the same for all panels of a figure.
struct ShadeLevels: Equatable {
    /// Distance of two levels.
    let step: Double
    /// The lowest and the highest level: multiples of the step around all values.
    let range: ClosedRange<Double>

    /// At most ten shades.
    init(covering values: [Double]) {
        let low = values.min() ?? 0
        let high = values.max() ?? 0
        let steps = [0.01, 0.02, 0.05, 0.1, 0.2]
        func bounds(_ step: Double) -> (Double, Double) {
            let first = (low / step + 1e-9).rounded(.down)
            // A value on the highest level lies in the shade below it.
            return (first, max((high / step - 1e-9).rounded(.up), first + 1))
        }
        let fitting = steps.first { step in bounds(step).1 - bounds(step).0 <= 10 } ?? 0.2
        step = fitting
        range = bounds(fitting).0 * fitting...bounds(fitting).1 * fitting
    }

    var count: Int { Int((range.upperBound / step - range.lowerBound / step).rounded()) }

    /// The lower bound of each shade, ascending; the first is no isoline, since nothing lies below it.
    var bounds: [Double] { (0..<count).map { range.lowerBound + Double($0) * step } }

    func colour(_ index: Int) -> String {
        Palette.sequential(count > 1 ? Double(index) / Double(count - 1) : 0.5)
    }

    var decimals: Int { step < 0.1 ? 2 : 1 }
}
