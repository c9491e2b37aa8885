import Sampling

extension Quantity {
    /// "1 step", "2 steps", "3,000 steps".
    public static func counted(_ count: Int, _ noun: String) -> String { Sampling.counted(count, noun) }

    /// What follows "of the last": "step", "200 steps".
    public static func lastSteps(_ count: Int) -> String { count == 1 ? "step" : counted(count, "step") }
}
