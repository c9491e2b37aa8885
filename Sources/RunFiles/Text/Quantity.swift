import Foundation

/// Numbers as people read them.
public enum Quantity {
    /// Three digits and a decimal prefix: 1.85 M.
    public static func short(_ value: Double) -> String {
        guard value.isFinite else { return "\(value)" }
        var scaled = value
        for prefix in ["", " k", " M", " G"] {
            let digits = abs(scaled) >= 99.95 ? 0 : abs(scaled) >= 9.995 ? 1 : 2
            if abs(scaled) < 999.5 { return String(format: "%.\(digits)f", scaled) + prefix }
            scaled /= 1000
        }
        return String(format: "%.0f", scaled) + " T"
    }

    /// The two largest units: 2 h 5 min, 12 min 30 s, 8 s.
    public static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "unknown" }
        let whole = Int(seconds.rounded())
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min \(whole % 60) s"
        case ..<86400: return "\(whole / 3600) h \(whole % 3600 / 60) min"
        default: return "\(whole / 86400) d \(whole % 86400 / 3600) h"
        }
    }
}
