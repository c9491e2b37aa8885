/// A sum of floats in pairs of ranks, then pairs of pairs.
final class TreeSum: PartwiseSum {
    private let values: UnsafeMutableBufferPointer<Float>
    private let owner: AnyObject

    var count: Int { values.count }

    /// `owner` keeps `values` alive.
    init(_ values: UnsafeMutableBufferPointer<Float>, owner: AnyObject) {
        (self.values, self.owner) = (values, owner)
    }

    func pack(into sent: UnsafeMutableBufferPointer<Float>) { _ = sent.update(fromContentsOf: values) }

    func add(_ received: UnsafeMutableBufferPointer<Float>, part: Int) {
        var distance = part
        while distance < received.count {
            for first in stride(from: 0, to: received.count, by: 2 * distance) {
                let into = received.extracting(first..<first + part)
                let term = received.extracting(first + distance..<first + distance + part)
                for index in into.indices { into[index] += term[index] }
            }
            distance *= 2
        }
    }

    func unpack(_ sums: UnsafeMutableBufferPointer<Float>) { _ = values.update(fromContentsOf: sums) }
}
