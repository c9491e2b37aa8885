import Crypto

extension SHA256 {
    /// Of texts one after the other, in hexadecimal. It tells where each ends.
    package static func digest(of texts: [String]) -> String {
        var hash = SHA256()
        for text in texts { hash.update(data: Array("\(text.utf8.count):\(text)".utf8)) }
        return hash.finalize().hexadecimal
    }
}

extension Sequence where Element == UInt8 {
    /// Two digits a byte.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef")
        return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
