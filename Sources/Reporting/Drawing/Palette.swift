import RunFiles

/// Colours that people with any kind of colour vision tell apart.
enum Palette {
    /// Of a loss: Okabe and Ito's colours ("Color universal design", 2008). The paper's four have their own
    /// whatever else is compared; others follow in order.
    static func colour(ofLoss loss: String, among losses: [String]) -> String {
        let own = ["wce": "#E69F00", "dl2": "#0072B2", "ss": "#009E73", "gdl": "#D55E00"]
        if let colour = own[loss] { return colour }
        let others = ["#CC79A7", "#56B4E9", "#8C6D00", "#7F7F7F"]
        let index = losses.filter { own[$0] == nil }.firstIndex(of: loss) ?? 0
        return others[index % others.count]
    }

    /// A step of an ordered quantity such as the learning rate, from light to dark.
    static func ordered(_ index: Int, of count: Int) -> String {
        sequential(count > 1 ? 0.75 - 0.65 * Double(index) / Double(count - 1) : 0.4)
    }

    /// Of a share: viridis (van der Walt and Smith 2015), dark for 0 and bright for 1.
    static func sequential(_ share: Double) -> String {
        let samples: [(Double, Double, Double)] = [
            (68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142), (31, 158, 137),
            (53, 183, 121), (109, 205, 89), (180, 222, 44), (253, 231, 37),
        ]
        let position = min(max(share, 0), 1) * Double(samples.count - 1)
        let index = min(Int(position), samples.count - 2)
        let t = position - Double(index)
        let (a, b) = (samples[index], samples[index + 1])
        return hexadecimal([a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1), a.2 + t * (b.2 - a.2)])
    }

    private static func hexadecimal(_ channels: [Double]) -> String {
        let digits = Array("0123456789ABCDEF")
        return "#"
            + String(channels.flatMap { [digits[Int($0.rounded()) / 16], digits[Int($0.rounded()) % 16]] })
    }
}
