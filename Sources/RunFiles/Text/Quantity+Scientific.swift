import Foundation

extension Quantity {
    /// A number as `1e-3` or `2.5e-4`, exact to six digits.
    public static func scientificText(_ value: Double) -> String {
        let (mantissa, exponent) = scientific(value)
        return "\(mantissa)e\(exponent)"
    }

    /// A number as a mantissa from 1 to below 10 without trailing zeros, and the power of ten.
    public static func scientific(_ value: Double) -> (mantissa: String, exponent: Int) {
        let parts = String(format: "%.5e", value).split(separator: "e")
        var mantissa = String(parts[0])
        while mantissa.hasSuffix("0") { mantissa.removeLast() }
        if mantissa.hasSuffix(".") { mantissa.removeLast() }
        return (mantissa, parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    }
}
