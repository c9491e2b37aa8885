import Foundation
import Inference
import RunFiles

/// How a report writes names and numbers.
enum Display {
    /// As the literature writes the networks; others stay as they are.
    static func network(_ name: String) -> String {
        let known = [
            "highres3dnet": "HighRes3DNet", "deepmedic": "DeepMedic", "unet": "U-Net", "unet2d": "U-Net",
            "twopathcnn": "TwoPathCNN",
        ]
        return known[name] ?? name
    }

    /// As the paper writes the losses; variants stay as they are.
    static func loss(_ name: String) -> String {
        ["wce": "WCE", "dl2": "DL\u{2082}", "ss": "SS", "gdl": "GDL"][name] ?? name
    }

    /// Edges in voxels: `51³`, `64²` for a slice, `20×51×51`.
    static func size(_ edges: [Int]) -> String { size(edges, isFlat: edges.first == 1) }

    /// The effective patch; one voxel deep, it is a slice only where the network's input is.
    static func effective(_ patch: PatchSetting) -> String { size(patch.effective, isFlat: patch.isFlat) }

    private static func size(_ edges: [Int], isFlat: Bool) -> String {
        let flat = isFlat && edges.count == 3
        let shown = flat ? Array(edges.dropFirst()) : edges
        if Set(shown).count == 1, let edge = shown.first { return "\(edge)" + superscript(shown.count) }
        return shown.map(String.init).joined(separator: "\u{D7}")
    }

    /// `S`, `M`, `L` for three sizes, from the smallest.
    static func sizeName(_ index: Int, of count: Int) -> String {
        switch count {
        case 1: "\u{2013}"
        case 2: ["S", "L"][index]
        case 3: ["S", "M", "L"][index]
        default: "\(index + 1)"
        }
    }

    /// `10⁻³`, `2.5·10⁻⁴`.
    static func power(_ value: Double) -> String {
        let (mantissa, exponent) = Quantity.scientific(value)
        return (mantissa == "1" ? "" : mantissa + "\u{B7}") + "10" + superscript(exponent)
    }

    /// `1e-3`, `2.5e-4`.
    static func learningRate(_ value: Double) -> String { Quantity.scientificText(value) }

    static func fixed(_ value: Double, _ decimals: Int) -> String {
        let text = String(format: "%.\(decimals)f", value)
        return Double(text) == 0 ? text.replacing("-", with: "") : text
    }

    /// `0.74 (0.15)`: median (interquartile range).
    static func spread(_ spread: Quartiles) -> String {
        "\(fixed(spread.median, 2)) (\(fixed(spread.interquartileRange, 2)))"
    }

    /// Two significant digits below 10 %: `2.0 %`, `0.032 %`.
    static func percent(_ share: Double) -> String {
        let percent = 100 * share
        guard percent > 0, percent < 9.95 else { return fixed(percent, 0) + " %" }
        let decimals = Int((1 - log10(percent * 1.005).rounded(.down)))
        return fixed(percent, decimals) + " %"
    }

    /// "a", "a and b", "a, b and c".
    static func list(_ items: [String]) -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }

    private static func superscript(_ number: Int) -> String {
        let digits = Array("\u{2070}\u{B9}\u{B2}\u{B3}\u{2074}\u{2075}\u{2076}\u{2077}\u{2078}\u{2079}")
        let text = String(abs(number)).compactMap { $0.wholeNumberValue.map { digits[$0] } }
        return (number < 0 ? "\u{207B}" : "") + String(text)
    }
}
